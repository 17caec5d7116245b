/** Commands about more subscriptions than they may hold at once. */
import { describe, expect, test } from "vitest";
import { createPostgresSubscriptionStore } from "../../../src/store/postgres/subscription-store.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { storeReaders } from "../../support/stored-readers.ts";
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
});
