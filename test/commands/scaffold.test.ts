import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scaffoldCommand, type ScaffoldOptions } from "../../src/commands/scaffold/command.ts";
import { nextStepsText } from "../../src/commands/scaffold/render.ts";
import { run } from "../../src/commands/scaffold/run.ts";
import { serverKinds } from "../../src/scaffold/answers.ts";
import { readTemplate } from "../../src/scaffold/template.ts";
import { plainPaint } from "../../src/terminal/paint.ts";
import { linesOf, runJson, runMain } from "../support/run-cli.ts";
import { samplePair } from "../support/samples.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { testContext, type TestContext } from "../support/test-context.ts";

const pair = samplePair("project");
const defaults: ScaffoldOptions = {
  dir: "public",
  name: undefined,
  api: undefined,
  server: undefined,
  serverDir: undefined,
  themeColor: "#0b5d4e",
  key: undefined,
  force: false,
  dryRun: false,
  yes: false,
};
const fileCount = readTemplate("client").files.length;

async function parse(argv: readonly string[]): Promise<unknown> {
  let recorded: unknown;
  const command = scaffoldCommand((_load, options) => {
    recorded = options;
    return Promise.resolve();
  });
  await command.parseAsync([...argv], { from: "user" });
  return recorded;
}

/** The settings a written page has. */
async function settingsOf(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const source = readFileSync(join(folder, "webpush-config.js"), "utf8");
  const page = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { config: object };
  return { ...page.config };
}

describe("flags", () => {
  test.each<[string[], Partial<ScaffoldOptions>]>([
    [[], {}],
    [
      ["site", "--name", " Harbour ", "--api", "api/push/"],
      { dir: "site", name: "Harbour", api: "/api/push" },
    ],
    [["--api", "none", "--theme-color", "#ABC"], { api: "none", themeColor: "#aabbcc" }],
    [["--key", pair.publicKey], { key: pair.publicKey }],
    [["--server", "express"], { server: "express" }],
    [["--server", "hono", "--server-dir", "api"], { server: "hono", serverDir: "api" }],
    [["--force", "--dry-run", "-y"], { force: true, dryRun: true, yes: true }],
  ])("scaffold %j", async (argv, changed) => {
    expect(await parse(argv)).toEqual({ ...defaults, ...changed });
  });

  test.each([
    [["--name", ""], "app-name"],
    [["--api", "https://elsewhere.example"], "server-path"],
    [["--theme-color", "red"], "theme-color"],
    [["--key", "abc"], "vapid-public-key"],
  ])("%j is refused", async (argv, code) => {
    await expect(parse(argv)).rejects.toMatchObject({ code, kind: "input" });
  });
});

