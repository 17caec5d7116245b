/**
 * A page as the checks see it: its HTML, its scripts, the workers it registers, its manifests.
 *
 * Only scripts that say a word about push are parsed, and those that a worker brings in:
 * a bundle of a megabyte takes acorn a fifth of a second. A file is parsed once.
 */
import type { FolderFiles, LeftOut } from "./facts.ts";
import { parseHtml, type Html } from "./html.ts";
import { isPackageName, placeOf } from "./places.ts";
import { isRead, parseScript, type UnreadScript } from "./parse-script.ts";
import type { Script } from "./script.ts";
import { findRegistrations, type Registration } from "./registrations.ts";
import { findWorkers, type Worker } from "./workers.ts";

export interface Page {
  readonly files: FolderFiles;
  readonly htmls: readonly Html[];
  /** Scripts that run in pages; those inside of HTML files too. */
  readonly scripts: readonly Script[];
  readonly registrations: readonly Registration[];
  /** Those that pages register; where none is found, those that listen for pushes. */
  readonly workers: readonly Worker[];
  /** Files that speak of push and could not be read: TypeScript, JSX, too large. */
  readonly unread: readonly LeftOut[];
  /** The pages that load a script, directly or by way of others. */
  readonly loadedBy: (path: string) => readonly Html[];
  readonly sources: Sources;
}

/** The scripts of a folder, by what other scripts call them. */
export interface Sources {
  readonly scriptAt: (path: string) => Script | undefined;
  /** The file that `script` means by `source`; undefined when it is not in the folder, or unreadable. */
  readonly follow: (script: Script, source: string) => Script | undefined;
  /** Every script that was parsed so far. */
  readonly parsed: () => readonly Script[];
}

const scriptFile = /\.(?:m|c)?js$/i;
const foreignFile = /\.(?:ts|tsx|mts|jsx|vue|svelte|astro)$/i;
/** Characters that are parsed in all: a tree takes a hundred times the memory of its text. */
const mostParsed = 2 * 1024 * 1024;
const htmlFile = /\.html?$/i;

/** Words without which a file has nothing to do with push. */
const words =
  /serviceWorker|pushManager|PushManager|[nN]otification|pushsubscriptionchange|["'`]push["'`]|\bonpush\b|importScripts|applicationServerKey|vapid|publicKey|new Workbox\b/i;

export function readPage(files: FolderFiles): Page {
  const unread: LeftOut[] = files.leftOut.filter(
    ({ path }) => scriptFile.test(path) || foreignFile.test(path),
  );
  const sources = createSources(files, (script) => unread.push(script));
  const htmls = [...files.texts]
    .filter(([path]) => htmlFile.test(path))
    .map(([path, text]) => parseHtml(path, text));
  const inline = htmls.flatMap((html) => inlineScripts(html, (script) => unread.push(script)));
  for (const [path, text] of files.texts) {
    if (!words.test(text)) continue;
    if (foreignFile.test(path)) unread.push({ path, why: "is not plain JavaScript" });
    if (scriptFile.test(path)) sources.scriptAt(path);
  }
  const loadedBy = createLoadedBy(files, htmls);
  const all = (): readonly Script[] => [...inline, ...sources.parsed()];
  const registrations = findRegistrations(all(), sources, loadedBy);
  const workers = findWorkers(sources, registrations);
  const inWorker = new Set(workers.flatMap((worker) => worker.scripts));
  const scripts = all().filter((script) => !inWorker.has(script) || loadedBy(script.path).length > 0);
  return { files, htmls, scripts, registrations, workers, unread, loadedBy, sources };
}

function createSources(files: FolderFiles, onUnread: (script: UnreadScript) => void): Sources {
  const known = new Map<string, Script | undefined>();
  let parsedSize = 0;
  const scriptAt = (path: string): Script | undefined => {
    if (known.has(path)) return known.get(path);
    const text = scriptFile.test(path) ? files.texts.get(path) : undefined;
    parsedSize += text?.length ?? 0;
    const script =
      text === undefined ? undefined : parsedSize > mostParsed ? tooMuch(path) : parseScript(path, text);
    if (script !== undefined && !isRead(script)) onUnread(script);
    const read = script !== undefined && isRead(script) ? script : undefined;
    known.set(path, read);
    return read;
  };
  return {
    scriptAt,
    follow(script, source) {
      const place = placeOf(source, script.path);
      return place.kind === "inside" ? scriptAt(place.path) : undefined;
    },
    parsed: () => [...known.values()].filter((script) => script !== undefined),
  };
}

function tooMuch(path: string): UnreadScript {
  return { path, why: "more than 2 MB of scripts speak of push" };
}

function inlineScripts(html: Html, onUnread: (script: UnreadScript) => void): readonly Script[] {
  const handlers = [
    ...html.onLoad,
    ...html.onPress.map(({ value, line }) => ({ value: `onpress=()=>{${value}}`, line })),
  ];
  const texts = [
    ...html.scripts.filter(({ src }) => src === undefined),
    ...handlers.map(({ value, line }) => ({ text: value, line })),
  ];
  return texts.flatMap(({ text, line }) => {
    if (!/\w/.test(text)) return [];
    const script = parseScript(html.path, text, line);
    if (isRead(script)) return [script];
    if (words.test(text)) onUnread(script);
    return [];
  });
}

/** Follows `<script src>` and imports by their text, so that no file is parsed only to know who loads it. */
function createLoadedBy(files: FolderFiles, htmls: readonly Html[]): Page["loadedBy"] {
  const loaders = new Map<string, Set<Html>>();
  for (const html of htmls) {
    const waiting = html.scripts
      .flatMap(({ src, text }) => [...(src === undefined ? [] : [src]), ...importedBy(text)])
      .map((source) => placeOf(source, html.path));
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (place.kind !== "inside") continue;
      const known = loaders.get(place.path) ?? new Set();
      if (known.has(html)) continue;
      loaders.set(place.path, known.add(html));
      const { path } = place;
      waiting.push(...importedBy(files.texts.get(path) ?? "").map((source) => placeOf(source, path)));
    }
  }
  return (path) => {
    const itself = htmls.filter((html) => html.path === path);
    return itself.length > 0 ? itself : [...(loaders.get(path) ?? [])];
  };
}

function importedBy(text: string): readonly string[] {
  const imports = text.matchAll(/\b(?:import|export)\b[^"'`;]{0,500}["']([^"'\n]{1,500})["']/g);
  return [...imports].flatMap(([, source]) =>
    source !== undefined && !isPackageName(source) ? [source] : [],
  );
}
