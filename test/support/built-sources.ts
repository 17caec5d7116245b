/** Sources as the JavaScript they are shipped as, for what loads files by itself: worker threads, child processes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { loadedWith, readSourceTree } from "./source-tree.ts";
import { tempFolder } from "./temp-folder.ts";

/**
 * Some files of src/ with all that their static imports reach, in a folder that goes when the
 * test ends. No package can be found from there. Returns the address of a file in it.
 */
export function buildSources(...entries: readonly string[]): (path: string) => URL {
  const folder = tempFolder();
  const files = readSourceTree();
  for (const { path, tree } of entries.flatMap((entry) => loadedWith(entry, files))) {
    const built = join(folder, path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(built), { recursive: true });
    const { outputText } = ts.transpileModule(tree.text, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(built, outputText);
  }
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  return (path) => pathToFileURL(join(folder, path));
}
