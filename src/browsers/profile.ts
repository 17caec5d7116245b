/**
 * The folder a browser keeps everything in: a new one of the person's own, gone at the end, or one that was given.
 *
 * A throw-away profile is what makes two runs alike, and what keeps a test away
 * from somebody's everyday browser.
 */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";
import type { BrowserEnvironment, BrowserName } from "./browser.ts";

/** A folder that is there for a while. */
interface Folder {
  readonly path: string;
  /** Removes it if it was made for this run. */
  remove(): Promise<void>;
}

export interface Profile extends Folder {
  readonly isThrowAway: boolean;
}

/**
 * Makes a profile's folder, which only its owner may enter.
 *
 * @throws UserError `browser-profile`
 */
export async function openProfile(
  name: BrowserName,
  { env, given }: { readonly env: BrowserEnvironment; readonly given: string | undefined },
): Promise<Profile> {
  if (given === undefined)
    return { ...(await openPrivateFolder(`webpush-${name}-`, temporaryFolder(env))), isThrowAway: true };
  try {
    await mkdir(given, { recursive: true, mode: 0o700 });
    return { path: await realpath(given), isThrowAway: false, remove: () => Promise.resolve() };
  } catch (error) {
    throw cannotMake(given, error);
  }
}

/** Where temporary files go. */
export function temporaryFolder(env: BrowserEnvironment): string {
  return env["TMPDIR"] ?? tmpdir();
}

/**
 * Makes a new folder that only its owner may enter, as mkdtemp's are.
 *
 * @throws UserError `browser-profile`
 */
export async function openPrivateFolder(prefix: string, parent: string): Promise<Folder> {
  try {
    const path = await mkdtemp(join(await realpath(parent), prefix));
    return { path, remove: () => removeFolder(path) };
  } catch (error) {
    throw cannotMake(parent, error);
  }
}

function cannotMake(path: string, cause: unknown): UserError {
  return new UserError(
    "browser-profile",
    `no folder for the browser can be made at ${path}: ${codeOf(cause)}`,
    {
      kind: "failed",
      hints: ["make sure that the folder for temporary files (TMPDIR) can be written"],
      cause,
    },
  );
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? String(error);
}

/** The last children of a browser still write for a moment after it has ended: hence the retries. */
async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Writes a file of the profile, its folders too. */
export async function writeProfileFile(profile: Profile, name: string, text: string): Promise<void> {
  const path = join(profile.path, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

/** A file of the profile, `undefined` when there is none. */
export async function readProfileFile(profile: Profile, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(profile.path, name), "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
