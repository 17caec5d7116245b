/**
 * A broadcast that is killed over and over, and finished all the same.
 *
 * Nothing here is a stand-in: the built program, a list in a file, a journal, SIGKILL at random
 * moments, and a push service that keeps account of who was sent to how often.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createBrowser, openProject, startCli } from "../commands/send/sending.ts";
import { AcceptingPushService } from "../support/accepting-push-service.ts";
import { linesOf, spawnCli } from "../support/run-cli.ts";

const recipients = 10_000;
const kills = 4;
const concurrency = 50;

/** One browser's keys serve for all: only the endpoints must differ. */
function writeList(cwd: string, service: AcceptingPushService): void {
  const { json } = createBrowser(service.endpoint("/push/X"));
  const lines = Array.from({ length: recipients }, (_, index) => json.replace("/push/X", `/push/${index}`));
  writeFileSync(join(cwd, "all.ndjson"), lines.join("\n"));
}

const command = [
  "send",
  "Hello",
  ...["--to", "all.ndjson", "--journal", "news.journal", "--concurrency", String(concurrency), "--json"],
];

test(
  "killed at random moments and run again: everyone has it, hardly anyone twice",
  { timeout: 240_000 },
  async () => {
    await using service = await AcceptingPushService.start();
    const cwd = await openProject();
    writeList(cwd, service);

    for (let kill = 1; kill <= kills; kill += 1) {
      const before = service.paths.length;
      const { child, ended } = startCli(command, { cwd });
      await service.received(before + 1 + Math.floor(Math.random() * (recipients / (kills + 2))));
      child.kill("SIGKILL");
      await ended;
    }
    const last = await spawnCli(command, { cwd });
    expect(last.exitCode).toBe(0);

    const counts = new Map<string, number>();
    for (const path of service.paths) counts.set(path, (counts.get(path) ?? 0) + 1);
    expect(counts.size).toBe(recipients);
    expect(service.paths.length - recipients).toBeLessThanOrEqual(kills * concurrency);

    // The last run accounts for everyone: done before, or accepted now.
    const records = linesOf(last.stdout).map(
      (line) => JSON.parse(line) as { outcome: string; cause: string },
    );
    expect(records).toHaveLength(recipients);
    const doneBefore = records.filter(({ cause }) => cause === "journal.accepted").length;
    const accepted = records.filter(({ outcome }) => outcome === "accepted").length;
    expect(doneBefore + accepted).toBe(recipients);
    expect(doneBefore).toBeGreaterThan(0);

    // And the journal says no more than the service: nobody is written down as accepted who was not sent to.
    const journal = readFileSync(join(cwd, "news.journal"), "utf8");
    expect(journal).not.toContain("/push/");
    const again = await spawnCli(command, { cwd });
    expect(again.exitCode).toBe(0);
    expect(service.paths.length - recipients).toBeLessThanOrEqual(kills * concurrency);
  },
);
