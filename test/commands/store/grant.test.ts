/** The rights that `webpush store grant` gives, on a real PostgreSQL: each role can do its own, and nothing else. */
import PgBoss from "pg-boss";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Outcome, Turn } from "../../../src/campaigns/campaign.ts";
import { openCampaigns } from "../../../src/campaigns/campaigns.ts";
import { readHolds, reserve, writeHold } from "../../../src/campaigns/pace.ts";
import { openTurns } from "../../../src/campaigns/turns.ts";
import { openDatabase, type Database } from "../../../src/store/postgres/database.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { runJson, runMain } from "../../support/run-cli.ts";
import { sampleJson, samplePair } from "../../support/samples.ts";
import { samplePlan } from "../../support/sample-plan.ts";
import { storeReaders } from "../../support/stored-readers.ts";

const purposes = ["owner", "sender", "worker", "reader"] as const;

type Role = (typeof purposes)[number];

interface Opened {
  /** As the superuser. */
  readonly database: Database;
  readonly addressOf: (role: Role) => string;
  readonly nameOf: (role: Role) => string;
  readonly run: (role: Role, argv: readonly string[]) => ReturnType<typeof runJson>;
}

/** A database and four roles without any right but the owner's: to make schemas. */
async function openRoles(): Promise<Opened> {
  const { url, database } = await openTestDatabase({ migrated: false });
  const name = new URL(url).pathname.slice(1);
  const nameOf = (role: Role) => `${role}_of_${name}`;
  const all = purposes.map(nameOf).join(", ");
  for (const role of purposes) await database.script(`create role ${nameOf(role)} login`);
  await database.script(`grant create on database ${name} to ${nameOf("owner")}`);
  onTestFinished(async () => {
    await database.script(`drop owned by ${all} cascade; drop role ${all}`);
  });
  const addressOf = (role: Role): string => {
    const address = new URL(url);
    address.username = nameOf(role);
    return address.href;
  };
  const run = (role: Role, argv: readonly string[]) =>
    runJson(argv, { env: { WEBPUSH_STORE: addressOf(role) }, stdin: "" });
  return { database, addressOf, nameOf, run };
}

/** The same, migrated by the owner, who then gave the others their rights. */
async function openGranted(): Promise<Opened> {
  const opened = await openRoles();
  expect(await opened.run("owner", ["store", "migrate"])).toMatchObject({ exitCode: 0 });
  expect(await opened.run("owner", grantArguments(opened))).toMatchObject({ exitCode: 0 });
  return opened;
}

function grantArguments({ nameOf }: Pick<Opened, "nameOf">): readonly string[] {
  return [
    "store",
    "grant",
    ...(["sender", "worker", "reader"] as const).flatMap((role) => [`--${role}`, nameOf(role)]),
  ];
}

const ours = samplePair("ours").publicKey;

const environmentKeys = {
  VAPID_PRIVATE_KEY: samplePair("ours").privateKey.reveal(),
  VAPID_SUBJECT: "mailto:ops@harbour.shop",
};

function accepted(turn: Turn): readonly Outcome[] {
  const sent = { status: 201, refusedKey: undefined, madeWith: undefined };
  return turn.recipients.map((recipient) => ({ recipient, outcome: "accepted", cause: "ok", sent }));
}

async function createCampaign(
  database: Database,
  id: string,
  isQuery = false,
  leaseMs = 60_000,
): Promise<void> {
  await using campaigns = await openCampaigns(database);
  await campaigns.create(samplePlan(), {
    id,
    dueInMs: 0,
    leaseMs,
    ...(isQuery ? { recipients: storedRecords(database) } : {}),
  });
}

async function* storedRecords(database: Database) {
  const { createPostgresSubscriptionStore } =
    await import("../../../src/store/postgres/subscription-store.ts");
  yield* createPostgresSubscriptionStore(database).stream();
}

/** The application's own table, with one row. */
async function createReaders(admin: Database, url: string): Promise<void> {
  const { endpoint, keys } = sampleJson("ada", { endpoint: url });
  await admin.change({ text: "create table public.readers (endpoint text, p256dh text, auth text)" });
  await admin.change({
    text: "insert into public.readers values ($1, $2, $3)",
    values: [endpoint, keys.p256dh, keys.auth],
  });
}

const refused = { exitCode: 1, records: [{ error: { code: "store-forbidden" } }] };

