/**
 * For a whole run of vitest: where its PostgreSQL is kept, and its end. Started by the first test that needs it
 * (postgres.ts), so that a run without such tests pays nothing.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    readonly postgres: { readonly folder: string; readonly pid: number };
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "webpush-run-"));
  project.provide("postgres", { folder, pid: process.pid });
  return () => {
    const home = textOf(join(folder, "home"));
    const first = Number(textOf(join(home, "data", "postmaster.pid")).split("\n")[0]);
    if (first > 0) process.kill(first, "SIGQUIT");
    if (home !== "") rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    rmSync(folder, { recursive: true, force: true });
  };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
