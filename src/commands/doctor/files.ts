/** The state folder and what lies beside the project, as facts for the doctor. Changes nothing. */
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  statfsSync,
  statSync,
  type Stats,
} from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../../base/errors.ts";
import type { ProjectFacts, SecretFile, StateEntry, StateFolder } from "../../doctor/facts.ts";
import { shownPath } from "../../store/project.ts";
import type { Context } from "../context.ts";

type Needs = Pick<Context, "cwd" | "settings" | "env" | "receivers">;

/** As deep as state files lie: `profiles/NAME/receivers/NAME.json`. */
const deepest = 4;
const mostEntries = 5000;

/** The state folder of the project. */
export function readStateFolder(context: Needs): StateFolder {
  const folder = dirname(resolve(context.cwd, context.settings.path));
  const isThere = existsSync(folder);
  return {
    path: shownPath(folder, context),
    isThere,
    isIgnored: context.settings.isIgnoredByGit(),
    entries: isThere ? entriesOf(folder, context) : [],
    freeBytes: freeBytesOf(isThere ? folder : context.cwd),
  };
}

function entriesOf(root: string, { cwd }: Needs): readonly StateEntry[] {
  const uid = userInfo().uid;
  const entries: StateEntry[] = [];
  const visit = (path: string, depth: number): void => {
    const stats = statsOf(path);
    if (stats === undefined || entries.length >= mostEntries) return;
    const kind = stats.isDirectory() ? "folder" : stats.isFile() ? "file" : "other";
    entries.push({
      path: shownPath(path, { cwd }),
      kind,
      mode: sep === "/" ? stats.mode & 0o777 : undefined,
      isMine: uid < 0 ? undefined : stats.uid === uid,
      changedAt: stats.mtimeMs,
    });
    if (kind === "folder" && depth < deepest)
      for (const name of namesIn(path)) visit(join(path, name), depth + 1);
  };
  visit(root, 0);
  return entries;
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // Not there, or not for us: a link to itself, a name too long, a folder above that is locked.
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // Whose it is was noted; what is in it is not ours to see.
  }
}

function freeBytesOf(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

type Surroundings = Pick<ProjectFacts, "damaged" | "secretFiles" | "isInGit" | "isExtraCaReadable">;

/** What lies around the stores. */
export function readSurroundings(context: Needs): Surroundings {
  const extraCa = context.env["NODE_EXTRA_CA_CERTS"] ?? "";
  return {
    damaged: damagedIn(context),
    secretFiles: secretFilesIn(context.cwd),
    isInGit: isInGit(context.cwd),
    isExtraCaReadable: extraCa === "" ? undefined : isReadable(resolve(context.cwd, extraCa)),
  };
}

/** The errors of the state files besides keys and subscriptions. */
function damagedIn(context: Needs): readonly UserError[] {
  const folder = dirname(resolve(context.cwd, context.settings.path));
  const names = namesIn(join(folder, "receivers"))
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.replace(/\.json$/, ""));
  return names.flatMap((name) => {
    try {
      context.receivers.read(name);
      return [];
    } catch (error) {
      if (error instanceof UserError) return [error];
      throw error;
    }
  });
}

/** `.env` files that hold a VAPID private key. Whether git ignores one is told by the .gitignore files above it. */
function secretFilesIn(cwd: string): readonly SecretFile[] {
  return namesIn(cwd)
    .filter((name) => /^\.env(?:\.|$)/.test(name) && !/\.(?:example|sample|template|dist)$/.test(name))
    .filter((name) =>
      /^\s*(?:export\s+)?VAPID_PRIVATE_KEY[ \t]*=[ \t]*["']?[\w+/=-]{20,}/m.test(textOf(join(cwd, name))),
    )
    .map((path) => ({ path, isIgnored: isIgnored(cwd, path) }));
}

/** Whether a file's nearest rule in the .gitignore files from the repository down to it leaves it out. */
function isIgnored(cwd: string, name: string): boolean {
  const folders: string[] = [];
  for (let folder = cwd; ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (existsSync(join(folder, ".git")) || dirname(folder) === folder) break;
  }
  const rules = folders.flatMap((folder) => {
    const path = relative(folder, join(cwd, name)).replaceAll(sep, "/");
    const lines = textOf(join(folder, ".gitignore")).split(/\r?\n/);
    return lines.map((line) => ({ rule: line.trim(), path }));
  });
  const last = rules.findLast(({ rule, path }) => rule !== "" && !rule.startsWith("#") && fits(rule, path));
  return last?.rule.startsWith("!") === false;
}

/** Good for the rules that people write for such files: names, paths from the rule's own folder, `*` and `?`. */
function fits(rule: string, path: string): boolean {
  const pattern = rule.replace(/^!/, "").replace(/^\*\*\//, "");
  const isPath = pattern.includes("/");
  const source = pattern
    .replace(/^\//, "")
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`).test(isPath ? path : basename(path));
}

function isInGit(cwd: string): boolean {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return true;
    if (dirname(folder) === folder) return false;
  }
}

function textOf(path: string): string {
  try {
    const stats = statSync(path);
    // A pipe in its place would be waited for without end.
    return stats.isFile() && stats.size < 1024 * 1024 ? readFileSync(path, "utf8") : "";
  } catch {
    return "";
  }
}

/**
 * The folder of the page to look at; undefined when none is named and none is found.
 *
 * @throws UserError `doctor-folder`
 */
export function findPageFolder(
  dir: string | undefined,
  { cwd }: Pick<Needs, "cwd">,
): { readonly folder: string; readonly shown: string } | undefined {
  if (dir === undefined) {
    if (isFolder(join(cwd, "public"))) return { folder: join(cwd, "public"), shown: "public" };
    return existsSync(join(cwd, "index.html")) ? { folder: cwd, shown: "." } : undefined;
  }
  const folder = resolve(cwd, dir);
  if (dir.trim() !== "" && !dir.includes("\0") && isFolder(folder)) return { folder, shown: dir };
  throw new UserError("doctor-folder", `cannot look at ${JSON.stringify(dir)}: it is not a folder`, {
    hints: ["name the folder your page is in, or leave it out"],
  });
}

function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
