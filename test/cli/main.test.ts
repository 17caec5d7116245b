import { chmodSync, existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { linesOf, runJson, runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { sampleJson, samplePair } from "../support/samples.ts";

test("an empty --store is an unset variable, not the project's files", async () => {
  const { exitCode, stderr } = await runMain(["subscriptions", "list", "--store", ""]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: --store is empty\nhint: check the variable/);
  expect((await runMain(["subscriptions", "list"], { env: { WEBPUSH_STORE: "" } })).exitCode).toBe(0);
});

test("nothing is stored while the setting that says where does not read", async () => {
  const cwd = tempFolder();
  await runMain(["config", "set", "store", "postgres://db.example.net/push"], { cwd });
  const config = join(cwd, ".webpush", "config.json");
  truncateSync(config, 20);
  const subscription = JSON.stringify(sampleJson("alice"));
  const { exitCode, stderr } = await runMain(["subscriptions", "add", subscription], { cwd });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("config.json is damaged");
  expect(existsSync(join(cwd, ".webpush", "subscriptions.json"))).toBe(false);
});

describe("a command line that cannot be read ends with 2, nothing on stdout, and what was meant:", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["kesy"], ["error: unknown command 'kesy'", "hint: did you mean keys?"]],
    [["subscription"], ["error: unknown command 'subscription'", "hint: did you mean subscriptions?"]],
    [["--jsno"], ["error: unknown option '--jsno'", "hint: did you mean --json?"]],
    [
      ["keys", "--profil", "x"],
      ["error: unknown option '--profil'", "hint: did you mean --profile?"],
    ],
    [["keys", "--profile"], ["error: option '--profile <name>' argument missing"]],
    [["zzzzzz"], ["error: unknown command 'zzzzzz'"]],
    [
      ["keys", "--profile", "../x"],
      [
        'error: "../x" cannot be the name of a profile',
        "hint: use letters, digits, dots, dashes and underscores, starting with a letter or digit",
      ],
    ],
  ])("%j", async (argv, lines) => {
    const { exitCode, stdout, stderr } = await runMain(argv);
    expect({ exitCode, stdout, lines: linesOf(stderr) }).toEqual({ exitCode: 2, stdout: "", lines });
  });

  test("global flags alone show the help, as talk", async () => {
    const { exitCode, stdout, stderr } = await runMain(["--quiet"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: webpush/);
  });

  test("what was typed cannot drive the terminal", async () => {
    const { stderr } = await runMain(["\u001b[2J", "--x\u009b2J"]);
    expect(stderr).toContain("\\u{1b}[2J");
    expect(stderr).not.toMatch(/[\u001b\u009b]/);
  });
});

describe("with --json an error is a record on stdout and lines on stderr:", () => {
  test("of a value", async () => {
    const { exitCode, records, stderr } = await runJson(["subscriptions", "show", "nobody"]);
    expect(exitCode).toBe(2);
    expect(records).toEqual([
      {
        error: {
          code: "subscription-unknown",
          message: 'no stored subscription is "nobody"',
          hints: ["run `webpush subscriptions list` to see them"],
          exitCode: 2,
        },
      },
    ]);
    expect(linesOf(stderr)).toEqual([
      'error: no stored subscription is "nobody"',
      "hint: run `webpush subscriptions list` to see them",
    ]);
  });

  test("of the command line", async () => {
    const { exitCode, records } = await runJson(["kesy"]);
    expect(exitCode).toBe(2);
    expect(records).toEqual([
      {
        error: {
          code: "usage",
          message: "unknown command 'kesy'",
          hints: ["did you mean keys?"],
          exitCode: 2,
        },
      },
    ]);
  });

  test("of a flag's value, before any command ran", async () => {
    const { records } = await runJson(["send", "--ttl", "soon"]);
    expect(records).toMatchObject([{ error: { code: "ttl", exitCode: 2 } }]);
  });
});

