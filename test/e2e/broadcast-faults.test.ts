/**
 * A broadcast to a push service that has a bad day: the built program, HTTP/2 over TLS, and an
 * emulator that breaks what can be broken. Everybody gets the message, and the sum adds up.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/index.ts";
import { openProject, type SendRecord } from "../commands/send/sending.ts";
import { linesOf, spawnCli } from "../support/run-cli.ts";

const recipients = 400;

/** What breaks, and how often: of each so many requests one. */
const badDay = [
  "refused-stream every=17 times=12",
  "goaway=unprocessed every=61 times=3",
  "goaway=graceful every=83 times=3",
  "goaway=mid-flight every=97 times=2",
  "reset-peer every=71 times=3",
  "status=503 every=19 times=10",
  "status=429 retry-after=1 every=101 times=2",
];

test("everyone gets it, whatever breaks on the way", { timeout: 120_000 }, async () => {
  await using emulator = await startEmulator();
  const cwd = await openProject();
  writeFileSync(join(cwd, "ca.pem"), emulator.ca);
  const subscriptions = Array.from({ length: recipients }, () => emulator.subscribe({ endpoint: "https" }));
  writeFileSync(join(cwd, "all.ndjson"), subscriptions.map((one) => JSON.stringify(one)).join("\n"));
  for (const fault of badDay) emulator.addFault(fault);

  const argv = ["send", "Hello", "--to", "all.ndjson", "--ca", "ca.pem", "--json", "--concurrency", "20"];
  const { exitCode, stdout, stderr } = await spawnCli(argv, { cwd, env: { WEBPUSH_RETRIES: "10" } });
  const records = linesOf(stdout).map((line) => JSON.parse(line) as SendRecord);
  expect(records.filter(({ outcome }) => outcome !== "accepted")).toEqual([]);
  expect(records).toHaveLength(recipients);
  expect(stderr).toContain(`${recipients} in all: ${recipients} accepted`);
  expect(exitCode).toBe(0);
  expect(emulator.faults().filter(({ applied }) => applied === 0)).toEqual([]);
  // It was a bad day.
  expect(records.reduce((sum, { attempts }) => sum + attempts, 0)).toBeGreaterThan(recipients + 20);

  for (const subscription of subscriptions) {
    const got = emulator.messages({ subscription });
    expect(got.length).toBeGreaterThanOrEqual(1);
    expect(got[0]).toMatchObject({ text: expect.stringContaining("Hello") as string });
  }
});