describe.skipIf(!hasPostgres)("with the rights that store grant gives", () => {
  test("a sender stores, keeps keys, sends, and makes and steers campaigns", async () => {
    await using service = await AcceptingPushService.start();
    const { run, addressOf } = await openGranted();
    const [ada, bob] = ["ada", "bob"].map((name) =>
      JSON.stringify(sampleJson(name, { endpoint: service.endpoint(`/${name}`) })),
    );
    const commands: readonly (readonly string[])[] = [
      ["store", "status"],
      ["keys", "--subject", "mailto:ops@harbour.shop"],
      ["subscriptions", "add", ada ?? "", "--name", "ada"],
      ["subscriptions", "add", bob ?? "", "--name", "bob"],
      ["subscriptions", "tag", "news", "ada"],
      ["subscriptions", "rename", "bob", "bert"],
      ["subscriptions", "list"],
      ["send", "hi", "--to", "all", "--allow-host", "127.0.0.1"],
      ["keys", "rotate"],
      ["subscriptions", "remove", "bert", "--yes"],
    ];
    for (const argv of commands)
      expect(await run("sender", argv), argv.join(" ")).toMatchObject({ exitCode: 0 });
    expect(service.paths.toSorted()).toEqual(["/ada", "/bob"]);
    // A result that cannot be remembered is told, but fails no sending.
    const { records } = await run("sender", ["subscriptions", "list"]);
    expect(records).toMatchObject([{ name: "ada", lastResult: { outcome: "accepted" } }]);
    const queued = await run("sender", ["send", "--queue", "hi", "--to", "all"]);
    expect(queued).toMatchObject({ exitCode: 0, records: [{ recipients: 1 }] });
    const [{ id }] = queued.records as [{ readonly id: string }];
    for (const argv of [["list"], ["show", id], ["pause", id], ["resume", id], ["cancel", id, "--yes"]])
      expect(await run("sender", ["campaigns", ...argv]), argv.join(" ")).toMatchObject({ exitCode: 0 });
    await using database = openDatabase(addressOf("sender"));
    await createCampaign(database, "copied", true);
  });

  test("a sender keeps the results of a query", async () => {
    await using service = await AcceptingPushService.start();
    const { addressOf, nameOf, database: admin } = await openGranted();
    await createReaders(admin, service.endpoint("/ada"));
    await admin.script(`grant select on public.readers to ${nameOf("sender")}`);
    const env = {
      WEBPUSH_STORE: addressOf("sender"),
      WEBPUSH_QUERY: "select * from readers",
      ...environmentKeys,
    };
    for (const at of ["first", "again"]) {
      await admin.change({ text: "update webpush.foreign_results set outcome = 'unreachable'" });
      expect(await runJson(["send", "hi", "--allow-host", "127.0.0.1"], { env }), at).toMatchObject({
        exitCode: 0,
      });
      expect(await admin.query({ text: "select outcome from webpush.foreign_results" })).toEqual([
        { outcome: "accepted" },
      ]);
    }
  });

  test("a worker sends what a sender queued, and nobody else does", async () => {
    await using service = await AcceptingPushService.start();
    const { run, addressOf } = await openGranted();
    await run("sender", ["keys", "--subject", "mailto:ops@harbour.shop"]);
    const ada = JSON.stringify(sampleJson("ada", { endpoint: service.endpoint("/ada") }));
    await run("sender", ["subscriptions", "add", ada]);
    const { records } = await run("sender", ["send", "--queue", "hi", "--to", "all"]);
    const [{ id }] = records as [{ readonly id: string }];
    for (const role of ["sender", "reader"] as const) {
      const env = { WEBPUSH_STORE: addressOf(role), ...environmentKeys };
      expect(await runJson(["worker", "--until-idle"], { env }), role).toMatchObject(refused);
    }
    const toService = ["--allow-host", "127.0.0.1"];
    expect(await run("worker", ["worker", "--until-idle", ...toService])).toMatchObject({ exitCode: 0 });
    expect(service.paths).toEqual(["/ada"]);
    expect((await run("reader", ["campaigns", "show", id])).records).toMatchObject([{ state: "done" }]);
  });

  test("a worker reads keys, and mends, takes, records and finishes chunks", async () => {
    const { run, addressOf, database: admin } = await openGranted();
    expect(await run("sender", ["keys", "--subject", "mailto:ops@harbour.shop"])).toMatchObject({
      exitCode: 0,
    });
    await storeReaders(admin, { count: 5 });
    await createCampaign(admin, "own");
    await createCampaign(admin, "copied", true);
    await using database = openDatabase(addressOf("worker"));
    await using turns = await openTurns(database, { worker: "one", version: "1" });
    await admin.change({ text: "delete from webpush_queue.job" });
    await turns.tend();
    for (const turn of await turns.take(2, [ours])) {
      const [first, ...others] = accepted(turn);
      if (first?.sent == null) throw new Error("unreachable");
      const gone = {
        ...first,
        outcome: "gone",
        cause: "gone",
        sent: { ...first.sent, status: 410, madeWith: ours },
      };
      expect(await turns.record(turn, [gone, ...others])).toBe(true);
      expect(await turns.finish(turn, [{ recipient: gone.recipient, cause: "gone" }])).toBe(true);
    }
    expect(await turns.isIdle()).toBe(true);
    expect(await turns.states(["own", "copied"])).toEqual(
      new Map([
        ["own", "done"],
        ["copied", "done"],
      ]),
    );
    await writeHold(database, {
      origin: "https://push.example.net",
      forMs: 60_000,
      cause: "throttled",
      reason: undefined,
    });
    expect(await readHolds(database)).toHaveLength(1);
    await reserve(database, [{ key: "https://push.example.net", perSecond: 10 }], 5);
    expect(await run("worker", ["store", "status"])).toMatchObject({ exitCode: 0, records: [{ keys: 1 }] });
    expect((await run("worker", ["keys", "list"])).records).toContainEqual(
      expect.objectContaining({ status: "current" }),
    );
  });

  test("a worker does what pg-boss does by the way: a lost lease, old jobs", async () => {
    const { addressOf, database: admin } = await openGranted();
    await storeReaders(admin, { count: 1 });
    await createCampaign(admin, "lost", false, 1000);
    await using database = openDatabase(addressOf("worker"));
    await using turns = await openTurns(database, { worker: "one", version: "1", maintenanceSeconds: 1 });
    expect(await turns.take(1, [ours])).toHaveLength(1);
    // Its maintenance tells failures to a listener only, so it is asked for here as well.
    const db = { executeSql: async (text: string) => ({ rows: [...(await database.script(text))] }) };
    const boss = new PgBoss({
      db,
      schema: "webpush_queue",
      migrate: false,
      schedule: false,
      supervise: false,
    });
    await boss.start();
    await admin.change({ text: "update webpush_queue.job set started_on = now() - interval '1 day'" });
    await boss.maintain();
    await admin.change({
      text: "update webpush_queue.job set state = 'completed', completed_on = now() - interval '9 days'",
    });
    await boss.maintain();
    expect(await admin.query({ text: "select 1 from webpush_queue.archive" })).toHaveLength(1);
    await boss.stop({ graceful: false, close: false });
    await vi.waitUntil(async () => {
      const [row] = await admin.query<{ readonly recent: boolean }>({
        text: "select maintained_on > now() - interval '1 minute' as recent from webpush_queue.version",
      });
      return row?.recent === true;
    }, 20_000);
  });

  test("a reader lists and watches", async () => {
    const { run, database: admin } = await openGranted();
    await storeReaders(admin, { count: 3 });
    await createCampaign(admin, "news");
    expect(await run("reader", ["subscriptions", "list"])).toMatchObject({ exitCode: 0 });
    expect(await run("reader", ["store", "status"])).toMatchObject({
      exitCode: 0,
      records: [{ subscriptions: 3, keys: null }],
    });
    expect(await run("reader", ["campaigns", "list"])).toMatchObject({
      exitCode: 0,
      records: [{ id: "news" }],
    });
    expect(await run("reader", ["campaigns", "show", "news"])).toMatchObject({ exitCode: 0 });
    await admin.change({ text: "update webpush.campaigns set state = 'done', finished_at = now()" });
    expect((await run("reader", ["campaigns", "watch", "news"])).records).toMatchObject([{ state: "done" }]);
  });

  test.each<[Role, readonly string[]]>([
    ["sender", ["store", "migrate"]],
    ["worker", ["store", "migrate"]],
    ["worker", ["keys", "--subject", "mailto:ops@harbour.shop"]],
    ["worker", ["subscriptions", "add", JSON.stringify(sampleJson("ada"))]],
    ["reader", ["store", "migrate"]],
    ["reader", ["keys", "--subject", "mailto:ops@harbour.shop"]],
    ["reader", ["subscriptions", "add", JSON.stringify(sampleJson("ada"))]],
    ["reader", ["store", "grant", "--reader", "webpush"]],
  ])("a %s is refused %j", async (role, argv) => {
    const { run } = await openGranted();
    expect(await run(role, argv)).toMatchObject(refused);
  });

  test("only a worker takes chunks, and only a sender makes and steers campaigns", async () => {
    const { run, addressOf, database: admin } = await openGranted();
    await storeReaders(admin, { count: 1 });
    await createCampaign(admin, "news");
    for (const role of ["sender", "reader"] as const) {
      await using database = openDatabase(addressOf(role));
      await using turns = await openTurns(database, { worker: role, version: "1" });
      await expect(turns.take(1, [ours])).rejects.toMatchObject({ code: "store-forbidden" });
      await expect(turns.tend()).rejects.toMatchObject({ code: "store-forbidden" });
    }
    for (const role of ["worker", "reader"] as const) {
      await using database = openDatabase(addressOf(role));
      await expect(createCampaign(database, "more")).rejects.toMatchObject({ code: "store-forbidden" });
    }
    for (const argv of [
      ["pause", "news"],
      ["resume", "news"],
      ["cancel", "news", "--yes"],
    ])
      expect(await run("reader", ["campaigns", ...argv]), argv.join(" ")).toMatchObject(refused);
    await using database = openDatabase(addressOf("reader"));
    await expect(database.query({ text: "select private_key from webpush.key_pairs" })).rejects.toMatchObject(
      {
        code: "store-forbidden",
      },
    );
  });

  test("a role that may only read the application's table sends by a query, without the schema webpush", async () => {
    await using service = await AcceptingPushService.start();
    const { addressOf, nameOf, database: admin } = await openRoles();
    await createReaders(admin, service.endpoint("/ada"));
    const env = {
      WEBPUSH_STORE: addressOf("reader"),
      WEBPUSH_QUERY: "select * from readers",
      ...environmentKeys,
    };
    expect(await runJson(["send", "hi"], { env })).toMatchObject(refused);
    await admin.script(`grant select on public.readers to ${nameOf("reader")}`);
    const send = ["send", "hi", "--allow-host", "127.0.0.1"];
    expect(await runJson(send, { env })).toMatchObject({ exitCode: 0 });
    expect(service.paths).toEqual(["/ada"]);
  });
});