describe("exit codes:", () => {
  test.each<[string, readonly string[], object, number]>([
    ["1 when the work could not be done", ["keys", "export"], {}, 1],
    ["2 when the input is wrong", ["subscriptions", "add", "hello.json"], {}, 2],
    ["4 when the keys cannot work", ["keys"], { VAPID_PUBLIC_KEY: samplePair("x").publicKey }, 4],
    ["0 when it is done", ["keys"], {}, 0],
  ])("%s", async (_name, argv, env, exitCode) => {
    expect((await runMain(argv, { env: { ...env } })).exitCode).toBe(exitCode);
  });

  test("1 when the state is damaged", async () => {
    const cwd = tempFolder();
    await runMain(["keys"], { cwd });
    writeFileSync(join(cwd, ".webpush", "config.json"), "{");
    const { exitCode, stderr } = await runMain(["keys"], { cwd });
    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([
      `error: ${join(cwd, ".webpush", "config.json")} is damaged: it is not JSON, or only a part of it`,
      "hint: repair the file, or move it away to start anew; it was left as it is",
    ]);
  });
});

describe("global flags work before and behind the command:", () => {
  test.each([
    [
      ["--json", "keys"],
      ["keys", "--json"],
    ],
    [
      ["--quiet", "config"],
      ["config", "-q"],
    ],
    [
      ["--profile", "p", "config"],
      ["config", "--profile=p"],
    ],
    [
      ["--json", "subs", "list"],
      ["subs", "--json", "list"],
    ],
  ])("%j and %j", async (before, behind) => {
    const cwd = tempFolder();
    await runMain(["keys"], { cwd });
    expect(await runMain(before, { cwd })).toEqual(await runMain(behind, { cwd }));
  });

  test("--config-dir keeps the state elsewhere", async () => {
    const cwd = tempFolder();
    await runMain(["--config-dir", "state", "keys"], { cwd });
    expect([existsSync(join(cwd, "state", "config.json")), existsSync(join(cwd, ".webpush"))]).toEqual([
      true,
      false,
    ]);
  });

  test("--config-dir . leaves the folder's files in git's sight, and says so", async () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, "package.json"), "{}");
    const { stderr } = await runMain(["keys", "--config-dir", "."], { cwd });
    expect(existsSync(join(cwd, ".gitignore"))).toBe(false);
    expect(stderr).toContain("only you can read it; keep it out of git");
  });

  test("--quiet leaves data and errors", async () => {
    const cwd = tempFolder();
    const { stdout, stderr } = await runMain(["keys", "--quiet"], { cwd });
    expect([linesOf(stdout).length, stderr]).toEqual([1, ""]);
    expect((await runMain(["subs", "show", "x", "-q"], { cwd })).stderr).toMatch(/^error: /);
  });

  test("colours are for terminals, unless --no-color or the environment says otherwise", async () => {
    const isColoured = async (argv: readonly string[], options: object) =>
      (await runMain(argv, { stdin: "", ...options })).stderr.includes("\u001b[");
    expect(await isColoured(["keys"], { tty: true })).toBe(true);
    expect(await isColoured(["keys"], { tty: false })).toBe(false);
    expect(await isColoured(["keys", "--no-color"], { tty: true })).toBe(false);
    expect(await isColoured(["keys"], { tty: true, env: { NO_COLOR: "1" } })).toBe(false);
    expect(await isColoured(["send", "--ttl", "x"], { tty: true })).toBe(true);
    expect(await isColoured(["send", "--ttl", "x", "--no-color"], { tty: true })).toBe(false);
  });
});

