/** Commands about more subscriptions than they may hold at once. */
import { describe, expect, test, vi } from "vitest";
import { run as remove } from "../../../src/commands/subscriptions/remove.ts";
import { createPostgresSubscriptionStore } from "../../../src/store/postgres/subscription-store.ts";
import { collected } from "../../../src/store/selector.ts";
import type { SubscriptionStore } from "../../../src/store/subscriptions.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { sampleEndpoint } from "../../support/samples.ts";
import { registered, storeReaders } from "../../support/stored-readers.ts";
import { testContext } from "../../support/test-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const count = 2_300;

/** A database of readers, every third of them tagged `news`. */
async function openReaders() {
  const { url, database } = await openTestDatabase();
  await storeReaders(database, { count, tags: (reader) => (reader % 3 === 0 ? ["news"] : []) });
  const cwd = tempFolder();
  return {
    store: createPostgresSubscriptionStore(database),
    subscriptions: (...argv: string[]) =>
      runMain(["subscriptions", ...argv], { cwd, env: { WEBPUSH_STORE: url } }),
  };
}

describe.skipIf(!hasPostgres)("of a database", () => {
  test("list shows all under one head", async () => {
    const { subscriptions } = await openReaders();
    const { stdout, exitCode } = await subscriptions("list");
    const [head, ...lines] = linesOf(stdout);
    expect(head).toMatch(/^id +name +tags +service/);
    expect(lines.map((line) => line.split(/ +/)[1])).toEqual(
      Array.from({ length: count }, (_, index) => `reader-${index + 1}`),
    );
    expect(exitCode).toBe(0);
  });

  test("tag puts all in a group, and takes those of a group out of it", async () => {
    const { subscriptions, store } = await openReaders();
    expect((await subscriptions("tag", "beta", "all")).stderr).toBe("2300 subscriptions in tag:beta\n");
    expect(await collected(store.stream({ tag: "beta" }))).toHaveLength(count);
    const out = await subscriptions("tag", "beta", "tag:news", "--remove");
    expect(out.stderr).toBe("766 subscriptions out of tag:beta\n");
    expect(await collected(store.stream({ tag: "beta" }))).toHaveLength(count - 766);
  });

  test("remove takes each once, whatever it is named by", async () => {
    const { subscriptions, store } = await openReaders();
    await subscriptions("tag", "beta", "reader-3", "reader-4");
    const named = ["tag:news", "tag:beta", "reader-3", "reader-5"];
    const { stdout } = await subscriptions("remove", ...named, "--yes", "--json");
    const names = linesOf(stdout).map((line) => (JSON.parse(line) as { readonly name: string }).name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(766 + 2);
    expect(await store.count()).toEqual({ total: count - 768, gone: 0 });
    expect((await subscriptions("remove", "all", "--yes")).stderr).toBe("removed 1532 subscriptions\n");
    expect(await store.count()).toEqual({ total: 0, gone: 0 });
  });

  test("remove changes nothing while one of those named is unknown, or nobody says yes", async () => {
    const { subscriptions, store } = await openReaders();
    for (const [which, what] of [
      [["all", "nobody"], 'no stored subscription is "nobody"'],
      [["tag:news", "tag:nobody"], 'no stored subscription is "tag:nobody"'],
    ] as const) {
      const { stderr, exitCode } = await subscriptions("remove", ...which, "--yes");
      expect(stderr).toContain(what);
      expect(exitCode).toBe(2);
    }
    expect((await subscriptions("remove", "all")).stderr).toContain("would remove 2300 subscriptions");
    expect((await store.count()).total).toBe(count);
  });

  test("what is stopped between two batches says how far it came", async () => {
    const { store } = await openReaders();
    const context = await testContext();
    const subscriptions: SubscriptionStore = {
      ...store,
      remove(endpoints, isDoomed) {
        context.interrupts.stop();
        return store.remove(endpoints, isDoomed);
      },
    };
    expect(await remove({ which: ["all"], yes: true }, { ...context, subscriptions })).toBe(130);
    expect(context.stderr).toEqual(["removed 1000 subscriptions"]);
    expect((await store.count()).total).toBe(count - 1_000);
  });

  test("prune forgets those marked gone, and no others", async () => {
    const { subscriptions, store } = await openReaders();
    await markGone(store, 1_200);
    const look = await subscriptions("prune", "--dry-run", "--json");
    expect(linesOf(look.stdout)).toHaveLength(1_200);
    const { stderr, exitCode } = await subscriptions("prune", "--yes");
    expect(stderr).toContain("1200 of 2300 subscriptions to forget for good:");
    expect(linesOf(stderr).at(-1)).toBe("forgot 1200 subscriptions");
    expect(exitCode).toBe(0);
    expect(await store.count()).toEqual({ total: count - 1_200, gone: 0 });
  });

  test("check finds what is wrong with each", async () => {
    const { subscriptions, store } = await openReaders();
    await markGone(store, 1_200);
    const { stdout, stderr, exitCode } = await subscriptions("check", "--json");
    expect(linesOf(stdout)).toHaveLength(1_200);
    expect(stderr).toBe("2300 subscriptions checked, 1200 with findings\n");
    expect(exitCode).toBe(1);
  });

  test("check --online asks each once, and when it is stopped tells of each whether it was asked", async () => {
    await using service = await AcceptingPushService.start();
    const { url, database } = await openTestDatabase();
    const asked = 1_200;
    await storeReaders(database, { count: asked, endpoint: (reader) => service.endpoint(`/${reader}`) });
    const options = { cwd: tempFolder(), env: { WEBPUSH_STORE: url, WEBPUSH_ALLOW_HOST: "127.0.0.1" } };
    await runMain(["keys", "--subject", "mailto:push@harbour.shop"], options);
    const argv = ["subscriptions", "check", "--online", "--include-unproven", "--yes", "--json"];
    const all = await runMain(argv, options);
    expect(probesOf(all.stdout)).toEqual({ accepted: asked });
    expect(new Set(service.paths).size).toBe(asked);
    const stop = new AbortController();
    const stopped = runMain(argv, { ...options, signal: stop.signal });
    await vi.waitUntil(() => service.paths.length > asked + 100, { timeout: 20_000, interval: 5 });
    stop.abort();
    const { stdout, exitCode } = await stopped;
    const { accepted = 0, interrupted = 0 } = probesOf(stdout);
    expect(accepted).toBe(service.paths.length - asked);
    expect(accepted + interrupted).toBe(asked);
    expect(exitCode).toBe(130);
  });

  test("export of a group writes those", async () => {
    const { subscriptions } = await openReaders();
    const { stdout } = await subscriptions("export", "tag:news", "--format", "ndjson");
    expect(linesOf(stdout)).toHaveLength(766);
  });
});

/** How many were asked, and how many were not and why. */
function probesOf(stdout: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of linesOf(stdout)) {
    const { probe, cause } = JSON.parse(line) as { readonly probe: string; readonly cause: string };
    const what = probe === "not-asked" ? cause : probe;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** Marks the first of them, of which they say later that a page did not come back. */
async function markGone(store: SubscriptionStore, first: number): Promise<void> {
  const about = { registeredAt: registered, wrongKey: undefined };
  const result = { at: registered, outcome: "gone", cause: "fcm.gone", status: 410 };
  const gone = { at: registered, cause: "fcm.gone" };
  await store.note(
    Array.from({ length: first }, (_, index) => ({
      ...about,
      ...{ endpoint: sampleEndpoint(`reader-${index + 1}`), result, gone },
    })),
  );
}
