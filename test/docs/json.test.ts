/**
 * docs/json.md is a contract: every record that a command prints has exactly the fields written there, of the
 * types written there, and no field is named in the source that is not.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import ts from "typescript";
import { browserEventJson, type BrowserEvent } from "../../src/commands/browser/render.ts";
import type { WorkerEvent } from "../../src/commands/worker/events.ts";
import { eventJson as workerEventJson } from "../../src/commands/worker/render.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { formatSubscription } from "../../src/protocol/subscription.ts";
import { createReceiverKeys } from "../../src/protocol/decryption.ts";
import { subscribe } from "../../src/receiver/http-receiver.ts";
import { asPage, startServeCli } from "../commands/serve/serve-cli.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";
import { linesOf, runMain } from "../support/run-cli.ts";
import { sampleJson } from "../support/samples.ts";
import { nodesOf, readSourceTree } from "../support/source-tree.ts";
import { seededRandom } from "../support/test-context.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { readPage, rowsOf, sectionsOf } from "./markdown.ts";

type Fields = Readonly<Record<string, string>>;

/** Fields with their types, by the heading of their record. */
const documented: ReadonlyMap<string, Fields> = new Map(
  sectionsOf(readPage("docs/json.md"))
    .filter(({ level }) => level === 3)
    .map(({ heading, text }) => {
      const rows = rowsOf(text).map(([field = "", type = ""]) => [field, type] as const);
      return [heading, Object.fromEntries(rows)] as const;
    }),
);

/** The fields of the records under these headings together. */
function fields(...headings: readonly string[]): Fields {
  return Object.fromEntries(headings.flatMap((heading) => Object.entries(documented.get(heading) ?? {})));
}

/** How a record differs from what is written: missing and unknown fields, and values of another type. */
function difference(record: unknown, expected: Fields): readonly string[] {
  const flat = Object.keys(expected).some((field) => field.includes("."))
    ? Object.entries((record as { error: object }).error).map(
        ([name, value]) => [`error.${name}`, value] as const,
      )
    : Object.entries(record as object);
  const actual = Object.fromEntries<unknown>(flat);
  return [
    ...Object.keys(expected)
      .filter((field) => !(field in actual))
      .map((field) => `${field} is missing`),
    ...Object.keys(actual)
      .filter((field) => !(field in expected))
      .map((field) => `${field} is not documented`),
    ...Object.entries(expected)
      .filter(([field, type]) => field in actual && !type.split(/, | or /).includes(typeOf(actual[field])))
      .map(([field, type]) => `${field} is ${JSON.stringify(actual[field])}, documented as ${type}`),
  ];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "string" ? "text" : typeof value;
}

/** A project with a key pair and two subscriptions, `phone` usable and `old` made with another key. */
async function project(): Promise<string> {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  const foreign = { applicationServerKey: sampleJson("another").keys.p256dh };
  for (const [name, over] of [
    ["phone", {}],
    ["old", foreign],
  ] as const) {
    const json = JSON.stringify(sampleJson(name, over));
    await runMain(["subscriptions", "add", json, "--name", name, "--tag", "news"], { cwd });
  }
  return cwd;
}

/** Runs a command with `--json`, and says of each record how it differs from the one documented. */
async function check(cwd: string, argv: readonly string[], expected: Fields): Promise<readonly string[]> {
  const { stdout, stderr } = await runMain([...argv, "--json"], { cwd, stdin: "" });
  const records = linesOf(stdout).map((line) => JSON.parse(line) as unknown);
  if (records.length === 0) throw new Error(`webpush ${argv.join(" ")} printed no record: ${stderr}`);
  return records.flatMap((record) => difference(record, expected));
}

const listed = fields("subscriptions list");