describe("nobody is asked", () => {
  test.each<[string, readonly string[], object]>([
    ["with --no-input", ["--no-input"], { tty: true }],
    ["with WEBPUSH_NO_INPUT", [], { tty: true, env: { WEBPUSH_NO_INPUT: "1" } }],
    ["in CI", [], { tty: true, env: { CI: "true" } }],
    ["when stdin is a pipe", [], { tty: true, stdin: "" }],
    ["when stderr is a file", [], { tty: false }],
    ["with --json", ["--json"], { tty: true }],
  ])("%s", async (_name, flags, options) => {
    const cwd = tempFolder();
    await runMain(["keys"], { cwd });
    const { exitCode, stderr } = await runMain(["keys", "--force", ...flags], { cwd, ...options });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("add --yes if that is what you want");
  });

  test("otherwise a person is: a terminal that goes away ends the run as interrupted", async () => {
    const cwd = tempFolder();
    await runMain(["keys"], { cwd });
    const { exitCode, stderr } = await runMain(["keys", "--force"], { cwd, tty: true });
    expect(stderr).toContain("every subscription made with it stops working");
    expect(stderr).toMatch(/error:\S* interrupted\n$/);
    expect(exitCode).toBe(130);
  });
});

test("a stop ends the wait for stdin with 130", async () => {
  const stop = new AbortController();
  const stdin = new PassThrough();
  const reading = new Promise<void>((resolve) => stdin.once("resume", resolve).once("readable", resolve));
  stdin.write("{");
  const running = runMain(["keys", "import", "-"], { stdin, signal: stop.signal });
  await reading;
  stop.abort();
  expect(await running).toEqual({ exitCode: 130, stdout: "", stderr: "error: interrupted\n" });
});

test("a bug of ours ends with 70: stack, versions and where to report it, secrets left out", async () => {
  const stdin = new PassThrough();
  const secret = samplePair("bug").privateKey.reveal();
  stdin.destroy(
    new TypeError(`cannot read ${secret} of https://push.example.net/send/abcdefghijklmnop\u001b[2J`),
  );
  const { exitCode, stdout, stderr } = await runMain(["keys", "import", "-"], { stdin });
  expect({ exitCode, stdout }).toEqual({ exitCode: 70, stdout: "" });
  const lines = linesOf(stderr);
  expect(lines[0]).toBe("bug: webpush failed in a way it should not have");
  expect(lines[1]).toBe("TypeError: cannot read [secret] of https://push.example.net/[secret]");
  expect(lines[2]).toMatch(/^ {4}at /);
  expect(lines.slice(-2)).toEqual([
    "webpush 1.2.3, node v20.0.0, linux x64",
    "hint: please report this at https://bugs.example.net/new, with the lines above",
  ]);
  expect(stderr).not.toContain(secret);
});

describe("the private key and auth secrets are printed only where they were asked for by name", () => {
  const own = samplePair("never");
  const alice = sampleJson("never");
  const spoiled = {
    VAPID_PRIVATE_KEY: own.privateKey.reveal(),
    VAPID_PUBLIC_KEY: samplePair("else").publicKey,
  };

  test.each<[readonly string[], object]>([
    [["keys"], {}],
    [["keys", "--subject", "mailto:ops@shop-online.de"], {}],
    [["keys", "--force"], {}],
    [["keys", "import", "keys.json"], {}],
    [["keys", "export", "--output", "out.pem"], {}],
    [["keys"], { VAPID_PRIVATE_KEY: own.privateKey.reveal() }],
    [["keys"], spoiled],
    [["send", "hello", "--dry-run"], {}],
    [["send", "hello", "--dry-run"], spoiled],
    [["subscriptions", "add", JSON.stringify(alice)], {}],
    [["subscriptions", "add", JSON.stringify(alice), "--json"], {}],
    [["subscriptions", "list"], {}],
    [["subscriptions", "list", "--json"], {}],
    [["subscriptions", "show", "alice"], {}],
    [["subscriptions", "show", "alice", "--json"], {}],
    [["subscriptions", "check"], {}],
    [["subscriptions", "import", "bad.ndjson"], {}],
    [["config"], {}],
    [["config", "--json"], {}],
  ])("%j %j", async (argv, env) => {
    const cwd = tempFolder();
    const keys = { publicKey: own.publicKey, privateKey: own.privateKey.reveal() };
    writeFileSync(join(cwd, "keys.json"), JSON.stringify(keys));
    writeFileSync(join(cwd, "bad.ndjson"), `${JSON.stringify({ ...alice, endpoint: "ftp://x" })}\n`);
    await runMain(["keys", "import", "keys.json", "--subject", "mailto:ops@shop-online.de"], { cwd });
    await runMain(["subs", "add", JSON.stringify(alice), "--name", "alice"], { cwd });
    for (const flags of [[], ["--verbose"]]) {
      const { stdout, stderr } = await runMain([...argv, ...flags], { cwd, env: { ...env }, stdin: "" });
      expect(`${stdout}${stderr}`).not.toContain(keys.privateKey);
      expect(`${stdout}${stderr}`).not.toContain(alice.keys.auth);
    }
  });
});

