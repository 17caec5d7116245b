/**
 * Looks at the package as npm will publish it: publint, then the types as TypeScript's resolvers see them.
 *
 * Run it as `npm run pack:check`: npm puts the programs it starts on the PATH.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "webpush-pack-"));

/** Runs a program to its end and answers what it printed; throws when it fails. */
function run(command, ...args) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
  });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} ${args.join(" ")} failed\n${stdout ?? ""}${error?.message ?? ""}`);
}

try {
  const packed = run("npm", "pack", "--silent", "--pack-destination", folder);
  const tarball = join(folder, packed.split("\n").at(-1));
  console.log(run("publint", "--strict", tarball));
  console.log(run("attw", "--profile", "esm-only", "--no-emoji", "--format", "ascii", tarball));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
