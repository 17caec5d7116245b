/** Folders that live as long as the test that asked for them. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new empty folder outside of any project, removed when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "webpush-test-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
