import { existsSync } from "node:fs";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { run } from "../../src/commands/config/run.ts";
import { linesOf, runMain } from "../support/run-cli.ts";
import { parseCommand } from "../support/parse-command.ts";
import { testContext } from "../support/test-context.ts";

test.each<[readonly string[], object]>([
  [["config"], { action: "list" }],
  [["config", "list"], { action: "list" }],
  [["config", "set", "ttl", "10m"], { action: "set", name: "ttl", value: "10m" }],
  [["config", "set", "topic", "--", "-x-y"], { action: "set", name: "topic", value: "-x-y" }],
  [["config", "unset", "ttl"], { action: "unset", name: "ttl" }],
])("%j", async (argv, options) => {
  expect(await parseCommand(argv)).toEqual(options);
});

test.each<[readonly string[], readonly string[]]>([
  [
    ["config", "sett", "ttl", "1"],
    ['error: webpush config has no command "sett"', "hint: did you mean set?"],
  ],
  [
    ["config", "set", "tll", "1"],
    ['error: there is no setting "tll"', "hint: did you mean ttl?"],
  ],
  [
    ["config", "set", "colour", "1"],
    ['error: there is no setting "colour"', "hint: run `webpush config` for a list"],
  ],
  [
    ["config", "unset", "__proto__"],
    ['error: there is no setting "__proto__"', "hint: run `webpush config` for a list"],
  ],
  [
    ["config", "set", "urgency", "hihg"],
    ['error: urgency "hihg" is not known', "hint: did you mean high?"],
  ],
  [["config", "set", "ttl"], ["error: missing required argument 'value'"]],
])("%j is refused with what was meant", async (argv, lines) => {
  const { exitCode, stdout, stderr } = await runMain(argv);
  expect({ exitCode, stdout, lines: linesOf(stderr) }).toEqual({ exitCode: 2, stdout: "", lines });
});

describe("config", () => {
  test("lists every setting with its value here, within 80 columns", async () => {
    const context = await testContext({ settings: { ttl: "10m" } });
    expect(await run({ action: "list" }, context)).toBe(0);
    expect(context.stdout[0]).toMatch(/^ttl +10m$/);
    expect(context.stdout[1]).toMatch(/^ +how long/);
    expect(context.stdout.find((line) => line.startsWith("concurrency"))).toMatch(/100 \(default\)/);
    expect(context.stdout.find((line) => line.startsWith("timeout"))).toMatch(/30s \(default\)/);
    expect(context.stdout.filter((line) => stringWidth(line) > 80)).toEqual([]);
    expect(existsSync(context.location.configFile)).toBe(true);
  });

  test("of an empty project makes nothing", async () => {
    const context = await testContext();
    await run({ action: "list" }, context);
    await run({ action: "unset", name: "ttl" }, context);
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("set keeps the text as it was typed, and unset goes back", async () => {
    const context = await testContext();
    await run({ action: "set", name: "ttl", value: "10m" }, context);
    expect(context.settings.read()).toEqual({ ttl: "10m" });
    await run({ action: "set", name: "urgency", value: "high" }, context);
    await run({ action: "unset", name: "ttl" }, context);
    expect(context.settings.read()).toEqual({ urgency: "high" });
    expect(context.stderr).toEqual([
      "ttl is 10m from now on",
      "urgency is high from now on",
      "ttl is back to its default",
    ]);
    expect(context.stdout).toEqual([]);
  });

  test("set leaves keys and contact alone", async () => {
    const context = await testContext({ subject: "mailto:ops@shop-online.de" });
    await run({ action: "set", name: "ttl", value: "10m" }, context);
    expect((await context.config.read()).subject).toBe("mailto:ops@shop-online.de");
  });

  test("a value that could drive the terminal is shown harmless", async () => {
    const context = await testContext();
    await run({ action: "set", name: "ca", value: "a\u001b[2J" }, context);
    await run({ action: "list" }, context);
    expect([...context.stdout, ...context.stderr].join("\n")).not.toContain("\u001b");
  });

  test("a proxy's password is not shown", async () => {
    const context = await testContext();
    await run({ action: "set", name: "proxy", value: "http://me:hunter2@proxy.example:8080" }, context);
    await run({ action: "list" }, context);
    const said = [...context.stdout, ...context.stderr].join("\n");
    expect(said).toContain("http://[secret]@proxy.example:8080");
    expect(said).not.toContain("hunter2");
  });

  test.each([
    ["postgres://me:hunter2@db.example/app", "postgres://[secret]@db.example/app"],
    [
      "postgres://db.example/app?sslmode=require&password=hunter2",
      "postgres://db.example/app?sslmode=require&password=[secret]",
    ],
  ])("a store's password is shown neither to people nor in records: %s", async (address, shown) => {
    for (const json of [false, true]) {
      const context = await testContext({ json });
      await run({ action: "set", name: "store", value: address }, context);
      await run({ action: "list" }, context);
      const said = [...context.stdout, ...context.stderr].join("\n");
      expect(said).toContain(shown);
      expect(said).not.toContain("hunter2");
      expect(context.settings.read()["store"]).toBe(address);
    }
  });

  test("--json prints a record per setting", async () => {
    const context = await testContext({ json: true, settings: { ttl: "10m" } });
    await run({ action: "list" }, context);
    await run({ action: "set", name: "ttl", value: "0" }, context);
    await run({ action: "unset", name: "urgency" }, context);
    const records = context.stdout.map((line) => JSON.parse(line) as unknown);
    expect(records[0]).toEqual({ setting: "ttl", value: "10m", default: 2_419_200 });
    expect(records[1]).toEqual({ setting: "urgency", value: null, default: null });
    expect(records.slice(-2)).toEqual([
      { setting: "ttl", value: "0", default: 2_419_200 },
      { setting: "urgency", value: null, default: null },
    ]);
    expect(context.stderr).toEqual([]);
  });
});

test("settings of a profile are its own", async () => {
  const { cwd } = await testContext();
  await runMain(["config", "set", "ttl", "10m", "--profile", "staging"], { cwd });
  const [staging, own] = [
    await runMain(["config", "--profile", "staging"], { cwd }),
    await runMain(["config"], { cwd }),
  ];
  expect(staging.stdout).toMatch(/^ttl +10m$/m);
  expect(own.stdout).toMatch(/^ttl +four weeks \(default\)/m);
});
