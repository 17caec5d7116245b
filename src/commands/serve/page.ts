/**
 * Which page is served: a folder's, or the one that `webpush scaffold` would write, out of memory.
 */
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { UserError, systemCode } from "../../base/errors.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import {
  defaultAppName,
  defaultServerPath,
  defaultThemeColor,
  parseAppName,
} from "../../scaffold/answers.ts";
import { createPlan } from "../../scaffold/plan.ts";
import { readTemplate } from "../../scaffold/template.ts";
import { createFolderSite, createMemorySite, type Site } from "../../server/site.ts";
import type { Context } from "../context.ts";
import { keyRingOf } from "../key-ring.ts";
import { usualFolder } from "./page-settings.ts";

type Needs = Pick<Context, "cwd" | "config" | "settings" | "env">;

/** A folder to serve. */
export interface PageFolder {
  /** Absolute. */
  readonly folder: string;
  /** What people call it. */
  readonly shown: string;
}

/**
 * Finds the folder to serve; undefined when the built-in page is.
 *
 * @throws UserError `serve-folder`
 */
export function findPageFolder(dir: string | undefined, context: Needs): PageFolder | undefined {
  if (dir === undefined && !isFolder(join(context.cwd, usualFolder))) return undefined;
  const shown = dir ?? usualFolder;
  const folder = resolve(context.cwd, shown);
  if (shown.trim() === "" || shown.includes("\0") || !isFolder(folder)) throw notAFolder(shown, folder);
  // Reached through a link or by --config-dir, it is no less secret.
  const isState = realpathSync(folder) === realPathOf(stateFolderOf(context));
  if (isState || realpathSync(folder).split(sep).includes(".webpush")) throw stateServed(shown);
  return { folder, shown };
}

/** The site to serve: a folder's files, or those that `webpush scaffold` would write. */
export function openSite(page: PageFolder | undefined, publicKey: VapidPublicKey, context: Needs): Site {
  if (page === undefined) return builtInSite(publicKey, context);
  const secrets = async () => (await keyRingOf(context)).pairs.map(({ privateKey }) => privateKey);
  return createFolderSite({ folder: page.folder, stateFolder: stateFolderOf(context), secrets });
}

function stateFolderOf({ cwd, settings }: Needs): string {
  return dirname(resolve(cwd, settings.path));
}

function builtInSite(publicKey: VapidPublicKey, { cwd }: Needs): Site {
  const plan = createPlan(readTemplate("client"), {
    appName: appNameOf(cwd),
    publicKey,
    server: defaultServerPath,
    themeColor: defaultThemeColor,
  });
  return createMemorySite(new Map(plan.map(({ path, content }) => [path, content])));
}

/** The folder's name, where it can be an app's. */
function appNameOf(cwd: string): string {
  try {
    return parseAppName(basename(cwd));
  } catch (error) {
    if (error instanceof UserError) return defaultAppName;
    throw error;
  }
}

function isFolder(path: string): boolean {
  return systemAnswer(path) === "folder";
}

/** What the system says to a path: that it is there, or the code of its refusal. */
function systemAnswer(path: string): string {
  try {
    return statSync(path).isDirectory() ? "folder" : "other";
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path; // there is none yet
  }
}

function notAFolder(dir: string, path: string): UserError {
  const answer = dir.includes("\0") ? "ENOENT" : systemAnswer(path);
  const what =
    answer === "other"
      ? "is not a folder"
      : answer === "ENOENT"
        ? "is not there"
        : `cannot be opened (${answer})`;
  return new UserError("serve-folder", `cannot serve ${JSON.stringify(dir)}: it ${what}`, {
    hints: [
      "name the folder your page is in, or leave it out for the built-in page",
      "no page yet? webpush scaffold writes one",
    ],
  });
}

function stateServed(dir: string): UserError {
  return new UserError("serve-folder", `cannot serve ${JSON.stringify(dir)}: your private keys are in it`, {
    hints: ["name the folder your page is in"],
  });
}
