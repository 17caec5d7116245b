/** `webpush send` to lists that are read while it sends. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { ScriptedPushService, type Reply } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, ourPair, sendJson, startCli, type SendRecord } from "./sending.ts";

/** `count` browsers of one service, which accepts whatever it gets. */
async function openList(count: number) {
  const service = await ScriptedPushService.start(...Array.from({ length: count }, (): Reply => ({})));
  const lines = Array.from(
    { length: count },
    (_, index) => createBrowser(service.endpoint(`/push/${index}`), { name: `n${index}` }).json,
  );
  const cwd = await openProject();
  return { service, lines, cwd, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

/** How many there are of each outcome and cause. */
function outcomesOf(records: readonly SendRecord[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { outcome, cause } of records) {
    const what = `${outcome} ${cause}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).sort();
}

/** Keys that say nothing of who sends. */
const noContact = { VAPID_PRIVATE_KEY: ourPair.privateKey.reveal() };

describe("a pipe", () => {
  test("is sent to line by line, before it ends", async () => {
    await using list = await openList(2);
    const { cwd, service, lines } = list;
    const cli = startCli(["send", "hi", "--to", "-", "--json"], { cwd });
    cli.child.stdin.write(`${lines[0] ?? ""}\n`);
    await service.received(1);
    cli.child.stdin.end(`${lines[1] ?? ""}\n`);
    const { exitCode, stdout } = await cli.ended;
    expect(stdout.trim().split("\n")).toHaveLength(2);
    expect(exitCode).toBe(0);
  });

  test("a recipient whom the message does not fit is left out alone", async () => {
    await using list = await openList(1);
    const apple = createBrowser("https://web.push.apple.com/QGuQyavXutnMH7d2").json;
    const stdin = `${apple}\n${list.lines[0] ?? ""}\n`;
    const { exitCode, records } = await sendJson(["hi", "--to", "-"], { env: noContact, stdin });
    expect(outcomesOf(records)).toEqual(["1 accepted ok", "1 skipped message.unsigned"]);
    expect(records[0]?.advice).toContain("webpush keys --subject");
    expect(exitCode).toBe(3);
  });

  test("that turns out to be something else: those before it are sent to and counted, then it is said", async () => {
    await using list = await openList(1);
    const header = "endpoint,p256dh,auth";
    const { endpoint, keys } = JSON.parse(list.lines[0] ?? "") as {
      endpoint: string;
      keys: { p256dh: string; auth: string };
    };
    const stdin = `${header}\n${endpoint},${keys.p256dh},${keys.auth}\n"unclosed\n`;
    const { exitCode, records, stderr } = await sendJson(["hi", "--to", "-"], { cwd: list.cwd, stdin });
    expect(outcomesOf(records)).toEqual(["1 accepted ok", "1 skipped input.malformed"]);
    expect(stderr).toContain("2 in all: 1 accepted, 1 unusable");
    expect(exitCode).toBe(3);
  });
});

describe("a long file", () => {
  test("is not all read before the first request, and everyone in it is accounted for once", async () => {
    await using list = await openList(1200);
    const { cwd, lines } = list;
    writeFileSync(join(cwd, "all.ndjson"), [...lines, lines[0], "nonsense"].join("\n"));
    const { exitCode, records, stderr } = await sendJson(["--to", "all.ndjson", "hi"], { cwd });
    expect(outcomesOf(records)).toEqual([
      "1 skipped input.malformed",
      "1 skipped input.repeated",
      "1200 accepted ok",
    ]);
    expect(new Set(list.service.requests.map(({ path }) => path)).size).toBe(1200);
    expect(stderr).toContain("1202 in all: 1200 accepted, 1 repeated, 1 unusable");
    expect(exitCode).toBe(3);
  });

  test("of up to a thousand is checked whole before the first request", async () => {
    const apple = createBrowser("https://web.push.apple.com/QGuQyavXutnMH7d2").json;
    await using service = await ScriptedPushService.start();
    const cwd = tempFolder();
    writeFileSync(join(cwd, "few.ndjson"), `${createBrowser(service.endpoint()).json}\n${apple}\n`);
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", "few.ndjson"], { cwd, env: noContact });
    expect(stderr).toContain("refuses messages without a contact");
    expect(exitCode).toBe(4);
    expect(service.requests).toEqual([]);
  });
});
