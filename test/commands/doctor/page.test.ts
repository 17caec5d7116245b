/** `webpush doctor` over a page in a folder, as somebody runs it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A project with keys and the page that `webpush scaffold` writes. */
async function scaffolded(folder = "public"): Promise<string> {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  await runMain(["scaffold", folder], { cwd });
  return cwd;
}

function edit(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
}

async function records(cwd: string, ...argv: readonly string[]) {
  const { stdout, exitCode } = await runMain(["doctor", "--json", "--only", "page", ...argv], { cwd });
  const all = linesOf(stdout).map(
    (line) => JSON.parse(line) as { type: string; level: string; check: string; where: string | null },
  );
  return { exitCode, bad: all.filter(({ type, level }) => type === "finding" && level !== "good") };
}

test("a scaffolded page is well, found in public without being named", async () => {
  const { exitCode, bad } = await records(await scaffolded());
  expect(bad).toEqual([]);
  expect(exitCode).toBe(0);
});

test("a page with a key of another project ends with the exit code of credentials", async () => {
  const cwd = await scaffolded("site");
  edit(
    join(cwd, "site/webpush-config.js"),
    /publicKey: ".*"/,
    `publicKey: "${samplePair("other").publicKey}"`,
  );
  const { exitCode, bad } = await records(cwd, "site");
  expect(bad).toMatchObject([
    {
      level: "problem",
      check: "page.subscribe.key",
      where: "site/webpush-config.js:14",
      about: "credentials",
    },
  ]);
  expect(exitCode).toBe(4);
});

test("after a rotation the page's key is an older one, which still works", async () => {
  const cwd = await scaffolded();
  await runMain(["keys", "rotate", "--yes"], { cwd });
  const { exitCode, bad } = await records(cwd);
  expect(bad).toMatchObject([{ level: "warning", check: "page.subscribe.key" }]);
  expect(exitCode).toBe(0);
});

test("text for people names file and line, what to do and why, within the terminal's width", async () => {
  const cwd = await scaffolded();
  edit(join(cwd, "public/sw.js"), "event.waitUntil(handlePush(event))", "handlePush(event)");
  const { stdout } = await runMain(["doctor", "--only", "page.worker.wait-until"], {
    cwd,
    tty: true,
    columns: 60,
    env: { NO_COLOR: "1" },
  });
  expect(linesOf(stdout).slice(0, 9)).toEqual([
    "Page",
    "  warning the browser waits for the worker: the push handler",
    "          does not call event.waitUntil()",
    "          at: public/sw.js:23",
    "          do: call event.waitUntil(promise) in the handler",
    "          itself, before anything is awaited",
    "          why: a browser may stop the worker as soon as the",
    "          handler returns, unless event.waitUntil() has told",
    "          it to wait",
  ]);
});

test("names and texts of a page cannot drive the terminal", async () => {
  const cwd = await scaffolded();
  const evil = "\u001b[2Jgone";
  edit(join(cwd, "public/push-client.js"), "register(url,", `register("/${evil}.js",`);
  writeFileSync(join(cwd, "public/manifest.webmanifest"), JSON.stringify({ display: evil }));
  mkdirSync(join(cwd, "public", evil));
  writeFileSync(join(cwd, "public", evil, "push.ts"), "serviceWorker");
  const { stdout } = await runMain(["doctor"], { cwd, tty: true });
  expect(stdout).not.toContain("\u001b[2J");
  expect(stdout).toContain("gone");
});

test("no private key is ever printed", async () => {
  const cwd = await scaffolded();
  const { stdout: exported } = await runMain(["keys", "--json"], { cwd });
  const { privateKey } = JSON.parse(exported) as { privateKey: string };
  writeFileSync(join(cwd, "public/notes.txt"), `the key is ${privateKey}`);
  for (const flags of [[], ["--json"], ["--verbose"]]) {
    const { stdout, stderr, exitCode } = await runMain(["doctor", "--only", "page", ...flags], { cwd });
    expect(stdout).toContain("public/notes.txt:1");
    expect(stdout + stderr).not.toContain(privateKey);
    expect(exitCode).toBe(4);
  }
});
