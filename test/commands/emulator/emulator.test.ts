import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventText } from "../../../src/commands/emulator/render.ts";
import { Labels } from "../../../src/emulator/labels.ts";
import { plainPaint } from "../../../src/terminal/paint.ts";
import { channel, hello, register } from "../../emulator/autopush-client.ts";
import { call, sealed, until } from "../../emulator/wire.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { startCli } from "../send/sending.ts";

/** The command in a process of its own, listening on a free port. */
async function startEmulatorCli(argv: readonly string[], cwd = tempFolder()) {
  const running = startCli(["emulator", "--port", "0", ...argv], { cwd });
  let [text, told] = ["", ""];
  running.child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  running.child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  await until(() => /http:\/\/127\.0\.0\.1:\d+/.test(text + told));
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(text + told)?.[0] ?? "";
  return { ...running, origin, printed: (part: string) => until(() => text.includes(part)) };
}

test("says where it is and what to do with it, then a line per event, ack codes and nacks included", async () => {
  const { origin, child, printed, ended } = await startEmulatorCli([]);
  const { client } = await hello(origin);
  const endpoint = await register(client, channel(1));
  await call("POST", endpoint, { headers: { ...sealed, topic: "news" }, body: "sealed" });
  const frame = await client.next();
  client.ack(frame, 101);
  client.send({ messageType: "nack", version: frame["version"], code: 301 });
  await call("POST", endpoint, { headers: {}, body: "x" });
  await printed("ttl-missing");
  child.kill("SIGINT");
  const { exitCode, stdout, stderr } = await ended;
  expect(exitCode).toBe(0);
  expect(stderr).toContain(`webpush listen --service ${origin.replace("http", "ws")} --save me`);
  const command = /^ +chromium --user-data-dir=DIR (?:.*\\\n)*.+$/m.exec(stderr)?.[0] ?? "";
  expect(command.replace(/\\\n/g, " ").trim().split(/ +/)).toEqual([
    "chromium",
    "--user-data-dir=DIR",
    `--gcm-checkin-url=${origin}/chromium/checkin`,
    `--gcm-registration-url=${origin}/chromium/register`,
    `--gcm-mcs-endpoint=${origin.replace("http", "https")}`,
    expect.stringMatching(/^--ignore-certificate-errors-spki-list=[\w+/]{43}=$/),
  ]);
  expect(stderr).toMatch(/dom\.push\.serverURL +ws:\/\/127\.0\.0\.1:\d+\/$/m);
  const said = linesOf(stdout).map((line) => line.replace(/^\S+ +(?:…\S+ +)?/, "").replace(/ #.*$/, ""));
  expect(said.slice(0, 8)).toEqual([
    expect.stringMatching(/^hello from new user agent \w{6}, 0 subscriptions$/),
    "subscribed as mozilla, anyone may send",
    "receiver connected",
    "accepted 6 bytes, TTL 60 s, normal, topic news",
    "delivered",
    "acknowledged 101 undecryptable",
    "nack 301 the push handler threw",
    "refused 400 as mozilla ttl-missing: the request has no TTL header",
  ]);
});

test("what a stranger sends cannot drive the terminal", async () => {
  const { origin, child, printed, ended } = await startEmulatorCli([]);
  const { client } = await hello(origin);
  const endpoint = await register(client, channel(1));
  await call("POST", endpoint, { headers: { ttl: "\u009b31m" }, body: "x" });
  await printed("ttl-malformed");
  child.kill("SIGTERM");
  const { stdout } = await ended;
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test("killed at any moment it leaves a whole state file, and the next one goes on from there", async () => {
  const cwd = tempFolder();
  const first = await startEmulatorCli(["--state", "kept", "--json"], cwd);
  const { client, uaid } = await hello(first.origin);
  await register(client, channel(1));
  const file = join(cwd, "kept", "emulator.json");
  await until(() => {
    try {
      return readFileSync(file, "utf8").includes(uaid);
    } catch {
      return false;
    }
  });
  first.child.kill("SIGKILL");
  await first.ended;
  JSON.parse(readFileSync(file, "utf8"));
  const second = await startEmulatorCli(["--state", "kept"], cwd);
  expect((await hello(second.origin, uaid)).uaid).toBe(uaid);
});

test("a port that is taken is said, with what to do", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { exitCode, stderr } = await runMain(["emulator", "--port", String(port)]);
  expect(stderr).toContain(
    `error: port ${port} of 127.0.0.1 is taken by another program\nhint: stop the other`,
  );
  expect(exitCode).toBe(1);
});

test("an address that others reach has to be allowed", async () => {
  const { exitCode, stderr } = await runMain(["emulator", "--host", "0.0.0.0"]);
  expect(stderr).toContain("error: 0.0.0.0 is not a loopback address");
  expect(exitCode).toBe(2);
});

test("--as makes every subscription behave as that service, and the log says so", async () => {
  const { origin, child, printed, ended } = await startEmulatorCli(["--as", "apple"]);
  const { client } = await hello(origin);
  const endpoint = await register(client, channel(1));
  expect(endpoint).toContain("/apple/");
  await call("POST", endpoint, { headers: sealed, body: "x" });
  await printed("vapid-missing");
  child.kill("SIGINT");
  const { stdout, stderr } = await ended;
  expect(stderr).toContain(
    "answers   as Apple does;\n          subscribe with ?as= for others: strict, fcm, mozilla, wns",
  );
  expect(stdout).toContain("subscribed as apple, anyone may send");
  expect(stdout).toContain("refused 403 as apple vapid-missing: ");
});

test("ends with one plain error when its state cannot be kept any more", async () => {
  const state = tempFolder();
  const { origin, ended } = await startEmulatorCli(["--state", state]);
  const file = join(state, "emulator.json");
  await until(() => existsSync(file));
  rmSync(file);
  mkdirSync(file);
  await call("POST", `${origin}/subscribe`);
  const { exitCode, stderr } = await ended;
  expect({ exitCode, lines: linesOf(stderr).filter((line) => /^(?:error|bug):/.test(line)) }).toEqual({
    exitCode: 1,
    lines: [expect.stringMatching(/^error: .*emulator\.json/)],
  });
});

test("a second emulator on the same state folder does not start", async () => {
  const state = tempFolder();
  const { child, ended } = await startEmulatorCli(["--state", state]);
  const { exitCode, stderr } = await runMain(["emulator", "--port", "0", "--state", state]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("error: another emulator keeps its state in ");
  child.kill("SIGINT");
  expect((await ended).exitCode).toBe(0);
}, 60_000);

test("what a tampered state calls its subscriptions and user agents cannot drive the terminal", () => {
  const labels = new Labels(undefined);
  const pushId = "b\u001b[2J\u0007";
  const subscribed = { type: "subscribed", at: 0, subscriptionId: "s", pushId } as const;
  labels.learn({ ...subscribed, applicationServerKey: undefined, personality: "strict" });
  const paint = { out: plainPaint, err: plainPaint };
  const ended = { type: "unsubscribed", at: 0, subscriptionId: "s", code: undefined } as const;
  const left = {
    type: "user-agent-disconnected",
    at: 0,
    userAgentId: pushId,
    code: 1006,
    reason: "",
  } as const;
  for (const event of [ended, left])
    expect(eventText(event, labels, { paint })).not.toMatch(/[\u0000-\u001f]/);
});

test("--as with a name that is none is refused, and the nearest one named", async () => {
  const { exitCode, stderr } = await runMain(["emulator", "--as", "aple"]);
  expect(stderr).toContain('error: there is no push service called "aple"\nhint: did you mean apple?');
  expect(exitCode).toBe(2);
});

test.each(["65536", "-1", "http"])("--port=%s is refused", async (port) => {
  expect(await runMain(["emulator", `--port=${port}`])).toMatchObject({ exitCode: 2, stdout: "" });
});

test("a fault rule is in force from the start, and a wrong one names the word and what was meant", async () => {
  const rule = "status=429 retry-after=5 every=2";
  const { origin, child, printed, ended } = await startEmulatorCli([
    "--fault",
    rule,
    "--api-token",
    "for-this-test",
  ]);
  const { client } = await hello(origin);
  const endpoint = await register(client, channel(1));
  const statuses = [];
  for (let count = 0; count < 3; count += 1)
    statuses.push((await call("POST", endpoint, { headers: sealed, body: "sealed" })).status);
  expect(statuses).toEqual([201, 429, 201]);
  const headers = { authorization: "Bearer for-this-test" };
  const answer = await call("GET", `${origin}/api/messages`, { headers });
  expect((JSON.parse(answer.body.toString()) as { messages: unknown[] }).messages).toHaveLength(2);
  await printed(`fault ${rule}`);
  child.kill("SIGINT");
  expect((await ended).stderr).toContain(`${origin}/api/\n          authorization: Bearer for-this-test`);
});

test.each([
  [["--fault", "lateny=200"], 'a fault has no "lateny"\nhint: did you mean latency?'],
  [["--fault", "down", "--fault", "every=3"], "the rule names no fault"],
  [["--api-token", "short"], "the API token cannot be sent as a bearer token"],
])("%j is refused", async (argv, words) => {
  const { exitCode, stderr } = await runMain(["emulator", ...argv]);
  expect(stderr).toContain(words);
  expect(exitCode).toBe(2);
});
