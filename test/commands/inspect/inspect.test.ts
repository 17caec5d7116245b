/** `webpush inspect` as a person gives it: arguments, files, pipes, exit codes, and no secret in sight. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { vectors } from "../../protocol/push-parties.ts";
import { parseCommand } from "../../support/parse-command.ts";
import { linesOf, runJson, runMain } from "../../support/run-cli.ts";
import { sampleJson, samplePair } from "../../support/samples.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const json = JSON.stringify(sampleJson("phone"));
const { t, k } = vectors.rfc8292;

test("flags", async () => {
  expect(await parseCommand(["inspect"])).toEqual({ reveal: false });
  const argv = [
    "x",
    "--as",
    "token",
    "--for",
    "https://push.example.net/1",
    "--key",
    k,
    "--receiver",
    "r",
    "--receiver-keys",
    "f",
    "--reveal",
  ];
  expect(await parseCommand(["inspect", ...argv])).toEqual({
    thing: "x",
    as: "token",
    for: "https://push.example.net/1",
    key: k,
    receiver: "r",
    receiverKeys: "f",
    reveal: true,
  });
});

describe("exit code", () => {
  test.each<[number, string, readonly string[]]>([
    [0, "a subscription", [json]],
    [0, "a cause", ["fcm.gone"]],
    [1, "a token that is over", [`vapid t=${t}, k=${k}`]],
    [
      1,
      "a subscription with a bad key",
      [JSON.stringify({ ...sampleJson("phone"), keys: { p256dh: "AA", auth: "AA" } })],
    ],
    [2, "nothing it knows", ["hello"]],
    [2, "an empty word", [""]],
    [2, "a file that is not there", ["absent.json"]],
    [2, "a kind that is none", [json, "--as", "tokn"]],
    [2, "a receiver that is none", [json, "--receiver", "absent"]],
  ])("%i: %s", async (code, _name, argv) => {
    const { exitCode, stderr } = await runMain(["inspect", ...argv]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: code });
    if (code === 2) expect(linesOf(stderr)[0]).toMatch(/^error: /);
  });

  test("2: a terminal, and nothing given", async () => {
    const { exitCode, stderr } = await runMain(["inspect"]);
    expect({ exitCode, first: linesOf(stderr)[0] }).toEqual({
      exitCode: 2,
      first: "error: there is nothing to inspect",
    });
  });
});

describe("takes it", () => {
  test("from a pipe, with - and without", async () => {
    for (const argv of [["inspect"], ["inspect", "-"]])
      expect((await runJson(argv, { stdin: json })).records).toMatchObject([{ kind: "subscription" }]);
  });

  test("from a file, a body with a receiver's keys beside it", async () => {
    const cwd = tempFolder();
    const { body, ua_private, auth_secret } = vectors.rfc8291;
    writeFileSync(join(cwd, "body.bin"), Buffer.from(body, "base64url"));
    writeFileSync(
      join(cwd, "keys.json"),
      JSON.stringify({ privateKey: ua_private, keys: { auth: auth_secret } }),
    );
    const { stdout, exitCode } = await runMain(["inspect", "body.bin", "--receiver-keys", "keys.json"], {
      cwd,
    });
    expect(stdout).toContain("text           When I grow up, I want to be a watermelon\n");
    expect(exitCode).toBe(0);
  });

  test.each([
    ["no JSON", "x", "the file is not JSON"],
    ["no private key", "{}", "the file has no privateKey"],
    ["no auth", '{"privateKey":"AA"}', "the file has no auth of 16 bytes"],
  ])("but no receiver's keys that are none: %s", async (_name, text, what) => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, "keys.json"), text);
    const { exitCode, stderr } = await runMain(["inspect", "ok", "--receiver-keys", "keys.json"], { cwd });
    expect(stderr).toContain(`error: cannot use the receiver's keys: ${what}\n`);
    expect(exitCode).toBe(2);
  });
});

test.each(["-", "/dev/zero", "."])("a curl command that posts %s is not waited for", async (name) => {
  const command = `curl -X POST -H 'ttl: 1' --data-binary @${name} https://push.example.net/1`;
  const { exitCode, stderr } = await runMain(["inspect", command]);
  expect(stderr).toMatch(/^error: the curl command takes its body from .*, which is no file\n/);
  expect(exitCode).toBe(2);
});

test.each([
  ["a name that is too long", `'@${"a".repeat(5000)}'`],
  ["a name with a zero byte", String.raw`$'@a\0b'`],
])("a curl command that posts %s is refused, not failed at", async (_name, word) => {
  const command = `curl -X POST -H 'ttl: 1' --data-binary ${word} https://push.example.net/1`;
  const { exitCode, stderr } = await runMain(["inspect", "-"], { stdin: command });
  expect(stderr).toMatch(/^error: the curl command takes its body from a/);
  expect(exitCode).toBe(2);
});

test("a word that is too short for a private key is only taken for one with a warning", async () => {
  const { stdout } = await runMain(["inspect", "-"], { stdin: "q8ZkL0pXvTn3JmYh5RbWcEsGdFuAiOoB7NxKtMzQ" });
  expect(stdout).toContain(
    "odd    30 bytes, a private key has 32: it lost its leading zeros, or is something",
  );
});

test("what webpush send --curl writes is read back, token and body", async () => {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  const subscription = JSON.stringify({
    ...sampleJson("phone"),
    endpoint: "https://web.push.apple.com/abcdefghijklmnop",
  });
  const { stdout } = await runMain(["send", "Hi", "--ttl", "60", "--curl", "--subscription", subscription], {
    cwd,
  });
  writeFileSync(join(cwd, "request.sh"), stdout);
  const { records, exitCode } = await runJson(["inspect", "request.sh"], { cwd });
  expect(records).toMatchObject([
    { kind: "request", facts: { ttl: "60", authorized: true } },
    { kind: "endpoint", facts: { service: "Apple" } },
    { kind: "token", facts: { audience: "https://web.push.apple.com", inProject: "current" } },
    { kind: "body", facts: { encoding: "aes128gcm" } },
  ]);
  expect(exitCode).toBe(0);
});

describe("secrets", () => {
  const pair = samplePair("inspected");

  test.each<[string, string, readonly string[]]>([
    [
      "a subscription's",
      json,
      [sampleJson("phone").endpoint, sampleJson("phone").keys.auth, sampleJson("phone").keys.p256dh],
    ],
    ["a private key", pair.privateKey.reveal(), [pair.privateKey.reveal()]],
    ["a token", `vapid t=${t}, k=${k}`, [t, t.split(".")[2] ?? t]],
  ])("%s are not shown, and who typed them is told where they are now", async (_name, thing, secrets) => {
    for (const flags of [[], ["--json"], ["--verbose"]]) {
      const { stdout, stderr } = await runMain(["inspect", thing, ...flags]);
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
      expect(stderr).toContain("it is in your shell's history now");
    }
  });

  test("piped in they are nobody else's", async () => {
    expect((await runMain(["inspect", "-"], { stdin: json })).stderr).not.toContain("history");
  });
});

test("what comes from outside cannot drive the terminal", async () => {
  const claims = Buffer.from(
    JSON.stringify({ aud: "https://a.dev\u001b[2J", exp: 1, sub: "\u202e\u0007" }),
  ).toString("base64url");
  const header = Buffer.from('{"alg":"ES256\\u001b[31m","typ":"\\u009b"}').toString("base64url");
  const things = [
    `${header}.${claims}.AA`,
    "HTTP/1.1 403 x\n\n\u001b]0;owned\u0007",
    `curl -H 'ttl: \u001b[2J' https://a.dev/1`,
  ];
  for (const thing of things) {
    const { stdout, stderr } = await runMain(["inspect", "-"], { stdin: thing });
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

test.each([80, 40])("fits %i columns, but for what is to be copied whole", async (columns) => {
  const { stdout } = await runMain(["inspect", json], { tty: true, columns });
  const long = linesOf(stdout).filter((line) => line.replace(/\u001b\[\d+m/g, "").length > columns);
  expect(long.filter((line) => / /.test(line.slice(15).trim()))).toEqual([]);
});