describe("the page", () => {
  test("has the project's key and what the flags say", async () => {
    const context = await testContext({ pairs: [samplePair("older"), pair] });
    const name = `O'Neill & "Co" </script> {{json:publicKey}} 港`;
    expect(await run({ ...defaults, name, api: "none", themeColor: "#123456" }, context)).toBe(0);
    const folder = join(context.cwd, "public");
    expect(await settingsOf(folder)).toMatchObject({
      appName: name,
      publicKey: pair.publicKey,
      server: null,
    });
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "manifest.webmanifest"), "utf8"));
    expect(manifest).toMatchObject({ name, theme_color: "#123456" });
    expect(readFileSync(join(folder, "index.html"), "utf8")).not.toContain(`"Co"`);
  });

  test("has the key of the environment before the project's", async () => {
    const env = { VAPID_PRIVATE_KEY: samplePair("environment").privateKey.reveal() };
    const context = await testContext({ pairs: [pair], env });
    await run(defaults, context);
    const { publicKey } = await settingsOf(join(context.cwd, "public"));
    expect(publicKey).toBe(samplePair("environment").publicKey);
    expect(context.stderr).toContain(
      `key      ${samplePair("environment").publicKey.slice(0, 12)}…, from VAPID_PRIVATE_KEY in the environment`,
    );
  });

  test("has the key that is given before all others, even where the environment is incomplete", async () => {
    const { publicKey } = samplePair("other");
    const context = await testContext({ pairs: [pair], env: { VAPID_PUBLIC_KEY: publicKey } });
    await run({ ...defaults, key: publicKey }, context);
    expect(await settingsOf(join(context.cwd, "public"))).toMatchObject({ publicKey });
    expect(context.stderr).toContain(
      `key      ${publicKey.slice(0, 12)}…, as given; sending needs its private key:`,
    );
  });

  test("gets a new pair, stored as `webpush keys` does, where there is none", async () => {
    const context = await testContext();
    expect(await run(defaults, context)).toBe(0);
    const { current, pairs } = await context.config.read();
    expect(pairs).toHaveLength(1);
    expect(await settingsOf(join(context.cwd, "public"))).toMatchObject({ publicKey: current });
    expect(context.stderr).toContain(
      `key      ${String(current).slice(0, 12)}…, of a VAPID key pair made for this page`,
    );
    expect([...context.stdout, ...context.stderr].join("\n")).not.toContain(
      pairs[0]?.pair.privateKey.reveal(),
    );
  });
});

describe("questions", () => {
  test("are asked for what the flags leave open, the contact too when a pair is made", async () => {
    const context = await testContext({
      answers: [
        { asked: "Name of the app", answer: "Harbour" },
        { asked: "Where does the page send", answer: "to a server of this site, at another path" },
        { asked: "Path of the server", answer: "/api/push" },
        { asked: "Write a push server too?", answer: "No server" },
        { asked: "Contact for push services", answer: "ops@harbour.example.org" },
      ],
    });
    await run(defaults, context);
    expect(await settingsOf(join(context.cwd, "public"))).toMatchObject({
      appName: "Harbour",
      server: "/api/push",
    });
    expect((await context.config.read()).subject).toBe("mailto:ops@harbour.example.org");
  });

  test.each([
    ["to a server of this site, at /webpush", "/webpush"],
    ["nowhere", null],
  ])("%s is a choice", async (answer, server) => {
    const answers = [
      { asked: "Where does the page send", answer },
      ...(server === null ? [] : [{ asked: "Write a push server too?", answer: "No server" }]),
    ];
    const context = await testContext({ pairs: [pair], answers });
    await run({ ...defaults, name: "Harbour" }, context);
    expect(await settingsOf(join(context.cwd, "public"))).toMatchObject({ server });
  });

  test.each([
    ["flags", { name: "Harbour", api: "none" as const }, { appName: "Harbour", server: null }],
    ["--yes", { yes: true }, { appName: "My app", server: "/webpush" }],
  ])("are not asked with %s", async (_what, flags, settings) => {
    const context = await testContext({ pairs: [pair], answers: [] });
    await run({ ...defaults, ...flags }, context);
    expect(await settingsOf(join(context.cwd, "public"))).toMatchObject(settings);
  });
});

