/**
 * The files a page consists of: those of a folder, or some that are held in memory.
 *
 * A file is served when its real path, every link followed, lies inside of the real
 * folder and no part of it below starts with a dot. So neither a link nor a name can
 * lead to what is outside, to `.webpush/` or to `.env`. A file that holds one of the
 * project's private keys is not served whatever it is called.
 */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { systemCode } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { mediaTypeOf } from "./media-types.ts";
import { quote, refuse, type Refusal } from "./refusal.ts";
import type { SitePath } from "./site-path.ts";

export interface SiteFile {
  readonly kind: "file";
  readonly content: Uint8Array;
  readonly mediaType: string;
}

/** The path is a folder's, without the slash that relative links in it need. */
interface FolderFound {
  readonly kind: "folder";
}

export type SiteAnswer = SiteFile | FolderFound | Refusal;

/** What is served beside the resources of the server itself. */
export interface Site {
  read(path: SitePath): Promise<SiteAnswer>;
  /** A strict policy for every page of the site; undefined when its pages are other people's and say themselves. */
  readonly contentSecurityPolicy: string | undefined;
}

/** The scaffolded page needs no more; templates/client/index.html says the same of itself. */
const strictPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const index = "index.html";
/** Larger files are not for a page's development server, which reads them whole. */
const largestFileBytes = 64 * 1024 * 1024;

/** A site of files in memory, by their paths with forward slashes. */
export function createMemorySite(files: ReadonlyMap<string, Uint8Array>): Site {
  return {
    contentSecurityPolicy: strictPolicy,
    read({ segments, isFolder }) {
      const name = [...segments, ...(isFolder ? [index] : [])].join("/");
      const content = files.get(name);
      const isFile = content !== undefined;
      return Promise.resolve(isFile ? fileOf(name, content) : missing(name));
    },
  };
}

export interface FolderSiteOptions {
  /** Absolute. */
  readonly folder: string;
  /** Where this project's state is; nothing in there is served, whatever the folder is called. */
  readonly stateFolder: string;
  /** What no file may contain. */
  readonly secrets: () => Promise<readonly Secret<string>[]>;
}

/** A site of the files in a folder, read anew for each request. */
export function createFolderSite({ folder, stateFolder, secrets }: FolderSiteOptions): Site {
  return {
    contentSecurityPolicy: undefined,
    async read({ segments, isFolder }) {
      const name = [...segments, ...(isFolder ? [index] : [])].join("/");
      try {
        const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
        if (!isServed(root, path) || (await isState(path, root, stateFolder))) return isPrivate(name);
        return await readFound(name, path, secrets);
      } catch (error) {
        return unreadable(name, error);
      }
    },
  };
}

async function readFound(
  name: string,
  path: string,
  secrets: FolderSiteOptions["secrets"],
): Promise<SiteAnswer> {
  // The path is real, so a link in its place now was put there since it was looked at.
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = await file.stat();
  if (found.isDirectory()) return { kind: "folder" };
  if (!found.isFile()) return isPrivate(name);
  if (found.size > largestFileBytes) {
    return refuse(
      413,
      "file-too-large",
      `${quote(name)} is larger than ${largestFileBytes / 1024 / 1024} MB`,
    );
  }
  const content = await file.readFile();
  const held = await secrets();
  if (held.some((secret) => content.includes(secret.reveal()))) {
    return refuse(404, "path-private", `${quote(name)} is not served: one of your private keys is in it`);
  }
  return fileOf(name, content);
}

/** Whether a real path lies inside of the real `root`, with no name below it that starts with a dot. */
function isServed(root: string, path: string): boolean {
  const way = relative(root, path);
  return !isAbsolute(way) && !way.split(sep).some((name) => name.startsWith("."));
}

/** Whether a real path lies in the state folder; a site that lies in there itself was opened on purpose. */
async function isState(path: string, root: string, stateFolder: string): Promise<boolean> {
  try {
    const state = await realpath(stateFolder);
    return contains(state, path) && !contains(state, root);
  } catch {
    return false; // there is none yet
  }
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`);
}

function fileOf(name: string, content: Uint8Array): SiteFile {
  return { kind: "file", content, mediaType: mediaTypeOf(name) };
}

function missing(name: string): Refusal {
  return refuse(404, "not-found", `there is no ${quote(name)} in the site`);
}

function isPrivate(name: string): Refusal {
  return refuse(
    404,
    "path-private",
    `${quote(name)} is not served: it leads out of the site, or to something private`,
  );
}

function unreadable(name: string, error: unknown): Refusal {
  const code = systemCode(error);
  switch (code) {
    case undefined:
      throw error;
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return missing(name);
    case "ELOOP":
      return isPrivate(name);
    default:
      return refuse(404, "file-unreadable", `${quote(name)} cannot be read (${code})`);
  }
}
