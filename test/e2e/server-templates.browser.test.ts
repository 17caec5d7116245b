/**
 * The scaffolded servers with the scaffolded page in a stock browser on the emulator: each is subscribed at, sends,
 * lives through a rotation of the keys, prunes, and lets go. The browser is the same for all of them.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BrowserName, RunningBrowser } from "../../src/browsers/browser.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { serverKinds, type ServerKind } from "../../src/scaffold/answers.ts";
import { isInstalled, nextNotification, openEmulated } from "../browsers/emulated.ts";
import { runMain } from "../support/run-cli.ts";
import { runScript, scaffoldServer, startServer } from "../support/scaffolded-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { visit, type Visitor } from "../support/visitor.ts";

const sendToken = "0123456789abcdef0123456789abcdef";
const isIn = (state: string) => `document.getElementById("main")?.dataset.state === ${JSON.stringify(state)}`;

interface Seat {
  readonly emulator: Emulator;
  readonly browser: RunningBrowser;
  readonly visitor: Visitor;
}

async function takeSeat(name: BrowserName): Promise<Seat> {
  const { emulator, open } = await openEmulated();
  const browser = await open({ name, url: "about:blank", remoteDebugging: true });
  const visitor = await visit(browser);
  onTestFinished(() => visitor[Symbol.asyncDispose]());
  return { emulator, browser, visitor };
}

/** How the server reaches the emulator: for Google's endpoints it is the proxy, its own are on this machine. */
function wayTo({ emulator, browser }: Seat) {
  const authority = join(tempFolder(), "ca.pem");
  writeFileSync(authority, emulator.tls.caPem);
  const way = browser.name === "firefox" ? { PUSH_ALLOW_LOOPBACK: "1" } : { HTTPS_PROXY: emulator.origin };
  return { NODE_EXTRA_CA_CERTS: authority, ...way };
}

function query(database: string, sql: string): readonly unknown[] {
  const db = new Database(database);
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

function countIn(database: string): number {
  return query(database, "SELECT 1 FROM subscriptions").length;
}

async function playThrough(kind: ServerKind, seat: Seat): Promise<void> {
  const { browser, visitor } = seat;
  const { cwd, home, database, configure } = await scaffoldServer(kind);
  const env = wayTo(seat);
  const settings = { PORT: "0", SEND_TOKEN: sendToken, PRUNE_AFTER_DAYS: "0" };
  const old = await configure(settings);
  let server = await startServer(home, env);
  const { port } = server;
  const titleOf = async () => (await nextNotification(browser)).title;
  const sendToAll = (title: string) => runScript(home, ["send.js", title], { PORT: port });

  // Subscribed at a click, tested from the page, and one of everybody.
  await visitor.goto(`${server.origin}/`);
  await visitor.until(isIn("off"));
  await visitor.click("#action");
  await visitor.until(isIn("on"));
  expect(countIn(database)).toBe(1);
  await visitor.click("#action");
  expect(await titleOf()).toBe("Test push");
  expect(await server.logged("tested")).toMatchObject({ outcome: "accepted" });
  await server.logged("beacon");
  const sent = await sendToAll("Order shipped");
  expect(sent, sent.stderr).toMatchObject({ exitCode: 0 });
  expect(sent.stdout).toContain("1 accepted, 0 gone, 0 failed");
  expect(await titleOf()).toBe("Order shipped");

  // The keys are rotated: the old subscription still gets what is sent, until the page makes a new one.
  await server.stop();
  expect((await runMain(["keys", "rotate", "--yes"], { cwd })).exitCode).toBe(0);
  const current = await configure({
    ...settings,
    PORT: port,
    VAPID_OLD_KEYS: String(old["VAPID_PRIVATE_KEY"]),
  });
  expect(current["VAPID_PUBLIC_KEY"]).not.toBe(old["VAPID_PUBLIC_KEY"]);
  server = await startServer(home, env);
  expect((await sendToAll("With the old key")).stdout).toContain("1 accepted");
  expect(await titleOf()).toBe("With the old key");
  await visitor.goto(`${server.origin}/`);
  await server.logged("subscribed");
  await visitor.until(isIn("on"));
  expect(query(database, "SELECT application_server_key FROM subscriptions")).toEqual([
    expect.objectContaining({ application_server_key: current["VAPID_PUBLIC_KEY"] }),
  ]);
  expect((await sendToAll("With the new key")).stdout).toContain("1 accepted");
  expect(await titleOf()).toBe("With the new key");

  // The browser forgets by itself: an hour later, that is the end of it.
  await visitor.evaluate(
    "navigator.serviceWorker.getRegistration().then((r) => r.pushManager.getSubscription()).then((s) => s.unsubscribe())",
  );
  query(database, "UPDATE subscriptions SET registered_at = registered_at - 3600000");
  expect((await sendToAll("Anybody there?")).stdout).toContain("0 accepted, 1 gone");
  expect(countIn(database)).toBe(0);

  // The next visit repairs it; turned off, nothing is left.
  await visitor.goto(`${server.origin}/`);
  await visitor.until(isIn("on"));
  expect(countIn(database)).toBe(1);
  await visitor.click("#off");
  await visitor.until(isIn("off"));
  expect(countIn(database)).toBe(0);
  expect((await server.stop()).exitCode).toBe(0);
}

describe.each<[BrowserName, readonly ServerKind[]]>([
  ["chromium", serverKinds],
  ["firefox", ["node"]],
])("in %s", (name, kinds) => {
  test.skipIf(!isInstalled(name))(
    `the servers with ${kinds.join(", ")} serve, store, send, rotate and prune`,
    { timeout: 240_000 },
    async () => {
      const seat = await takeSeat(name);
      for (const kind of kinds) await playThrough(kind, seat);
      expect(seat.visitor.log.filter((line) => line.startsWith("error"))).toEqual([]);
    },
  );
});
