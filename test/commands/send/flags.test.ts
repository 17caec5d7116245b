import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { applyEnvironment, applyProjectSettings } from "../../../src/cli/precedence.ts";
import type { Dispatch } from "../../../src/commands/dispatch.ts";
import { sendCommand, type SendOptions } from "../../../src/commands/send/command.ts";
import { runMain } from "../../support/run-cli.ts";

const defaults = {
  to: [],
  subscription: [],
  ttl: 2_419_200,
  timeout: 30_000,
  concurrency: 100,
  retries: 4,
  patience: 300_000,
  retryAmbiguous: true,
  queue: false,
  resumeAnyway: false,
  allowHost: [],
  allowPrivate: false,
  dryRun: false,
  curl: false,
  prune: true,
  yes: false,
  message: undefined,
  connecting: [],
  p256dh: undefined,
};

interface Origins {
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The options that `webpush send …argv` hands to its runner. */
async function parse(
  argv: readonly string[],
  { env = {}, settings = {} }: Origins = {},
): Promise<SendOptions> {
  let options: unknown;
  const record: Dispatch = (_load, given) => {
    options = given;
    return Promise.resolve();
  };
  const command = sendCommand(record)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.hook("preAction", (_program, action: Command) => {
    applyEnvironment(action, env);
    applyProjectSettings(action, settings);
  });
  await command.parseAsync([...argv], { from: "user" });
  return options as SendOptions;
}

test.each<[readonly string[], object]>([
  [[], {}],
  [["Hello"], { message: "Hello" }],
  [["-"], { message: "-" }],
  [["--", "-5 degrees"], { message: "-5 degrees" }],
  [["--to", "phone", "--to", "tag:news"], { to: ["phone", "tag:news"] }],
  [["--to", "-"], { to: ["-"] }],
  [["--subscription", "{}", "--subscription", "a.json"], { subscription: ["{}", "a.json"] }],
  [["--endpoint", "https://a.dev/1"], { endpoint: "https://a.dev/1" }],
  [["--p256dh", "BAbc"], { p256dh: "BAbc" }],
  [["--key", "BAbc"], { p256dh: "BAbc" }],
  [["--key", "BOld", "--p256dh", "BNew"], { p256dh: "BNew" }],
  [["--auth", "-abc"], { auth: "-abc" }],
  [["--auth=-q"], { auth: "-q" }],
  [["--auth", "--to"], { auth: "--to" }],
  [["--title", "-t", "--body", "--"], { title: "-t", body: "--" }],
  [
    ["--icon", "/i.png", "--badge", "/b.png", "--image", "/p.png"],
    { icon: "/i.png", badge: "/b.png", image: "/p.png" },
  ],
  [["--url", "/a", "--tag", "t", "--lang", "de"], { url: "/a", tag: "t", lang: "de" }],
  [["--dir", "rtl"], { dir: "rtl" }],
  [
    ["--actions", "a=A=/x;b=B"],
    {
      actions: [
        { action: "a", title: "A", url: "/x" },
        { action: "b", title: "B" },
      ],
    },
  ],
  [["--data", '{"id":7}'], { data: { id: 7 } }],
  [["--data", "false"], { data: false }],
  [["--timestamp", "2030-01-31T09:00Z"], { timestamp: 1_896_080_400_000 }],
  [["--timestamp", "1896080400000"], { timestamp: 1_896_080_400_000 }],
  [["--app-badge", "0"], { appBadge: 0 }],
  [["--require-interaction", "--silent"], { requireInteraction: true, silent: true }],
  [["--renotify", "--mutable"], { renotify: true, mutable: true }],
  [["--payload", "-x"], { payload: "-x" }],
  [["--payload-file", "-"], { payloadFile: "-" }],
  [["--ttl", "0"], { ttl: 0 }],
  [["--ttl=10m"], { ttl: 600 }],
  [["--urgency", "very-low", "--topic", "news"], { urgency: "very-low", topic: "news" }],
  [["--encoding", "aesgcm"], { encoding: "aesgcm" }],
  [
    ["--timeout", "500ms", "--concurrency", "1"],
    { timeout: 500, concurrency: 1, connecting: ["--timeout", "--concurrency"] },
  ],
  [["--rate", "500", "--retries", "0"], { rate: 500, retries: 0 }],
  [["--no-retry-ambiguous"], { retryAmbiguous: false }],
  [
    ["--queue", "--at", "+2h", "--lease", "30s"],
    { queue: true, at: { kind: "later", ms: 7_200_000 }, lease: 30_000 },
  ],
  [["--journal", "news.journal", "--resume-anyway"], { journal: "news.journal", resumeAnyway: true }],
  [
    ["--proxy", "http://p.dev:3128", "--ca", "ca.pem"],
    { proxy: "http://p.dev:3128", ca: "ca.pem", connecting: ["--proxy", "--ca"] },
  ],
  [
    ["--allow-host", "a.dev", "--allow-host", "b.dev:8443", "--allow-private"],
    {
      allowHost: ["a.dev", "b.dev:8443"],
      allowPrivate: true,
      connecting: ["--allow-host", "--allow-private"],
    },
  ],
  [["--dry-run", "--curl", "--no-prune", "-y"], { dryRun: true, curl: true, prune: false, yes: true }],
  [["--vapid-pubkey", "BA", "--vapid-pvtkey", "-x"], { vapidPubkey: "BA", vapidPvtkey: "-x" }],
  [
    ["--vapid-subject", "mailto:push@ada.dev"],
    { vapidSubject: { subject: "mailto:push@ada.dev", notes: [] } },
  ],
])("send %j", async (argv, expected) => {
  expect(await parse(argv)).toEqual({ ...defaults, ...expected });
});

describe("a value comes from the nearest of flag, environment, project and default", () => {
  test.each<[string, readonly string[], Origins, object]>([
    ["the environment fills what no flag says", [], { env: { WEBPUSH_TTL: "10m" } }, { ttl: 600 }],
    ["a flag goes before the environment", ["--ttl", "5"], { env: { WEBPUSH_TTL: "10m" } }, { ttl: 5 }],
    [
      "the environment goes before the project",
      [],
      { env: { WEBPUSH_TTL: "0" }, settings: { ttl: "60" } },
      { ttl: 0 },
    ],
    ["the project goes before the default", [], { settings: { ttl: "60" } }, { ttl: 60 }],
    ["an empty variable counts as unset", [], { env: { WEBPUSH_TTL: "", WEBPUSH_TO: "" } }, {}],
    [
      "a repeatable flag has one value in the environment",
      [],
      { env: { WEBPUSH_TO: "phone" } },
      { to: ["phone"] },
    ],
    ["and a flag replaces it", ["--to", "tv"], { env: { WEBPUSH_TO: "phone" } }, { to: ["tv"] }],
    [
      "switches are on with 1",
      [],
      { env: { WEBPUSH_ALLOW_PRIVATE: "1", WEBPUSH_SILENT: "yes" } },
      { allowPrivate: true, silent: true },
    ],
    ["and off with 0", [], { env: { WEBPUSH_DRY_RUN: "0", WEBPUSH_YES: "false" } }, {}],
    ["--no-prune has a twin", [], { env: { WEBPUSH_NO_PRUNE: "1" } }, { prune: false }],
    [
      "parsed values have twins",
      [],
      { env: { WEBPUSH_APP_BADGE: "3", WEBPUSH_DATA: "[1]" } },
      { appBadge: 3, data: [1] },
    ],
    [
      "every setting of a project",
      [],
      {
        settings: {
          urgency: "low",
          topic: "news",
          encoding: "aesgcm",
          timeout: "5",
          concurrency: "2",
          proxy: "p.dev:1",
          ca: "c.pem",
        },
      },
      {
        urgency: "low",
        topic: "news",
        encoding: "aesgcm",
        timeout: 5000,
        concurrency: 2,
        proxy: "p.dev:1",
        ca: "c.pem",
      },
    ],
  ])("%s", async (_name, argv, origins, expected) => {
    expect(await parse(argv, origins)).toEqual({ ...defaults, ...expected });
  });
});

describe("a value that is none is refused with what to do, and exit code 2", () => {
  test.each<[readonly string[], string, string]>([
    [["--ttll", "5"], "unknown option '--ttll'", "did you mean --ttl?"],
    [["--urgent"], "unknown option '--urgent'", "did you mean --urgency?"],
    [["--urgency", "hgih"], 'urgency "hgih" is not known', "did you mean high?"],
    [["--encoding", "aesgm"], 'encoding cannot be "aesgm"', "did you mean aesgcm?"],
    [["--dir", "ltl"], 'direction "ltl" is not known', "use ltr"],
    [["--ttl", "1y"], 'ttl "1y" is not a time', "give seconds"],
    [["--ttl", "-1"], 'ttl "-1" is not a time', "give seconds"],
    [["--topic", "a b"], 'topic "a b" contains " "', "use 1 to 32"],
    [["--topic", "hello"], "a length Apple refuses", "add or remove a character"],
    [["--timeout", "0"], 'timeout cannot be "0"', "from 1ms to 60m"],
    [["--concurrency", "0"], 'concurrency cannot be "0"', "from 1 to 1000"],
    [["--rate", "0"], 'rate cannot be "0"', "from 1 to 100000"],
    [["--retries", "-1"], 'retries cannot be "-1"', "from 0 to 20"],
    [["--timestamp", "soon"], 'timestamp cannot be "soon"', "use ISO 8601"],
    [["--app-badge", "-1"], 'app badge cannot be "-1"', "use a whole number"],
    [["--actions", "open"], 'action "open" lacks a title', "write name=Title"],
    [["--data", "{"], 'data: "{" is not JSON', "write JSON"],
    [["--vapid-subject", "nobody"], 'VAPID subject "nobody"', "mailto:"],
    [["--title"], "option '--title <text>' argument missing", ""],
    [["one", "two"], "too many arguments", ""],
  ])("send %j", async (argv, error, hint) => {
    const { exitCode, stdout, stderr } = await runMain(["send", ...argv], { stdin: "" });
    expect(stderr).toContain(error);
    expect(stderr).toContain(hint);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  test("a variable is named when its value is refused", async () => {
    const { exitCode, stderr } = await runMain(["send", "hi"], { env: { WEBPUSH_URGENCY: "hgih" } });
    expect(stderr).toContain("WEBPUSH_URGENCY: urgency");
    expect(exitCode).toBe(2);
  });
});

test("help has the flags of the web-push tool hidden, and fits 80 columns", async () => {
  const { stdout } = await runMain(["send", "--help"]);
  expect(stdout).not.toMatch(/--key\b|--vapid/);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
});
