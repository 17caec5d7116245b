import { describe, expect, test } from "vitest";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { parseCommand } from "../../support/parse-command.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { sampleJson } from "../../support/samples.ts";

const checked = {
  which: [],
  online: false,
  includeUnproven: false,
  yes: false,
  timeout: 30_000,
  concurrency: 100,
  allowHost: [],
  allowPrivate: false,
};
const listed = { tag: [], gone: false };

test.each<[readonly string[], object]>([
  [[], listed],
  [["--tag", "news", "--tag", "beta"], { tag: ["news", "beta"], gone: false }],
  [["--gone"], { tag: [], gone: true }],
  [["list"], listed],
  [["ls", "--tag", "news"], { tag: ["news"], gone: false }],
  [["list", "--gone"], { tag: [], gone: true }],
  [["add"], { tag: [] }],
  [["add", "-"], { source: "-", tag: [] }],
  [
    ["add", "s.json", "--name", "phone", "--tag", "a", "--tag", "b"],
    { source: "s.json", name: "phone", tag: ["a", "b"] },
  ],
  [
    ["add", "--endpoint", "https://a.dev/1", "--p256dh", "BAbc", "--auth", "-abc"],
    { endpoint: "https://a.dev/1", p256dh: "BAbc", auth: "-abc", tag: [] },
  ],
  [["add", "--auth=-q4567890123456789012A"], { auth: "-q4567890123456789012A", tag: [] }],
  [["add", "--auth", "--json"], { auth: "--json", tag: [] }],
  [["show", "phone"], { which: "phone" }],
  [["remove", "phone", "tag:news"], { which: ["phone", "tag:news"], yes: false }],
  [["rm", "all", "-y"], { which: ["all"], yes: true }],
  [["rename", "aaaa111111", "phone"], { which: "aaaa111111", name: "phone" }],
  [["tag", "news", "phone", "laptop"], { tag: "news", which: ["phone", "laptop"], remove: false }],
  [["tag", "news", "phone", "--remove"], { tag: "news", which: ["phone"], remove: true }],
  [["import", "-", "--tag", "old", "--dry-run"], { file: "-", tag: ["old"], dryRun: true }],
  [["import", "s.csv"], { file: "s.csv", tag: [], dryRun: false }],
  [
    ["prune"],
    {
      which: [],
      olderThan: 0,
      expired: false,
      deadHosts: false,
      calledGone: false,
      wrongKey: false,
      dryRun: false,
      yes: false,
    },
  ],
  [
    [
      ..."prune tag:news --older-than 30d --expired --dead-hosts --called-gone --wrong-key --dry-run -y".split(
        " ",
      ),
    ],
    {
      which: ["tag:news"],
      olderThan: 2_592_000_000,
      expired: true,
      deadHosts: true,
      calledGone: true,
      wrongKey: true,
      dryRun: true,
      yes: true,
    },
  ],
  [["export"], { which: [], format: "json" }],
  [
    ["export", "tag:news", "--format", "csv", "-o", "s.csv"],
    { which: ["tag:news"], format: "csv", output: "s.csv" },
  ],
  [["check"], checked],
  [["check", "phone"], { ...checked, which: ["phone"] }],
  [
    [..."check tag:news --online -y --include-unproven --timeout 5s --concurrency 7 --rate 10".split(" ")],
    {
      ...checked,
      which: ["tag:news"],
      online: true,
      yes: true,
      includeUnproven: true,
      timeout: 5000,
      concurrency: 7,
      rate: 10,
    },
  ],
  [
    [..."check --online --proxy http://p:1 --ca ca.pem --allow-host a.dev --allow-private".split(" ")],
    {
      ...checked,
      online: true,
      proxy: "http://p:1",
      ca: "ca.pem",
      allowHost: ["a.dev"],
      allowPrivate: true,
    },
  ],
])("subscriptions %j", async (argv, options) => {
  expect(await parseCommand(["subscriptions", ...argv])).toEqual(options);
  expect(await parseCommand(["subs", ...argv])).toEqual(options);
});

test.each([
  ["as a word of its own", (auth: string) => ["--auth", auth]],
  ["behind an equals sign", (auth: string) => [`--auth=${auth}`]],
])("an auth secret that looks like flags is taken %s", async (_name, flag) => {
  const cwd = tempFolder();
  const { endpoint, keys } = sampleJson("alice");
  const auth = "-qv34567890123456789-A";
  const argv = ["subscriptions", "add", "--endpoint", endpoint, "--p256dh", keys.p256dh, ...flag(auth)];
  expect(await runMain(argv, { cwd })).toMatchObject({ exitCode: 0 });
  const { stdout } = await runMain(["subscriptions", "export"], { cwd });
  expect((JSON.parse(stdout) as { keys: { auth: string } }[])[0]?.keys.auth).toBe(auth);
});

describe("refused, each with what was meant:", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["ad"], ['error: webpush subscriptions has no command "ad"', "hint: did you mean add?"]],
    [["lsit"], ['error: webpush subscriptions has no command "lsit"', "hint: did you mean list?"]],
    [
      ["list", "--tga", "x"],
      ["error: unknown option '--tga'", "hint: did you mean --tag?"],
    ],
    [["list", "news"], ["error: too many arguments for 'list'. Expected 0 arguments but got 1."]],
    [
      ["--tag", "news", "list"],
      [
        "error: --tag stands before list, which does not see it",
        "hint: put it behind: webpush subscriptions list … --tag",
      ],
    ],
    [
      ["export", "--format", "cvs"],
      ['error: format cannot be "cvs"', "hint: did you mean csv?"],
    ],
    [["remove"], ["error: missing required argument 'which'"]],
    [["rename", "phone"], ["error: missing required argument 'name'"]],
    [
      ["add", "{}", "--name", "all"],
      [
        'error: "all" cannot be a name',
        "hint: use up to 100 letters, digits, spaces and . _ @ + -, starting with a letter or digit",
      ],
    ],
    [
      ["add", "{}", "--tag", "a:b"],
      [
        'error: "a:b" cannot be a tag',
        "hint: use up to 100 letters, digits, spaces and . _ @ + -, starting with a letter or digit",
      ],
    ],
  ])("subscriptions %j", async (argv, lines) => {
    const { exitCode, stdout, stderr } = await runMain(["subscriptions", ...argv]);
    expect({ exitCode, stdout, lines: linesOf(stderr) }).toEqual({ exitCode: 2, stdout: "", lines });
  });
});
