/** docs/ci.md is true: its script runs as written, under `sh -e` as CI does, and its workflow hands over what it needs. */
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createBrowser, openProject } from "../commands/send/sending.ts";
import { linesOf, spawnShell } from "../support/run-cli.ts";
import { ScriptedPushService, type Reply } from "../support/scripted-push-service.ts";
import { codeBlocksOf, readPage, rowsOf, sectionsOf } from "./markdown.ts";

const page = readPage("docs/ci.md");

function blockOf(start: string): string {
  const block = codeBlocksOf(page).find(({ text }) => text.startsWith(start));
  if (block === undefined) throw new Error(`docs/ci.md has no block that begins with ${start}`);
  return block.text;
}

const hasJq = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "jq")));

describe("the script of docs/ci.md", () => {
  test.each<[name: string, replies: readonly Reply[], exitCode: number, said: string]>([
    ["everybody", [{ status: 201 }, { status: 201 }], 0, "everybody has it"],
    ["nobody left", [{ status: 410 }, { status: 410 }], 0, "every subscription is gone"],
    ["refused keys", [{ status: 403 }, { status: 403 }], 1, "the keys are refused"],
    ["a busy service", [{ status: 503 }, { status: 503 }], 1, "push services are busy: run this again"],
    ["failures of several kinds", [{ status: 410 }, { status: 403 }], 1, "it did not work"],
  ])("%s", async (_name, replies, exitCode, said) => {
    const ran = await runScript(replies);
    expect(ran).toMatchObject({ exitCode, stdout: expect.stringContaining(said) as string });
  });

  test.skipIf(!hasJq)("names those who do not have it, each with its cause", async () => {
    const { exitCode, stdout } = await runScript([{ status: 201 }, { status: 403 }]);
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)).toEqual([
      "some do not have it:",
      expect.stringMatching(/^\w{10} \S+: \S/) as string,
    ]);
  });

  test("with keys that are none, it fails", async () => {
    const ran = await runScript([], { VAPID_PRIVATE_KEY: "none" });
    expect(ran).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("it did not work") as string });
  });
});

/** The script as it stands, in a project with two subscriptions; its `npx` knows one package, the one under test. */
async function runScript(replies: readonly Reply[], env: Readonly<Record<string, string>> = {}) {
  await using service = await ScriptedPushService.start(...replies);
  const browsers = [1, 2].map((path) => createBrowser(service.endpoint(`/${path}`), { name: `b${path}` }));
  const cwd = await openProject({ browsers });
  const script = blockOf("#!/bin/sh");
  expect(script).toContain("npx --yes webpush send");
  writeFileSync(join(cwd, "notify.sh"), script);
  const shell =
    "npx() { shift 2; webpush \"$@\"; }; set -e -- 'New release' https://harbour.shop/7; . ./notify.sh";
  return await spawnShell(shell, {
    cwd,
    env: { CI: "1", WEBPUSH_CONCURRENCY: "1", WEBPUSH_ALLOW_HOST: "127.0.0.1", ...env },
  });
}

test("the workflow hands over every secret that the page names, and what people wrote as variables only", () => {
  const workflow = parse(blockOf("name:")) as {
    readonly jobs: {
      readonly notify: {
        readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
      };
    };
  };
  const step = workflow.jobs.notify.steps.at(-1);
  expect(step?.run).toBe('sh notify.sh "$TITLE" "$URL"');
  const secrets = rowsOf(
    sectionsOf(page).find(({ heading }) => heading === "The secrets")?.text ?? "",
  ).flatMap(([names = ""]) => names.match(/[A-Z_]{8,}/g) ?? []);
  expect(secrets).toContain("VAPID_PRIVATE_KEY");
  for (const name of secrets) expect(step?.env).toMatchObject({ [name]: `\${{ secrets.${name} }}` });
});
