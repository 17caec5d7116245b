#!/usr/bin/env node
// Says which Node is needed before any newer syntax is read, then starts the program.
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 17)) {
  process.stderr.write(`error: webpush needs Node.js 20.17 or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
module.enableCompileCache?.(); // Node 22 and later
await import("../dist/cli/entry.js");
