/**
 * Whether Firefox can show notifications through the system: it loads libnotify, which not every machine has.
 *
 * Without it, and with the system's notifications preferred, `showNotification()` is
 * rejected; so Firefox is told beforehand to draw its own.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserEnvironment } from "./browser.ts";

/** The name that Firefox loads. */
const library = "libnotify.so.4";
/** Where Linux distributions keep libraries, themselves or in a folder per architecture. */
const folders = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/app/lib"];
const architecture = /-linux-/;

/** Looks in the folders that the loader looks in. */
export function hasLibnotify(env: BrowserEnvironment): boolean {
  const own = (env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...own, ...folders].some(
    (folder) =>
      existsSync(join(folder, library)) ||
      subfoldersOf(folder).some((name) => existsSync(join(folder, name, library))),
  );
}

function subfoldersOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => architecture.test(name));
  } catch {
    return [];
  }
}