describe("what stands there already", () => {
  test("is never written over: every conflict in one error, and no key is made for nothing", async () => {
    const context = await testContext();
    mkdirSync(join(context.cwd, "public"));
    for (const name of ["index.html", "sw.js"]) writeFileSync(join(context.cwd, "public", name), "mine");
    await expect(run(defaults, context)).rejects.toMatchObject({
      code: "scaffold-conflict",
      message: `2 files are there already and differ: ${join("public", "index.html")}, ${join("public", "sw.js")}`,
    });
    expect(readdirSync(join(context.cwd, "public")).sort()).toEqual(["index.html", "sw.js"]);
    expect((await context.config.read()).pairs).toEqual([]);
  });

  test("is left alone where it is the same, replaced with --force where it differs", async () => {
    const context = await testContext({ pairs: [pair], json: true });
    await run(defaults, context);
    writeFileSync(join(context.cwd, "public/sw.js"), "mine");
    const again = await testContext({ cwd: context.cwd, json: true });
    await run({ ...defaults, force: true }, again);
    const outcomes = again.stdout.map((line) => JSON.parse(line) as { path: string; outcome: string });
    expect(outcomes).toHaveLength(fileCount);
    expect(outcomes.filter(({ outcome }) => outcome !== "unchanged")).toMatchObject([
      { path: join("public", "sw.js"), outcome: "replaced" },
    ]);
  });

  test("is not followed out of the project when it is a link, --force or not", async () => {
    const [outside, context] = [tempFolder(), await testContext({ pairs: [pair] })];
    symlinkSync(outside, join(context.cwd, "public"));
    for (const force of [false, true]) {
      await expect(run({ ...defaults, force }, context)).rejects.toMatchObject({ code: "scaffold-link" });
    }
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe("--dry-run", () => {
  test("says what would be written, and writes nothing, neither page nor key", async () => {
    const context = await testContext({ json: true });
    expect(await run({ ...defaults, dryRun: true }, context)).toBe(0);
    expect(context.stdout).toHaveLength(fileCount);
    for (const line of context.stdout) expect(JSON.parse(line)).toMatchObject({ outcome: "would-create" });
    expect(context.stderr).toEqual([
      `files    ${fileCount} would be created in public; nothing was written`,
      `key      none yet; would make a VAPID key pair in ${context.config.path}`,
    ]);
    expect(readdirSync(context.cwd)).toEqual([]);
  });

  test("fails where the real run would", async () => {
    const context = await testContext({ pairs: [pair] });
    mkdirSync(join(context.cwd, "public/sw.js"), { recursive: true });
    await expect(run({ ...defaults, dryRun: true }, context)).rejects.toMatchObject({
      code: "scaffold-folder",
    });
  });
});

describe("output", () => {
  test("--json: a record per file with exactly these members, steps left out", async () => {
    const ran = await runJson(["scaffold", "my site", "--key", pair.publicKey]);
    expect(ran.exitCode).toBe(0);
    expect(ran.records).toHaveLength(fileCount);
    expect(ran.records.at(-1)).toEqual({
      path: join("my site", "icons/badge-96.png"),
      outcome: "created",
      bytes: 1093,
    });
    expect(ran.stderr).not.toContain("Next:");
  });

  test("in a pipe: the paths of what was written, a line each; nothing when there was nothing to do", async () => {
    const cwd = tempFolder();
    const first = linesOf((await runMain(["scaffold", "-y"], { cwd })).stdout);
    expect(first).toHaveLength(fileCount);
    for (const path of first) expect(readFileSync(join(cwd, path)).length).toBeGreaterThan(0);
    const second = await runMain(["scaffold", "-y"], { cwd });
    expect(second).toMatchObject({ exitCode: 0, stdout: "" });
    expect(second.stderr).toContain(`files    ${fileCount} unchanged in public`);
  });

  test.each([40, 64, 80, 120])("at a terminal: a tree that fits %i columns", async (columns) => {
    const cwd = tempFolder();
    const argv = ["scaffold", "-y", "--no-color"];
    for (const more of [[], ["--force", "--name", "Other"]]) {
      const ran = await runMain([...argv, ...more], { cwd, tty: true, columns });
      const lines = linesOf(ran.stdout);
      expect(lines.slice(0, 2).join("\n")).toMatch(/^public\n├─ index\.html( |$)/);
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });

  test("every file in the tree says what it is for", async () => {
    const ran = await runMain(["scaffold", "-y"], { tty: true, columns: 120 });
    const top = linesOf(ran.stdout).filter((line) => /^[├└].*\./.test(line));
    expect(top.length).toBeGreaterThan(5);
    for (const line of top) expect(line).toMatch(/^.─ \S+ +(\d\S* k?B {2})?\S+ \S+/);
  });

  test("the steps name the folder as one word of a command line", async () => {
    const ran = await runMain(["scaffold", "mein ordner", "-y"]);
    expect(ran.stderr).toContain('$ webpush serve "mein ordner"\n');
  });

  test.each([
    ["public/site-1.2", "public/site-1.2"],
    ["-x", "./-x"],
    ["a b's", `"a b's"`],
    ["größe", `"größe"`],
    ["a$(x) 'b'", String.raw`'a$(x) '\''b'\'''`],
  ])("the folder %j is written %j in a command", (shown, word) => {
    const key = { source: "flag", publicKey: pair.publicKey, isHeld: true } as const;
    const io = { paint: { out: plainPaint, err: plainPaint } };
    const lines = nextStepsText(
      { target: { root: "/", shown }, key, api: null, server: undefined, exposesKeys: false },
      { io },
    );
    expect(lines).toContain(`     $ npx http-server ${word} -c-1`);
  });

  test("a folder's name cannot drive the terminal", async () => {
    const ran = await runMain(["scaffold", "a\u001b[2Jb", "-y"], { tty: true });
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout + ran.stderr).not.toContain("\u001b[2J");
  });
});

describe("--server", () => {
  const options: ScaffoldOptions = { ...defaults, name: "Harbour", api: "/api/push" };

  test.each(serverKinds)("%s: a server beside the page, which knows its path and folder", async (server) => {
    const context = await testContext({ pairs: [pair] });
    expect(await run({ ...options, dir: "web/public", server }, context)).toBe(0);
    const home = join(context.cwd, "web/server");
    const written = readTemplate(`server-${server}`).files.map(({ to }) => to);
    for (const path of written) expect(statSync(join(home, path)).isFile(), path).toBe(true);
    expect(readFileSync(join(home, "lib/settings.js"), "utf8")).toMatch(
      /api: "\/api\/push",[^]*page: "\.\.\/public",/,
    );
    expect(await settingsOf(join(context.cwd, "web/public"))).toMatchObject({ server: "/api/push" });
  });

  test("the folder is --server-dir where that is given, and the steps lead through it", async () => {
    const context = await testContext({ pairs: [pair] });
    await run({ ...options, server: "node", serverDir: "back end" }, context);
    expect(readFileSync(join(context.cwd, "back end/lib/settings.js"), "utf8")).toContain('"../public"');
    const steps = context.stderr.slice(context.stderr.indexOf("Next:")).join("\n");
    expect(steps).toContain('$ webpush keys export --format env --output "back end"/.env');
    expect(steps).toContain('$ cd "back end" && npm install && npm start');
    expect(steps).not.toContain("webpush serve");
  });

  test("at a terminal one is offered", async () => {
    const answers = [{ asked: "Write a push server too?", answer: "fastify" }];
    const context = await testContext({ pairs: [pair], answers });
    await run(options, context);
    expect(readFileSync(join(context.cwd, "server/package.json"), "utf8")).toContain('"fastify"');
  });

  test("a conflict in either folder stops both, and both are named", async () => {
    const cwd = tempFolder();
    for (const path of ["public/sw.js", "server/server.js"]) {
      mkdirSync(join(cwd, path, ".."));
      writeFileSync(join(cwd, path), "mine");
    }
    const ran = await runMain(["scaffold", "-y", "--server", "node"], { cwd });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(`differ: ${join("public", "sw.js")}, ${join("server", "server.js")}`);
    expect([...readdirSync(join(cwd, "public")), ...readdirSync(join(cwd, "server"))]).toEqual([
      "sw.js",
      "server.js",
    ]);
    const forced = await runMain(["scaffold", "-y", "--server", "node", "--force"], { cwd });
    expect(forced.exitCode).toBe(0);
    expect(readFileSync(join(cwd, "server/server.js"), "utf8")).not.toBe("mine");
  });

  test("the server's folder is not followed out of the project either", async () => {
    const [outside, cwd] = [tempFolder(), tempFolder()];
    symlinkSync(outside, join(cwd, "server"));
    const ran = await runMain(["scaffold", "-y", "--server", "node"], { cwd });
    expect(ran).toMatchObject({ exitCode: 2, stdout: "" });
    expect(readdirSync(cwd)).toEqual(["server"]);
    expect(readdirSync(outside)).toEqual([]);
  });

  test("--dry-run names both folders and writes neither", async () => {
    const cwd = tempFolder();
    const ran = await runMain(["scaffold", "-y", "--server", "hono", "--dry-run"], { cwd });
    expect(ran.stderr).toMatch(
      /would be created in public\nfiles {4}\d+ would be created in server; nothing/,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("at a terminal both trees are shown", async () => {
    const ran = await runMain(["scaffold", "-y", "--server", "node", "--no-color"], {
      tty: true,
      columns: 80,
    });
    const lines = linesOf(ran.stdout);
    expect(lines.filter((line) => /^\w/.test(line))).toEqual(["public", "server"]);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test.each([
    [
      ["--server", "node", "--api", "none"],
      "--server writes a server, and --api none says that there is none",
    ],
    [["--server-dir", "x"], "--server-dir x is for a server, and there is no --server"],
    [["--server", "node", "--server-dir", "public/server"], "lies in the page's, which is public"],
    [[".", "--server", "node"], "lies in the page's, which is public"],
  ])("%j is refused, and nothing written", async (argv, message) => {
    const cwd = tempFolder();
    const ran = await runMain(["scaffold", "-y", ...argv], { cwd });
    expect(ran).toMatchObject({ exitCode: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("the next steps", () => {
  const contact = "webpush keys --subject mailto:you@your-domain";
  const steps = ({ stderr }: TestContext) => stderr.slice(stderr.indexOf("Next:")).join("\n");

  test("lead through webpush serve where it can serve the page, else carry the subscription over by hand", async () => {
    const [usual, elsewhere] = await Promise.all([
      testContext({ pairs: [pair] }),
      testContext({ pairs: [pair] }),
    ]);
    await run(defaults, usual);
    await run({ ...defaults, api: "/api/push" }, elsewhere);
    expect(steps(usual)).toContain("$ webpush serve public\n");
    expect(steps(usual)).not.toContain("webpush subscriptions add");
    expect(steps(elsewhere)).not.toContain("webpush serve");
    expect(steps(elsewhere)).toContain("webpush subscriptions add");
  });

  test("ask for a contact only while there is none", async () => {
    const [without, with_] = await Promise.all([
      testContext({ pairs: [pair] }),
      testContext({ pairs: [pair], subject: "mailto:ops@harbour.example.org" }),
    ]);
    await run(defaults, without);
    await run(defaults, with_);
    expect(steps(without)).toContain(contact);
    expect(steps(with_)).not.toContain(contact);
  });

  test("begin with moving the private key out of a folder that is to be served", async () => {
    const context = await testContext({ pairs: [pair], quiet: true });
    await run({ ...defaults, dir: "." }, context);
    expect(context.stderr[0]).toContain("your private key is inside this folder");
    const elsewhere = await testContext({ pairs: [pair], quiet: true });
    await run(defaults, elsewhere);
    expect(elsewhere.stderr).toEqual([]);
  });
});

test("conflicts end with exit code 2, a line and a hint", async () => {
  const cwd = tempFolder();
  mkdirSync(join(cwd, "public"));
  writeFileSync(join(cwd, "public/sw.js"), "mine");
  expect(await runMain(["scaffold", "-y"], { cwd })).toEqual({
    exitCode: 2,
    stdout: "",
    stderr:
      `error: ${join("public", "sw.js")} is there already and differs\n` +
      "hint: add --force to replace what differs, or choose another folder; nothing was written\n",
  });
});
