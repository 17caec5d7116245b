// Builds dist/ from nothing, so that a file deleted in src/ cannot live on in the package.
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;

// TypeScript 6.0 forgets to rewrite a dynamic import in a function that has `await using` in it: import it elsewhere.
for (const path of readdirSync(new URL("../dist", import.meta.url), { recursive: true })) {
  if (!path.endsWith(".js")) continue;
  const text = readFileSync(new URL(`../dist/${path}`, import.meta.url), "utf8");
  for (const [found] of text.matchAll(/(?:from |import\()"\.{1,2}\/[^"]+\.ts"/g)) {
    console.error(`dist/${path} still imports a source file: ${found}`);
    process.exitCode = 1;
  }
}