describe("the fields of --json records are those of docs/json.md:", () => {
  test.each<[argv: readonly string[], expected: Fields]>([
    [["keys"], fields("keys")],
    [["keys", "--print"], fields("keys")],
    [["keys", "rotate"], fields("keys rotate")],
    [["keys", "list"], fields("keys list")],
    [["keys", "import", "absent.pem"], fields("Error")],
    [["subscriptions", "list"], listed],
    [["subscriptions", "rename", "phone", "tablet"], listed],
    [["subscriptions", "tag", "beta", "phone"], listed],
    [["subscriptions", "remove", "phone"], listed],
    [["subscriptions", "show", "phone"], { ...listed, ...fields("subscriptions show") }],
    [["subscriptions", "check"], fields("subscriptions check")],
    [["subscriptions", "prune", "--wrong-key", "--dry-run"], { ...listed, ...fields("subscriptions prune") }],
    [["send", "--to", "phone", "--dry-run", "Hello"], fields("send --dry-run")],
    [["send", "--to", "phone", "--curl", "Hello"], fields("send --curl")],
    [["send", "--to", "old", "Hello"], fields("send")],
    [["scaffold", "site"], fields("scaffold")],
    [["scaffold", "site", "--dry-run"], fields("scaffold")],
    [["inspect", "fcm.gone"], fields("inspect")],
    [["inspect", "https://push.example.net/1"], fields("inspect")],
    [["demo"], fields("demo")],
    [["config"], fields("config")],
    [["config", "set", "ttl", "10m"], fields("config")],
    [["config", "unset", "ttl"], fields("config")],
    [["store"], fields("store status")],
    [["store", "copy", "local", "nowhere"], fields("Error")],
    [["store", "grant", "--worker", "push_worker", "--dry-run"], fields("store grant")],
    [["help", "exit-codes"], fields("help exit-codes")],
    [["no-such-topic"].flatMap((topic) => ["help", topic]), fields("Error")],
  ])("%j", async (argv, expected) => {
    expect(await check(await project(), argv, expected)).toEqual([]);
  });

  test.skipIf(!hasPostgres)("store: of a database", async () => {
    const cwd = await project();
    const { url } = await openTestDatabase({ migrated: false });
    const { stdout } = await runMain(["store", "migrate", "--json"], { cwd, env: { WEBPUSH_STORE: url } });
    expect(difference(JSON.parse(stdout), fields("store migrate"))).toEqual([]);
    const copy = ["store", "copy", "local", url, "--yes"];
    expect(await check(cwd, copy, fields("store copy"))).toEqual([]);
    const status = await runMain(["store", "status", "--json"], { cwd, env: { WEBPUSH_STORE: url } });
    expect(difference(JSON.parse(status.stdout), fields("store status"))).toEqual([]);
  });

  test.skipIf(!hasPostgres)("send --queue and campaigns: of a database", async () => {
    const cwd = await project();
    const { url } = await openTestDatabase();
    await runMain(["store", "copy", "local", url, "--yes"], { cwd });
    const env = { WEBPUSH_STORE: url };
    const differenceOf = async (argv: readonly string[], expected: Fields) => {
      const { stdout } = await runMain([...argv, "--json"], { cwd, env, stdin: "" });
      return difference(JSON.parse(stdout), expected);
    };
    const send = ["send", "--queue", "Hello", "--at", "+1h"];
    const campaign = fields("campaigns: campaign");
    expect(await differenceOf([...send, "--dry-run"], fields("send --queue --dry-run"))).toEqual([]);
    expect(await differenceOf(send, { ...campaign, ...fields("send --queue") })).toEqual([]);
    const listed = { ...campaign, ...fields("campaigns list") };
    expect(await differenceOf(["campaigns", "list"], listed)).toEqual([]);
    const { id } = JSON.parse((await runMain(["campaigns", "--json"], { cwd, env })).stdout) as {
      id: string;
    };
    expect(await differenceOf(["campaigns", "show", id], listed)).toEqual([]);
    for (const action of ["pause", "resume", "cancel"])
      expect(await differenceOf(["campaigns", action, id], campaign)).toEqual([]);
    expect(await differenceOf(["campaigns", "watch", id], listed)).toEqual([]);
  });

  test("emulator: ready and events; listen: ready and messages", async () => {
    const cwd = await project();
    const stop = new AbortController();
    const running = runMain(["emulator", "--port", "0", "--json"], { cwd, signal: stop.signal });
    const random = seededRandom("listen");
    await using emulator = await startEmulator({ clock: { now: () => Date.now() }, random });
    const service = emulator.origin.replace("http", "ws");
    const listen = ["listen", "--service", service, "--save", "me", "--json", "--timeout"];
    await runMain([...listen, "150ms"], { cwd });
    await runMain(["send", "--to", "me", "Hello"], { cwd, stdin: "" });
    const heard = linesOf((await runMain([...listen, "20s", "--count", "1"], { cwd })).stdout);
    const [ready, message, ...rest] = heard.map((line) => JSON.parse(line) as unknown);
    expect(difference(ready, fields("listen: ready"))).toEqual([]);
    expect(difference(message, fields("listen"))).toEqual([]);
    expect(rest).toEqual([]);
    stop.abort();
    const records = linesOf((await running).stdout).map((line) => JSON.parse(line) as unknown);
    expect(records.flatMap((record) => difference(record, fields("emulator: ready")))).toEqual([]);
    expect(records).toHaveLength(1);
  });

  test("emulator: a browser that is opened, shows a notification and ends", () => {
    const base = { at: 0, browser: "firefox" } as const;
    const events: readonly BrowserEvent[] = [
      { ...base, type: "browser-opened", url: "http://localhost/", executable: "f", seesNotifications: true },
      { ...base, type: "notification", title: "Hi", body: "", origin: "localhost", actions: ["Read"] },
      { ...base, type: "browser-ended", why: "closed", code: 0, lastWords: [] },
    ];
    for (const event of events) {
      const record = JSON.parse(browserEventJson(event)) as unknown;
      expect(difference(record, fields("emulator: browser"))).toEqual([]);
    }
  });

  test("worker: each of its events", () => {
    const turn = { campaign: "news", chunk: 1, turn: 1 };
    const sum = { ...turn, counts: { "accepted:ok": 1 }, durationMs: 1.5 };
    const events: readonly WorkerEvent[] = [
      {
        type: "worker.started",
        ...{ name: "one", version: "1", store: "postgres://db/push", health: undefined },
        ...{ chunks: 2, concurrency: 100 },
      },
      { type: "chunk.taken", ...turn, recipients: 1000 },
      { type: "chunk.finished", ...sum },
      { type: "chunk.returned", ...sum, why: "time", left: 3, afterMs: 0 },
      { type: "chunk.lost", ...sum, left: 3 },
      { type: "campaign.damaged", campaign: "news", reason: "its rate is 0" },
      { type: "database.lost", reason: "it is away" },
      { type: "database.back", awayMs: 5 },
      { type: "keys.changed", publicKeys: [] },
      { type: "worker.stopping" },
      { type: "worker.stopped", counts: sum.counts, durationMs: 5 },
    ];
    for (const event of events) {
      const record = JSON.parse(workerEventJson(event, 0)) as unknown;
      expect(difference(record, fields(`worker: ${event.type}`))).toEqual([]);
    }
  });

  test("serve: ready, and each of its events", async () => {
    const cwd = await project();
    const serve = await startServeCli(["--json"], cwd);
    const { publicKey } = JSON.parse((await runMain(["keys", "--json"], { cwd })).stdout) as {
      publicKey: string;
    };
    const endpoint = "http://127.0.0.1:1/push/nobody-listens-there";
    const subscription = { ...sampleJson("page", { endpoint }), applicationServerKey: publicKey };
    await asPage(serve, "POST", "/webpush/subscriptions", subscription);
    await asPage(serve, "POST", "/webpush/test", { endpoint });
    await asPage(serve, "POST", "/webpush/events", { type: "shown", id: null, at: 0 });
    await asPage(serve, "POST", "/webpush/events", {});
    await asPage(serve, "DELETE", "/webpush/subscriptions", { endpoint });
    await serve.stop();
    const records = serve.records();
    expect(records.map(({ type }) => type)).toEqual([
      "ready",
      "stored",
      "tested",
      "beacon",
      "request-refused",
      "removed",
    ]);
    expect(
      records.flatMap((record) => difference(record, fields(`serve: ${String(record["type"])}`))),
    ).toEqual([]);
  });

  test("doctor: findings, the summary, and the list of checks", async () => {
    const cwd = await project();
    expect(await check(cwd, ["doctor", "--list"], fields("doctor --list"))).toEqual([]);
    const { stdout } = await runMain(["doctor", "--json"], { cwd });
    const records = linesOf(stdout).map((line) => JSON.parse(line) as { type: string });
    expect(records.map(({ type }) => type)).toEqual(expect.arrayContaining(["finding", "summary"]));
    expect(records.flatMap((record) => difference(record, fields(`doctor: ${record.type}`)))).toEqual([]);
  });

  test("doctor --ask: questions and verdicts", async () => {
    const { stdout } = await runMain(["doctor", "--ask", "--json"], { cwd: tempFolder() });
    const records = linesOf(stdout).map((line) => JSON.parse(line) as { type: string });
    expect(new Set(records.map(({ type }) => type))).toEqual(new Set(["question", "verdict"]));
    expect(records.flatMap((record) => difference(record, fields(`doctor --ask: ${record.type}`)))).toEqual(
      [],
    );
  });

  test("subscriptions add, added and unchanged", async () => {
    const cwd = await project();
    const expected = { ...listed, ...fields("subscriptions add") };
    const argv = ["subscriptions", "add", JSON.stringify(sampleJson("laptop"))];
    expect(await check(cwd, argv, expected)).toEqual([]);
    expect(await check(cwd, argv, expected)).toEqual([]);
  });

  test("keys import, of a new pair and of the same", async () => {
    const cwd = await project();
    await runMain(["keys", "export", "--output", "pair.json"], { cwd });
    const argv = ["keys", "import", "pair.json"];
    expect(await check(cwd, argv, fields("keys import"))).toEqual([]);
    expect(
      await check(tempFolder(), ["keys", "import", join(cwd, "pair.json")], fields("keys import")),
    ).toEqual([]);
  });

  test("keys remove, of the pair before a rotation", async () => {
    const cwd = await project();
    const { stdout } = await runMain(["keys", "rotate", "--json"], { cwd, stdin: "" });
    const { previousPublicKey } = JSON.parse(stdout) as { previousPublicKey: string };
    expect(await check(cwd, ["keys", "remove", previousPublicKey, "--yes"], fields("keys remove"))).toEqual(
      [],
    );
    expect(await check(cwd, ["keys", "list"], fields("keys list"))).toEqual([]);
  });

  test("subscriptions import: refused entries, then counts", async () => {
    const cwd = await project();
    writeFileSync(join(cwd, "many.json"), JSON.stringify([sampleJson("third"), { endpoint: "nowhere" }]));
    const { stdout } = await runMain(["subscriptions", "import", "many.json", "--json"], { cwd });
    const [refused, counts, ...rest] = linesOf(stdout).map((line) => JSON.parse(line) as unknown);
    expect(difference(refused, fields("subscriptions import: refused"))).toEqual([]);
    expect(difference(counts, fields("subscriptions import: counts"))).toEqual([]);
    expect(rest).toEqual([]);
  });

  test("subscriptions check --online: asked and not asked", async () => {
    const cwd = await project();
    await using emulator = await startEmulator({
      clock: { now: () => Date.now() },
      random: seededRandom("probe"),
    });
    const json = JSON.stringify(sampleJson("at-fcm", { endpoint: `${emulator.origin}/fcm/send/nobody:x` }));
    await runMain(["subscriptions", "add", json, "--name", "at-fcm"], { cwd });
    const argv = ["subscriptions", "check", "--online", "--yes", "at-fcm", "phone", "--json"];
    const { stdout } = await runMain(argv, { cwd, stdin: "" });
    const records = linesOf(stdout).map((line) => JSON.parse(line) as { readonly probe: string });
    expect(records.map(({ probe }) => probe).sort()).toEqual(["gone", "not-asked"]);
    const expected = fields("subscriptions check: online");
    expect(records.flatMap((record) => difference(record, expected))).toEqual([]);
  });

  test("send: accepted, refused and skipped recipients", async () => {
    const random = seededRandom("json.test");
    await using emulator = await startEmulator({ clock: { now: () => Date.now() }, random });
    await using receiver = await subscribe(emulator.origin, {}, createReceiverKeys(random));
    const living = formatSubscription(receiver.subscription);
    const gone = { ...living, endpoint: `${living.endpoint}x` };
    const cwd = await project();
    const entries = [living, gone, { endpoint: "nowhere" }].map((entry) => JSON.stringify(entry));
    writeFileSync(join(cwd, "to.ndjson"), entries.join("\n"));
    const argv = ["send", "--to", "to.ndjson", "--to", "old", "Hello", "--json"];
    const { stdout, stderr } = await runMain(argv, { cwd });
    const records = linesOf(stdout).map((line) => JSON.parse(line) as { outcome: string });
    expect(records.length, stderr).toBe(4);
    expect(records.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(["accepted", "skipped"]));
    expect(records.flatMap((record) => difference(record, fields("send")))).toEqual([]);
  });
});

test("every name in an object that a command prints as JSON is in docs/json.md", () => {
  const page = readPage("docs/json.md");
  const unknown = readSourceTree()
    .filter(({ path }) => path.startsWith("commands/") || path === "cli/report.ts")
    .flatMap(({ path, tree }) => [...nodesOf(tree)].flatMap(namesPrinted).map((name) => ({ path, name })))
    .filter(({ name }) => !new RegExp(`[\`.]${name}[\`.]`).test(page));
  expect(unknown).toEqual([]);
});

/** Property names of an object literal that is turned into JSON on the spot. */
function namesPrinted(node: ts.Node): readonly string[] {
  if (!ts.isCallExpression(node)) return [];
  const callee = node.expression.getText();
  const [value] = node.arguments;
  if (!["JSON.stringify", "jsonLine"].includes(callee) || value === undefined) return [];
  if (!ts.isObjectLiteralExpression(value)) return [];
  return [...nodesOf(value)].flatMap((inner) => {
    const isMember = ts.isPropertyAssignment(inner) || ts.isShorthandPropertyAssignment(inner);
    return isMember && ts.isIdentifier(inner.name) ? [inner.name.text] : [];
  });
}
