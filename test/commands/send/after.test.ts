import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { locateProject } from "../../../src/store/project.ts";
import { createSubscriptionStore } from "../../../src/store/subscription-file.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { ConnectProxy } from "../../support/connect-proxy.ts";
import { ScriptedPushService, testCertificate, type Reply } from "../../support/scripted-push-service.ts";
import {
  createBrowser,
  createGate,
  openProject,
  sendJson,
  storedIn,
  type ProjectOptions,
} from "./sending.ts";

const storeFile = (cwd: string): string => join(cwd, ".webpush", "subscriptions.json");

/** Sends to one stored browser per reply, one after the other; answers what is stored afterwards. */
async function sendTo(
  replies: readonly Reply[],
  argv: readonly string[] = [],
  project: Omit<ProjectOptions, "browsers"> = {},
) {
  await using service = await ScriptedPushService.start(...replies);
  const browsers = replies.map((_, index) =>
    createBrowser(service.endpoint(`/${index}`), { name: `b${index}` }),
  );
  const cwd = await openProject({ browsers, ...project });
  const ran = await runMain(["send", "hi", "--concurrency", "1", ...argv], { cwd, stdin: "" });
  return { ...ran, cwd, stored: await storedIn(cwd) };
}

const twentyReplies = (gone: number): Reply[] =>
  Array.from({ length: 20 }, (_, index) => (index < gone ? { status: 410 } : {}));

describe("what is remembered", () => {
  test("the last result of each, in the service's terms", async () => {
    const before = Date.now();
    const { stored } = await sendTo([{}, { status: 503 }, { status: 403 }]);
    expect(stored.get("b0")?.lastResult).toMatchObject({ outcome: "accepted", cause: "ok", status: 201 });
    expect(stored.get("b1")?.lastResult).toMatchObject({
      outcome: "unavailable",
      cause: "http.5xx",
      status: 503,
    });
    expect(stored.get("b2")?.lastResult).toMatchObject({
      outcome: "rejected",
      cause: "http.403",
      status: 403,
    });
    expect(stored.get("b0")?.lastResult?.at).toBeGreaterThanOrEqual(before);
    expect([...stored.values()].map(({ gone }) => gone)).toEqual([undefined, undefined, undefined]);
  });

  test("nothing of subscriptions that are not stored", async () => {
    await using service = await ScriptedPushService.start({ status: 410 });
    const cwd = await openProject({
      browsers: [createBrowser(service.endpoint("/stored"), { name: "stored" })],
    });
    const before = readFileSync(storeFile(cwd), "utf8");
    const { json } = createBrowser(service.endpoint("/given"));
    expect((await runMain(["send", "hi", "--subscription", json], { cwd })).exitCode).toBe(5);
    expect(readFileSync(storeFile(cwd), "utf8")).toBe(before);
  });
});

describe("who is marked gone", () => {
  test.each([404, 410])("whoever the service calls so with %i, and is not sent to again", async (status) => {
    const { stored, stderr, cwd } = await sendTo([{ status }, {}]);
    expect(stored.get("b0")?.gone).toMatchObject({ cause: `http.${status}` });
    expect(stderr).toContain("marked 1 subscription gone; forget for good: webpush subscriptions prune");
    const { stdout } = await runMain(["send", "hi", "--dry-run"], { cwd });
    expect(linesOf(stdout)[0]).toBe("b1");
  });

  test.each([400, 401, 403, 406, 413, 429, 500, 503])("nobody for a bare %i", async (status) => {
    const { stored } = await sendTo([{ status }]);
    expect(stored.get("b0")?.gone).toBeUndefined();
  });

  test("nobody with --no-prune, and their result is kept", async () => {
    const { stored, stderr } = await sendTo([{ status: 410 }], ["--no-prune"]);
    expect(stored.get("b0")).toMatchObject({ gone: undefined, lastResult: { outcome: "gone" } });
    expect(stderr).not.toContain("removed");
  });

  test("nobody who registered a moment ago: the run is partial", async () => {
    await using service = await ScriptedPushService.startTls({ status: 410 }, {});
    await using proxy = await ConnectProxy.start({ to: service.port });
    const browsers = ["b0", "b1"].map((name) => createBrowser(`https://push.test/${name}`, { name }));
    const cwd = await openProject({ browsers, ageMs: 10_000 });
    writeFileSync(join(cwd, "ca.pem"), testCertificate);
    const argv = ["send", "hi", "--concurrency", "1", "--proxy", proxy.url, "--ca", "ca.pem"];
    const { exitCode, stderr } = await runMain(argv, { cwd, stdin: "" });
    expect((await storedIn(cwd)).get("b0")?.gone).toBeUndefined();
    expect(stderr).toContain("kept 1 subscription called gone but registered just now; try again later");
    expect(exitCode).toBe(3);
  });

  test("who registered a moment ago at an emulator on this machine, which knows", async () => {
    const { exitCode, stored } = await sendTo([{ status: 410 }, {}], [], { ageMs: 0 });
    expect(stored.get("b0")?.gone).toBeDefined();
    expect(exitCode).toBe(0);
  });

  test.each([
    ["nobody Apple calls gone since before they registered", -7_200_000, false],
    ["whom Apple calls gone since after they registered", -60_000, true],
  ])("%s", async (_name, offset, isGone) => {
    const body = JSON.stringify({ reason: "Unregistered", timestamp: Date.now() + offset });
    const { stored } = await sendTo([{ status: 410, body }]);
    expect(stored.get("b0")?.gone !== undefined).toBe(isGone);
  });

  test("nobody when a service calls more than half of twenty gone at once: the run is partial", async () => {
    const { exitCode, stored, stderr } = await sendTo(twentyReplies(11));
    expect([...stored.values()].filter(({ gone }) => gone !== undefined)).toEqual([]);
    expect(stderr).toMatch(/kept all: http:\/\/127\.0\.0\.1:\d+ called 11 of 20 gone at once/);
    expect(exitCode).toBe(3);
  });

  test("half of twenty are believed", async () => {
    const { exitCode, stored } = await sendTo(twentyReplies(10));
    expect([...stored.values()].filter(({ gone }) => gone !== undefined).length).toBe(10);
    expect(exitCode).toBe(0);
  });

  test("made-up endpoints, however many and however young: nobody needs to be asked about those", async () => {
    await using service = await ScriptedPushService.start({});
    const made = Array.from({ length: 25 }, (_, index) =>
      createBrowser(`https://permanently-removed.invalid/${index}`, { name: `gone${index}` }),
    );
    const cwd = await openProject({
      browsers: [createBrowser(service.endpoint(), { name: "phone" }), ...made],
      ageMs: 0,
    });
    const { exitCode } = await runMain(["send", "hi"], { cwd });
    const stored = await storedIn(cwd);
    expect([...stored.values()].filter(({ gone }) => gone !== undefined).length).toBe(25);
    expect(exitCode).toBe(0);
  });
});

