/** A project whose subscriptions are in a database, and more than may be held at once. */
import { describe, expect, test } from "vitest";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { sampleSubscription } from "../../support/samples.ts";
import { storeReaders } from "../../support/stored-readers.ts";

interface Found {
  readonly check: string;
  readonly level: string;
  readonly what: string;
}

const count = 2_300;

/** What doctor finds about subscriptions of which all have the same keys and are past their time. */
async function findings(): Promise<readonly Found[]> {
  const { url, database } = await openTestDatabase();
  const { p256dh } = sampleSubscription("reader");
  await storeReaders(database, { count, over: { p256dh } });
  await database.change({
    text: "update webpush.subscriptions set expiration_time = now() - interval '1 day'",
  });
  const { stdout } = await runMain(["doctor", "--json", "--only", "subscriptions"], {
    env: { WEBPUSH_STORE: url },
  });
  return linesOf(stdout).map((line) => JSON.parse(line) as Found);
}

describe.skipIf(!hasPostgres)("doctor, of a database", () => {
  test("tells a thousand of what is wrong one by one, and how many more there are", async () => {
    const found = await findings();
    const of = (check: string): readonly Found[] => found.filter((one) => one.check === check);
    expect(of("subscriptions.stored")).toMatchObject([{ level: "good", what: String(count) }]);
    expect(of("subscriptions.number")).toMatchObject([{ level: "good" }]);
    const expired = of("subscriptions.expired");
    expect(expired).toHaveLength(1_001);
    expect(expired.at(-1)).toMatchObject({
      level: "problem",
      what: expect.stringMatching(/^1300 more like /) as string,
    });
    const duplicates = of("subscriptions.duplicates");
    expect(duplicates).toHaveLength(1_001);
    expect(duplicates.at(-1)?.what).toMatch(/^1299 more like /);
  });
});
