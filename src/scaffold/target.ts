/**
 * The folder that is written into, and what already stands where files would go.
 *
 * Looks only. A repository from a stranger may hold symbolic links that lead
 * anywhere (CVE-2026-23745 of node-tar is the lesson): a link in the way is never
 * followed, and a folder under the working directory must really lie there.
 */
import { lstatSync, readFileSync, realpathSync, statSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";
import type { PlannedFile } from "./plan.ts";

/** A folder to write into; it may not exist yet. */
export interface Target {
  /** The real, absolute path: no link in the part of it that exists. */
  readonly root: string;
  /** What people call it, as they typed it. */
  readonly shown: string;
}

/** What writing a file does to the folder. */
export type FileOutcome = "created" | "replaced" | "unchanged";

/** A planned file, where it goes, and what writing it would do. */
export interface InspectedFile {
  readonly file: PlannedFile;
  /** Absolute. */
  readonly path: string;
  readonly outcome: FileOutcome;
}

/** A folder and what is to be in it. */
export interface Filled {
  readonly target: Target;
  readonly plan: readonly PlannedFile[];
}

/** A folder and what writing would do in it. */
export interface Inspected {
  readonly target: Target;
  readonly files: readonly InspectedFile[];
}

/**
 * Finds the folder `dir` names; makes nothing.
 *
 * @throws UserError `scaffold-folder`, `scaffold-link`
 */
export function locateTarget(dir: string, cwd: string): Target {
  if (dir.trim() === "" || dir.includes("\0")) {
    throw new UserError("scaffold-folder", `${JSON.stringify(dir)} cannot be a folder`, {
      hints: ["name a folder, such as public, or . for this one"],
    });
  }
  const shown = normalize(dir);
  const wanted = resolve(cwd, dir);
  const existing = nearestExisting(wanted);
  const root = join(realPathOf(existing, shown), relative(existing, wanted));
  if (isInside(cwd, wanted) && !isInside(realpathSync(cwd), root)) {
    throw linkError(`${shown} leads out of the working directory, to ${root}`, "name that folder itself");
  }
  return { root, shown };
}

/** A file of the target as people would name it from where they stand. */
export function shownFile({ shown }: Target, path: string): string {
  return join(shown, path);
}

/** Whether `path` is `folder` or lies under it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function nearestExisting(path: string): string {
  return lookAt(path, path) !== undefined || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function realPathOf(path: string, shown: string): string {
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    const code = systemCode(error) ?? "unknown error";
    throw linkError(`${shown} leads nowhere (${code})`, "remove the link", error);
  }
  if (statSync(real).isDirectory()) return real;
  throw new UserError("scaffold-folder", `${shown} cannot be a folder: ${path} is a file`, {
    hints: ["choose another folder"],
  });
}

/**
 * What stands where each file would go. All obstacles in all folders are found here, before anything is written.
 *
 * @throws UserError `scaffold-link`, `scaffold-folder`, and `scaffold-conflict` unless `force`
 */
export function inspectTargets(
  filled: readonly Filled[],
  { force }: { readonly force: boolean },
): readonly Inspected[] {
  const inspected = filled.map(({ target, plan }) => ({
    target,
    files: plan.map((file) => inspectFile(target, file)),
  }));
  const conflicts = inspected.flatMap(({ target, files }) =>
    files.filter(({ outcome }) => outcome === "replaced").map(({ file }) => shownFile(target, file.path)),
  );
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);
  return inspected;
}

function inspectFile(target: Target, file: PlannedFile): InspectedFile {
  const path = resolve(target.root, file.path);
  if (!isInside(target.root, path) || path === target.root) {
    throw new Error(`the template's ${JSON.stringify(file.path)} leads out of the folder`);
  }
  for (const folder of foldersBetween(target.root, dirname(path))) {
    const found = lookAt(folder, shownIn(target, folder));
    if (found === undefined) return { file, path, outcome: "created" };
    if (found.isSymbolicLink()) throw linkInside(target, folder);
    if (!found.isDirectory()) throw blocked(target, folder, "is not a folder");
  }
  const found = lookAt(path, shownIn(target, path));
  if (found === undefined) return { file, path, outcome: "created" };
  if (found.isSymbolicLink()) throw linkInside(target, path);
  if (!found.isFile()) throw blocked(target, path, found.isDirectory() ? "is a folder" : "is not a file");
  return { file, path, outcome: isSame(path, found, file.content) ? "unchanged" : "replaced" };
}

/** `root` and every folder on the way down to `folder`, outermost first. */
function foldersBetween(root: string, folder: string): readonly string[] {
  return folder === root ? [root] : [...foldersBetween(root, dirname(folder)), folder];
}

/** The entry itself, links not followed; undefined when there is none. */
function lookAt(path: string, shown: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UserError("scaffold-folder", `cannot look at ${shown} (${code ?? "unknown error"})`, {
      kind: "failed",
      hints: ["check the folder and its permissions"],
      cause: error,
    });
  }
}

/** A file that may not be read counts as different: it is somebody's. */
function isSame(path: string, { size }: Stats, content: Uint8Array): boolean {
  if (size !== content.length) return false;
  try {
    return readFileSync(path).equals(content);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function shownIn(target: Target, path: string): string {
  return shownFile(target, relative(target.root, path));
}

function linkInside(target: Target, path: string): UserError {
  const hint = "remove the link or choose another folder";
  return linkError(`${shownIn(target, path)} is not followed`, hint);
}

function linkError(message: string, hint: string, cause?: unknown): UserError {
  return new UserError("scaffold-link", `the symbolic link ${message}`, {
    hints: [`${hint}; nothing was written`],
    cause,
  });
}

function blocked(target: Target, path: string, why: string): UserError {
  return new UserError("scaffold-folder", `${shownIn(target, path)} is in the way: it ${why}`, {
    hints: ["move it away or choose another folder; nothing was written"],
  });
}

const mostNamed = 4;

function conflictError(paths: readonly string[]): UserError {
  const [only = ""] = paths;
  const named = paths.slice(0, mostNamed).join(", ");
  const more = paths.length > mostNamed ? ` and ${paths.length - mostNamed} more` : "";
  const message =
    paths.length === 1
      ? `${only} is there already and differs`
      : `${paths.length} files are there already and differ: ${named}${more}`;
  return new UserError("scaffold-conflict", message, {
    hints: ["add --force to replace what differs, or choose another folder; nothing was written"],
  });
}
