/** The README's way to a database works as written, on a fresh PostgreSQL; only the address is another. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { AcceptingPushService } from "../support/accepting-push-service.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";
import { binary } from "../support/run-cli.ts";
import { createBrowser, openProject } from "../commands/send/sending.ts";
import { codeBlocksOf, readPage, sectionsOf } from "./markdown.ts";

/** The lines as a shell reads them. */
function scriptOf(heading: string): string {
  const section = sectionsOf(readPage("README.md")).find((one) => one.heading === heading);
  const [block] = codeBlocksOf(section?.text ?? "");
  if (block === undefined) throw new Error(`the README has no commands under ${heading}`);
  return block.text;
}

test.skipIf(!hasPostgres)("when you outgrow one machine, seven lines do", async () => {
  await using service = await AcceptingPushService.start();
  const browsers = Array.from({ length: 5 }, (_, index) =>
    createBrowser(service.endpoint(`/reader-${index}`), { name: `reader-${index}` }),
  );
  const news = Object.fromEntries(browsers.slice(0, 3).map(({ name }) => [name, ["news"]]));
  const cwd = await openProject({ browsers, tags: news });
  const { url } = await openTestDatabase({ migrated: false });
  const script = scriptOf("When you outgrow one machine").replace("postgres://push@db.example.net/push", url);
  expect(script).toContain(url);
  const child = spawn("bash", ["-euc", script], {
    cwd,
    env: {
      PATH: [npxFolder(cwd), process.env["PATH"]].join(delimiter),
      WEBPUSH_ALLOW_HOST: "127.0.0.1", // where the push service of this test is
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
  const [exitCode] = (await once(child, "close")) as [number];
  expect(exitCode, said).toBe(0);
  expect(said).toMatch(/outcomes +3 accepted/);
  expect([...service.paths].sort()).toEqual(["/reader-0", "/reader-1", "/reader-2"]);
});

/** An `npx` that knows one package: the one under test. */
function npxFolder(cwd: string): string {
  const folder = join(cwd, "bin");
  mkdirSync(folder);
  const file = join(folder, "npx");
  writeFileSync(file, `#!/bin/sh\nshift\nexec '${process.execPath}' '${binary}' "$@"\n`);
  chmodSync(file, 0o755);
  return folder;
}
