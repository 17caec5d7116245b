/**
 * What a served page says of itself in webpush-config.js, compared with what this server does.
 *
 * The file is read as text, never run. A page that sets its values in another way is
 * left alone.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../base/errors.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import type { PageFolder } from "./page.ts";
import { basePath } from "../../server/base-path.ts";

/** One thing that will not work as it stands, and the fix. */
export interface PageProblem {
  readonly what: string;
  readonly fix: string;
}

const pageSettingsFile = "webpush-config.js";

/** Where a page is unless somebody says otherwise. */
export const usualFolder = "public";

/** The settings of a page in `folder` that name this key; undefined when there are none. */
export function settingsWithKey({ folder, shown }: PageFolder, key: VapidPublicKey): string | undefined {
  const text = readText(join(folder, pageSettingsFile));
  return text?.includes(key) === true ? join(shown, pageSettingsFile) : undefined;
}

/** The problems of the page in `folder`, called `shown`. */
export function pageProblems(
  { folder, shown }: PageFolder,
  publicKey: VapidPublicKey,
): readonly PageProblem[] {
  const file = join(shown, pageSettingsFile);
  if (readText(join(folder, "index.html")) === undefined) {
    return [
      { what: `there is no index.html in ${shown}`, fix: `webpush scaffold ${shown} writes a page into it` },
    ];
  }
  const text = readText(join(folder, pageSettingsFile));
  return text === undefined ? [] : [...serverProblem(text, file), ...keyProblem(text, file, publicKey)];
}

function serverProblem(text: string, file: string): readonly PageProblem[] {
  const [, literal] = /^\s*server:\s*(null|"[^"\n]*"|'[^'\n]*')/m.exec(text) ?? [];
  if (literal === undefined) return [];
  const server = literal === "null" ? undefined : literal.slice(1, -1);
  if (server === basePath) return [];
  const what =
    server === undefined
      ? "the page keeps its subscriptions to itself: it names no server"
      : `the page looks for its server at ${JSON.stringify(server)}, and this one answers at ${basePath}`;
  return [{ what, fix: `write server: "${basePath}", into ${file}` }];
}

function keyProblem(text: string, file: string, publicKey: VapidPublicKey): readonly PageProblem[] {
  const [, key] = /^\s*publicKey:\s*["']([\w-]*)["']/m.exec(text) ?? [];
  if (key === undefined || key === publicKey) return [];
  return [
    {
      what: `the key in the page is ${key.slice(0, 12)}…, this project's is ${publicKey.slice(0, 12)}…`,
      fix: `write publicKey: "${publicKey}", into ${file}`,
    },
  ];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