test("a key file that others can read is pointed out, and used all the same", async () => {
  const cwd = tempFolder();
  await runMain(["keys"], { cwd });
  chmodSync(join(cwd, ".webpush/config.json"), 0o644);
  const { exitCode, stderr } = await runMain(["keys", "--quiet"], { cwd });
  expect(exitCode).toBe(0);
  expect(linesOf(stderr)).toEqual([
    "warning: others can read .webpush/config.json, which holds private keys",
    "hint: chmod 600 it; make new keys if somebody may have read it",
  ]);
});

describe("at a terminal of 40 columns", () => {
  const widthOf = (text: string): number => Math.max(...linesOf(text).map((line) => line.length));

  test.each([[["send", "Hello"]], [["send", "--no-such-flag-in-any-of-all-the-commands"]], [["keys"]]])(
    "%j says what it has to say in lines that fit",
    async (argv) => {
      const { stderr } = await runMain(argv, { tty: true, columns: 40, stdin: "", env: { NO_COLOR: "1" } });
      const words = linesOf(stderr).filter((line) => line.trim().includes(" "));
      expect(words).not.toEqual([]);
      for (const line of words) expect(line.length, line).toBeLessThanOrEqual(40);
    },
  );

  test.each([[["listen", "--help"]], [["help", "exit-codes"]], [["help", "environment"]]])(
    "%j fits, but for commands to copy",
    async (argv) => {
      const { stdout } = await runMain(argv, { tty: true, columns: 40 });
      const rest = linesOf(stdout).filter((line) => !line.startsWith("  $ "));
      expect(widthOf(rest.join("\n"))).toBeLessThanOrEqual(40);
    },
  );
});

test("a terminal that says it has 0 columns does not know how many it has", async () => {
  const { stderr } = await runMain(["send", "Hello"], { tty: true, columns: 0, env: { NO_COLOR: "1" } });
  expect(linesOf(stderr)).toContain(
    "hint: store a subscription: webpush subscriptions add subscription.json",
  );
  const help = await runMain(["keys", "--help"], { tty: true, columns: 0 });
  expect(help.stdout).toBe((await runMain(["keys", "--help"])).stdout);
  const complaint = await runMain(["keys", "--tlt", "5"], { tty: true, columns: 0 });
  expect(linesOf(complaint.stderr)).toEqual(["error: unknown option '--tlt'"]);
});

describe("commands in messages are named as they are typed", () => {
  const npx = { npm_command: "exec", npm_config_user_agent: "npm/11.1.0 node/v24.3.0" };

  test.each([
    ["behind npx", npx, "hint: make a pair: npx webpush keys\n"],
    ["installed", {}, "hint: make a pair: webpush keys\n"],
    [
      "in a script of package.json",
      { ...npx, npm_command: "run-script" },
      "hint: make a pair: webpush keys\n",
    ],
  ])("%s", async (_name, env, hint) => {
    const { stderr } = await runMain(["keys", "export"], { env });
    expect(stderr).toContain(hint);
  });

  test("behind npx what is data stays as it is", async () => {
    const { records } = await runJson(["keys", "export"], { env: npx });
    expect(records).toMatchObject([{ error: { hints: ["make a pair: webpush keys"] } }]);
  });

  test("behind npx the doctor's advice too, and npx is said once", async () => {
    const { stdout, stderr } = await runMain(["doctor"], { env: npx });
    expect(stdout).toContain("do: npx webpush keys");
    expect(stdout + stderr).not.toContain("npx npx");
  });
});