describe("what happens meanwhile", () => {
  /** Sends to one stored browser whose service says 410 only after `meanwhile`. */
  async function sendAndMeanwhile(
    meanwhile: (cwd: string, endpoint: string) => unknown,
    reply: Reply = { status: 410 },
  ) {
    const done = createGate();
    await using service = await ScriptedPushService.start({ ...reply, after: done.opened });
    const browser = createBrowser(service.endpoint(), { name: "phone" });
    const cwd = await openProject({ browsers: [browser] });
    const running = runMain(["send", "hi"], { cwd, stdin: "" });
    await service.received(1);
    await meanwhile(cwd, browser.subscription.endpoint);
    done.open();
    return { ...(await running), cwd };
  }

  test("a run remembers where it began, whatever the setting says by then", async () => {
    const { cwd, exitCode } = await sendAndMeanwhile(
      (folder) => runMain(["config", "set", "store", "postgres://127.0.0.1:1/elsewhere"], { cwd: folder }),
      {},
    );
    expect(exitCode).toBe(0);
    expect((await storedIn(cwd)).get("phone")?.lastResult).toMatchObject({ outcome: "accepted" });
  });

  test("a page that registers again is not marked gone by the answer for its older registration", async () => {
    const { cwd } = await sendAndMeanwhile((folder, endpoint) => {
      const store = createSubscriptionStore(
        locateProject({ cwd: folder, configDir: undefined, profile: undefined }),
      );
      const fresh = createBrowser(endpoint, { keys: createBrowserKeys() });
      return store.add([{ subscription: fresh.subscription, name: "phone", tags: [] }], Date.now());
    });
    expect((await storedIn(cwd)).get("phone")).toMatchObject({ gone: undefined, lastResult: undefined });
  });

  test("a store that was removed is not brought back", async () => {
    const { cwd, exitCode } = await sendAndMeanwhile((folder) => {
      rmSync(storeFile(folder));
    });
    expect((await storedIn(cwd)).size).toBe(0);
    expect(exitCode).toBe(5);
  });

  test.each<[string, Reply, number]>([
    ["accepted", {}, 0],
    ["gone", { status: 410 }, 5],
    ["to try later", { status: 503 }, 6],
  ])(
    "a store that cannot be written hides no result and spoils no exit code: %s",
    async (_name, reply, code) => {
      const { cwd, exitCode, stdout, stderr } = await sendAndMeanwhile((folder) => {
        writeFileSync(storeFile(folder), "{ damaged");
      }, reply);
      expect(linesOf(stdout)[1]).toContain("phone");
      expect(stderr).toContain("warning: the results could not be stored: ");
      expect(stderr).toContain("hint: repair the file");
      expect(stderr).toContain("1 in all: ");
      expect(readFileSync(storeFile(cwd), "utf8")).toBe("{ damaged");
      expect(exitCode).toBe(code);
    },
  );

  test("nor does it cost a record with --json", async () => {
    const gate = createGate();
    await using service = await ScriptedPushService.start({ after: gate.opened });
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const running = sendJson(["hi"], { cwd });
    await service.received(1);
    writeFileSync(storeFile(cwd), "{ damaged");
    gate.open();
    const { exitCode, records, stderr } = await running;
    expect(records.map(({ name, outcome }) => [name, outcome])).toEqual([["phone", "accepted"]]);
    expect(stderr).toContain("warning: the results could not be stored: ");
    expect(exitCode).toBe(0);
  });

  // root may write everywhere
  test.skipIf(process.getuid?.() === 0)("nor does a folder that may only be read", async () => {
    await using service = await ScriptedPushService.start({});
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    chmodSync(join(cwd, ".webpush"), 0o500);
    const { exitCode, stdout, stderr } = await runMain(["send", "hi"], { cwd });
    chmodSync(join(cwd, ".webpush"), 0o700);
    expect(linesOf(stdout)[1]).toContain("accepted");
    expect(stderr).toContain("warning: the results could not be stored: ");
    expect(exitCode).toBe(0);
  });
});

function createBrowserKeys() {
  const { p256dh, auth } = createBrowser("http://127.0.0.1:9/another").subscription;
  return { p256dh, auth: auth.reveal() };
}
