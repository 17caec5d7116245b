/**
 * Where a project keeps its state: the nearest `.webpush/`, found as git finds `.git`.
 *
 * The folder is made at the first write, never by reading, with a `.gitignore` of
 * `*` in it, because it holds private keys and people's subscriptions.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";

const folderName = ".webpush";
const profilesFolder = "profiles";
const ignoreFile = ".gitignore";
const ignoreAll = "*";
const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The folder and files of one project and profile. */
export interface ProjectLocation {
  /** Where the command runs; paths below it are shown to people without it. */
  readonly cwd: string;
  /** The state folder, the `.gitignore` goes here. */
  readonly root: string;
  /** Where this profile's files are: `root`, or `root/profiles/NAME`. */
  readonly folder: string;
  readonly configFile: string;
  readonly subscriptionsFile: string;
}

export interface LocationOptions {
  readonly cwd: string;
  /** `--config-dir`: the state folder itself, instead of a search for `.webpush/`. */
  readonly configDir: string | undefined;
  readonly profile: string | undefined;
}

/**
 * Finds the state folder; opens and makes nothing.
 *
 * @throws UserError `profile-name`, `config-dir`
 */
export function locateProject({ cwd, configDir, profile }: LocationOptions): ProjectLocation {
  if (profile !== undefined && !profileName.test(profile)) {
    throw new UserError("profile-name", `${JSON.stringify(profile)} cannot be the name of a profile`, {
      hints: ["use letters, digits, dots, dashes and underscores, starting with a letter or digit"],
    });
  }
  // An unset variable of a script; it would put the private key into the working directory, in git's sight.
  if (configDir?.trim() === "") {
    throw new UserError("config-dir", "--config-dir is empty", {
      hints: ["check the variable it comes from, or leave the flag out"],
    });
  }
  const root = configDir === undefined ? nearestFolder(cwd) : resolve(cwd, configDir);
  const folder = profile === undefined ? root : join(root, profilesFolder, profile);
  return { cwd, root, folder, ...filesIn(folder) };
}

/** The location whose files are in `folder`. */
export function locationIn(folder: string, cwd: string): ProjectLocation {
  const isProfile = basename(dirname(folder)) === profilesFolder;
  return { cwd, root: isProfile ? dirname(dirname(folder)) : folder, folder, ...filesIn(folder) };
}

function filesIn(folder: string): Pick<ProjectLocation, "configFile" | "subscriptionsFile"> {
  return { configFile: join(folder, "config.json"), subscriptionsFile: join(folder, "subscriptions.json") };
}

function nearestFolder(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const candidate = join(folder, folderName);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return join(cwd, folderName);
  }
}

/** A state file's path as a person would write it here. */
export function shownPath(path: string, { cwd }: Pick<ProjectLocation, "cwd">): string {
  const fromHere = relative(cwd, path);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? path : fromHere;
}

/**
 * Makes the state folder, for its owner alone, and its `.gitignore`. A folder that holds
 * other things (`--config-dir .`) gets none: git would no longer see those either.
 *
 * @throws UserError `store-unwritable`
 */
export function makeProjectFolder({ root, folder }: ProjectLocation): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    if (readdirSync(root).length === 0) writeIgnoreFile(root);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

function writeIgnoreFile(root: string): void {
  try {
    writeFileSync(join(root, ignoreFile), `${ignoreAll}\n`, { flag: "wx" });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error; // Another process was as quick as we.
  }
}

/** Whether git leaves the whole state folder alone. */
export function isIgnoredByGit({ root }: Pick<ProjectLocation, "root">): boolean {
  try {
    return readFileSync(join(root, ignoreFile), "utf8").split(/\r?\n/).includes(ignoreAll);
  } catch {
    return false;
  }
}

/** The error for a state file that cannot be written, with what to do by its cause. */
export function unwritable(path: string, cause: unknown): UserError {
  const code = systemCode(cause) ?? "unknown error";
  const hint = code === "ENOSPC" ? "free some disk space" : "check who owns it, or use --config-dir";
  return new UserError("store-unwritable", `cannot write ${path} (${code})`, {
    kind: "failed",
    hints: [`${hint}; nothing was changed`],
    cause,
  });
}

/** Whether anybody but its owner may read a file; false where it cannot be told: none there, or Windows. */
export function isReadableByOthers(path: string): boolean {
  if (sep !== "/") return false;
  try {
    return (statSync(path).mode & 0o044) !== 0;
  } catch {
    return false; // reading it will say what is wrong
  }
}
