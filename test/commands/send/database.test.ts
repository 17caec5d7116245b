/**
 * Sending to subscriptions in a database: more than a command may hold at once.
 */
import { describe, expect, test } from "vitest";
import { createPostgresSubscriptionStore } from "../../../src/store/postgres/subscription-store.ts";
import type { Addition } from "../../../src/store/subscriptions.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { sampleSubscription } from "../../support/samples.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { openProject } from "./sending.ts";

const anHourAgo = Date.now() - 3_600_000;

interface Reader extends Partial<Addition> {
  readonly endpoint: string;
}

/** A project with keys whose subscriptions are in a database. */
async function openStored(readers: readonly Reader[]) {
  const { url, database } = await openTestDatabase();
  const store = createPostgresSubscriptionStore(database);
  await store.add(
    readers.map(({ endpoint, name, tags = [] }) => ({
      subscription: sampleSubscription("reader", { endpoint }),
      name,
      tags,
    })),
    anHourAgo,
  );
  const cwd = await openProject();
  const send = (...argv: string[]) =>
    runMain(["send", "hi", "--allow-host", "127.0.0.1", ...argv], { cwd, env: { WEBPUSH_STORE: url } });
  return { store, url, cwd, send };
}

describe.skipIf(!hasPostgres)("subscriptions in a database", () => {
  test("are sent to and remembered, each once, when there are more than are held", async () => {
    await using service = await AcceptingPushService.start();
    const paths = Array.from({ length: 2300 }, (_, index) => `/${index}`);
    const { send, store } = await openStored(paths.map((path) => ({ endpoint: service.endpoint(path) })));
    const { exitCode, stderr } = await send();
    expect(linesOf(stderr).at(-1)).toBe("2300 in all: 2300 accepted");
    expect(exitCode).toBe(0);
    expect(service.paths.toSorted()).toEqual(paths.toSorted());
    const outcomes = (await store.list()).map(({ lastResult }) => lastResult?.outcome);
    expect(outcomes).toEqual(paths.map(() => "accepted"));
  });

  test("are sent to once by name, tag and list", async () => {
    await using service = await AcceptingPushService.start();
    const { send } = await openStored([
      { endpoint: service.endpoint("/ada"), name: "ada", tags: ["news"] },
      { endpoint: service.endpoint("/bob"), name: "bob", tags: ["news"] },
      { endpoint: service.endpoint("/carl"), name: "carl" },
    ]);
    expect(await send("--to", "tag:news", "--to", "ada")).toMatchObject({ exitCode: 0 });
    expect(service.paths.toSorted()).toEqual(["/ada", "/bob"]);
    expect(await send("--to", "carl")).toMatchObject({ exitCode: 0 });
    expect(service.paths).toHaveLength(3);
  });

  test("that say they are on this machine are not sent to unasked", async () => {
    await using service = await AcceptingPushService.start();
    const { cwd, url } = await openStored([{ endpoint: service.endpoint("/ada"), name: "ada" }]);
    const { exitCode, stderr } = await runMain(["send", "hi"], { cwd, env: { WEBPUSH_STORE: url } });
    expect(stderr).toContain("127.0.0.1 is this machine");
    expect(stderr).toContain("--allow-host");
    expect(exitCode).toBe(1);
    expect(service.paths).toEqual([]);
  });

  test("that nobody knows are said to be unknown", async () => {
    const { send } = await openStored([{ endpoint: "https://push.example.net/ada", tags: ["news"] }]);
    for (const to of ["bob", "tag:nwes"]) {
      const { exitCode, stderr } = await send("--to", to);
      expect(stderr).toContain(`no stored subscription is "${to}"`);
      expect(exitCode).toBe(2);
    }
  });

  test("that are gone are marked at the end, and left out the next time", async () => {
    await using service = await ScriptedPushService.start({ status: 410 });
    const { send, store } = await openStored([{ endpoint: service.endpoint("/ada"), name: "ada" }]);
    expect((await send()).stderr).toContain("marked 1 subscription gone");
    expect(await store.count()).toEqual({ total: 1, gone: 1 });
    const again = await send();
    expect(again.stderr).toContain("all of them are gone");
    expect(again.exitCode).toBe(2);
  });

  test("of a query end with a run that never came to read them all", async () => {
    const { url, cwd } = await openStored([]);
    const { p256dh, auth } = sampleSubscription("reader");
    const query = `select 'https://push.example.net/' || n as endpoint, '${p256dh}' as p256dh,
      '${auth.reveal()}' as auth from generate_series(1, 5000) n`;
    const env = { WEBPUSH_STORE: url, WEBPUSH_QUERY: query };
    const { exitCode, stderr } = await runMain(["send", "x".repeat(5000)], { cwd, env });
    expect(stderr).toContain("error:");
    expect(exitCode).toBe(2);
  });

  test("are listed as records, however many", async () => {
    const readers = Array.from({ length: 1200 }, (_, index) => ({
      endpoint: `https://push.example.net/${index}`,
      tags: index % 2 === 0 ? ["even"] : [],
    }));
    const { cwd, url } = await openStored(readers);
    const argv = ["subscriptions", "list", "--tag", "even", "--json"];
    const { stdout } = await runMain(argv, { cwd, env: { WEBPUSH_STORE: url } });
    expect(linesOf(stdout)).toHaveLength(600);
  });
});
