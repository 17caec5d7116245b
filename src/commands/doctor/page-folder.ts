/**
 * Reads the folder of a page for the doctor: names of everything, contents of what is text.
 *
 * Bounded in number, size and depth, so that somebody's home folder or a build of a
 * gigabyte is looked at for a second and not for an hour. Links are followed only to
 * files inside of the folder. What is left out is named.
 */
import { readFileSync, readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import { extname, join, sep } from "node:path";
import { systemCode } from "../../base/errors.ts";
import type { FolderFiles, LeftOut } from "../../doctor/page/facts.ts";

const mostFiles = 5000;
const deepestFolder = 12;
const largestFileBytes = 1024 * 1024;
const mostBytes = 12 * 1024 * 1024;

const textFiles = new Set(
  ".html .htm .js .mjs .cjs .json .webmanifest .ts .tsx .mts .jsx .vue .svelte .astro .txt .pem .key .yml .yaml".split(
    " ",
  ),
);
/** Others' code, and what no page is served from. */
const skippedFolders = new Set(["node_modules", "bower_components"]);

/** The files of `folder`, which people call `shown`. */
export function readPageFolder(folder: string, shown: string): FolderFiles {
  return new FolderReader(folder).read(shown);
}

class FolderReader {
  readonly #root: string;
  readonly #texts = new Map<string, string>();
  readonly #paths = new Set<string>();
  readonly #hidden: string[] = [];
  readonly #leftOut: LeftOut[] = [];
  #bytes = 0;

  constructor(folder: string) {
    this.#root = realpathSync(folder);
  }

  read(shown: string): FolderFiles {
    // Breadth first: when there is too much, what lies on top is what the page is made of.
    const folders: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
    for (const { path, depth } of folders) {
      for (const entry of this.#entries(path)) {
        const name = path === "" ? entry.name : `${path}/${entry.name}`;
        if (entry.name.startsWith(".")) {
          this.#hidden.push(name);
        } else if (entry.isDirectory()) {
          if (skippedFolders.has(entry.name)) continue;
          if (depth < deepestFolder) folders.push({ path: name, depth: depth + 1 });
          else this.#leaveOut(name, "lies too deep");
        } else if (this.#paths.size >= mostFiles) {
          this.#leaveOut("…", `there are more than ${mostFiles} files`);
          return this.#files(shown);
        } else {
          this.#take(name, entry);
        }
      }
    }
    return this.#files(shown);
  }

  #files(shown: string): FolderFiles {
    return {
      shown,
      texts: this.#texts,
      paths: this.#paths,
      hidden: this.#hidden,
      leftOut: this.#leftOut,
    };
  }

  #entries(path: string): readonly Dirent[] {
    try {
      const entries = readdirSync(join(this.#root, path), { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      this.#leaveOut(path === "" ? "." : path, reasonOf(error));
      return [];
    }
  }

  #take(name: string, entry: Dirent): void {
    const path = join(this.#root, name);
    try {
      if (entry.isSymbolicLink() && !realpathSync(path).startsWith(this.#root + sep)) {
        this.#leaveOut(name, "is a link out of the folder");
        return;
      }
      const stats = statSync(path);
      if (!stats.isFile()) return;
      this.#paths.add(name);
      if (!textFiles.has(extname(name).toLowerCase())) return;
      if (stats.size > largestFileBytes) this.#leaveOut(name, "is larger than 1 MB");
      else if (this.#bytes + stats.size > mostBytes)
        this.#leaveOut(name, "the folder has more text than 12 MB");
      else this.#texts.set(name, this.#read(path));
    } catch (error) {
      this.#leaveOut(name, reasonOf(error));
    }
  }

  #read(path: string): string {
    const text = readFileSync(path, "utf8");
    this.#bytes += text.length;
    return text;
  }

  #leaveOut(path: string, why: string): void {
    this.#leftOut.push({ path, why });
  }
}

/** @throws what is no refusal of the system */
function reasonOf(error: unknown): string {
  const code = systemCode(error);
  if (code === undefined) throw error;
  return code === "EACCES" || code === "EPERM" ? "is not yours to read" : `cannot be read (${code})`;
}
