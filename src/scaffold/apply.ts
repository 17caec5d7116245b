/**
 * Writes plans into their folders: all of them, or nothing.
 *
 * Whatever can be known beforehand is known before the first write. When a write
 * fails all the same (disk full, permission), files and folders this run made are
 * removed again and replaced files are put back. Everything here is synchronous,
 * so Ctrl-C cannot come in between. Existing files are replaced by a rename, so
 * a reader sees the old one or the new one, and the old one waits beside it,
 * where putting it back needs no room on the disk.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UserError, messageOf, systemCode } from "../base/errors.ts";
import { inspectTargets, shownFile, type Filled, type Inspected, type InspectedFile } from "./target.ts";

/** How to take back, or to complete, one step that was done. */
interface Step {
  readonly undo: () => void;
  readonly finish?: () => void;
  /** What remains when it cannot be taken back. */
  readonly remains: string;
}

/**
 * Writes each plan into its folder and answers what became of the files. Existing files that differ are replaced with
 * `force` alone.
 *
 * @throws UserError `scaffold-unwritable`, and the codes of `inspectTargets`
 */
export function applyPlans(
  filled: readonly Filled[],
  options: { readonly force: boolean },
): readonly Inspected[] {
  const inspected = inspectTargets(filled, options);
  const done: Step[] = [];
  for (const { target, files } of inspected) {
    for (const entry of files) {
      try {
        write(entry, done);
      } catch (error) {
        const remains = takeBack(done);
        if (systemCode(error) === undefined) throw error;
        throw unwritable(shownFile(target, entry.file.path), remains, error);
      }
    }
  }
  for (const { finish } of done) finish?.();
  return inspected;
}

function write({ path, file, outcome }: InspectedFile, done: Step[]): void {
  switch (outcome) {
    case "created":
      makeFolder(dirname(path), done);
      create(path, file.content, done);
      return;
    case "replaced":
      replace(path, file.content, done);
      return;
    case "unchanged":
      return;
    default:
      outcome satisfies never;
  }
}

/** Makes a folder and what is missing above it, one by one, so that each can be taken back. */
function makeFolder(path: string, done: Step[]): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" && lstatSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path), done);
    mkdirSync(path);
  }
  done.push({
    undo: () => {
      rmdirSync(path);
    },
    remains: path,
  });
}

/** `wx` is O_EXCL: it fails on anything that has come since we looked, a link included. */
function create(path: string, content: Uint8Array, done: Step[]): void {
  const descriptor = openSync(path, "wx");
  done.push({
    undo: () => {
      rmSync(path);
    },
    remains: path,
  });
  try {
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function replace(path: string, content: Uint8Array, done: Step[]): void {
  const aside = mkdtempSync(join(dirname(path), ".webpush-"));
  const [old, fresh] = [join(aside, "old"), join(aside, "new")];
  const clear = (): void => {
    rmSync(aside, { recursive: true, force: true });
  };
  let isReplaced = false;
  done.push({
    undo: () => {
      if (isReplaced) renameSync(old, path);
      clear();
    },
    finish: clear,
    remains: aside,
  });
  writeFileSync(fresh, content, { flag: "wx" });
  chmodSync(fresh, lstatSync(path).mode & 0o777);
  keep(path, old);
  renameSync(fresh, path);
  isReplaced = true;
}

/** A second name for the file, or a copy where the file system has no hard links. */
function keep(path: string, old: string): void {
  try {
    linkSync(path, old);
  } catch {
    copyFileSync(path, old);
  }
}

/** Undoes the steps, last first, and answers what could not be undone. */
function takeBack(done: readonly Step[]): readonly string[] {
  return done.toReversed().flatMap(({ undo, remains }) => {
    try {
      undo();
      return [];
    } catch (error) {
      return [`${remains} (${systemCode(error) ?? messageOf(error)})`];
    }
  });
}

const noRoom = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

function unwritable(shown: string, remains: readonly string[], cause: unknown): UserError {
  const code = systemCode(cause) ?? "unknown error";
  const hint = noRoom.has(code) ? "free some disk space" : "check who owns the folder, or choose another";
  return new UserError("scaffold-unwritable", `cannot write ${shown} (${code})`, {
    kind: "failed",
    hints:
      remains.length === 0
        ? [`${hint}; the folder is as it was`]
        : [hint, `look at what could not be put back: ${remains.join(", ")}`],
    cause,
  });
}