describe.skipIf(!hasPostgres)("webpush store grant", () => {
  test("says who has which rights", async () => {
    const { nameOf, addressOf, run } = await openRoles();
    await run("owner", ["store", "migrate"]);
    const env = { WEBPUSH_STORE: addressOf("owner") };
    const { exitCode, stdout, stderr } = await runMain(["store", "grant", "--worker", nameOf("worker")], {
      env,
    });
    expect([exitCode, stdout]).toEqual([0, ""]);
    expect(stderr).toContain(`${nameOf("worker")} has the rights of a worker`);
  });

  test("--dry-run prints the SQL that does the same, and asks no database", async () => {
    const opened = await openRoles();
    const { addressOf, run, database: admin } = opened;
    await run("owner", ["store", "migrate"]);
    const { stdout } = await runMain([...grantArguments(opened), "--dry-run"]);
    expect(await run("reader", ["subscriptions", "list"])).toMatchObject(refused);
    await using owner = openDatabase(addressOf("owner"));
    await owner.script(stdout);
    const byHand = await rightsIn(admin);
    expect(await run("reader", ["subscriptions", "list"])).toMatchObject({ exitCode: 0 });
    await run("owner", grantArguments(opened));
    expect(await rightsIn(admin)).toEqual(byHand);
  });

  test("takes away what a role had beside", async () => {
    const { nameOf, run, database } = await openGranted();
    await run("owner", ["store", "grant", "--reader", nameOf("sender")]);
    expect(await run("sender", ["subscriptions", "add", JSON.stringify(sampleJson("ada"))])).toMatchObject(
      refused,
    );
    await run("owner", ["store", "grant", "--reader", nameOf("sender"), "--worker", nameOf("sender")]);
    await using both = openDatabase(database.shown.replace("webpush@", `${nameOf("sender")}@`));
    await using turns = await openTurns(both, { worker: "one", version: "1" });
    expect(await turns.take(1, [ours])).toEqual([]);
  });

  test("quotes names", async () => {
    const { stdout } = await runMain([
      "store",
      "grant",
      "--reader",
      'a"; drop schema webpush; --',
      "--dry-run",
    ]);
    expect(stdout).toContain('to "a""; drop schema webpush; --";');
  });

  test.each<[string, readonly string[], number, string]>([
    ["no role", [], 2, "grant-roles"],
    ["a role that is not there", ["--worker", "nobody-here"], 2, "role-unknown"],
  ])("refuses %s", async (_what, argv, exitCode, code) => {
    const { run } = await openGranted();
    const ran = await run("owner", ["store", "grant", ...argv]);
    expect(ran).toMatchObject({ exitCode, records: [{ error: { code } }] });
  });

  test("wants the schema to be there", async () => {
    const opened = await openRoles();
    const { records } = await opened.run("owner", grantArguments(opened));
    expect(records).toMatchObject([{ error: { code: "store-not-migrated" } }]);
  });
});

/** All rights on tables and columns of both schemas. */
async function rightsIn(database: Database): Promise<readonly unknown[]> {
  return database.query({
    text: `select n.nspname, c.relname, c.relacl::text, n.nspacl::text,
  array(select a.attacl::text from pg_attribute a where a.attrelid = c.oid and a.attacl is not null order by a.attnum) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('webpush', 'webpush_queue') order by 1, 2`,
  });
}
