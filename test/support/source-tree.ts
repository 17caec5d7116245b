/** The source files of the project as syntax trees, and what they import. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../src/", import.meta.url));

export interface SourceFile {
  /** Path below src/, with forward slashes: `store/lock.ts`. */
  readonly path: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** Path below src/ of one of our own files, or the package's name; `node:` ones whole. */
  readonly target: string;
  readonly isOurs: boolean;
  /** Gone after compilation. */
  readonly isTypeOnly: boolean;
  /** Loaded when the file is, not when a function runs. */
  readonly isStatic: boolean;
}

/** Every file of src/. */
export function readSourceTree(): readonly SourceFile[] {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return paths.map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { path, tree, imports: importsOf(path, tree) };
  });
}

/** Every node of a tree, outermost first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

function importsOf(path: string, tree: ts.SourceFile): readonly Import[] {
  return [...nodesOf(tree)].flatMap((node) => {
    const found = importOf(node);
    if (found === undefined) return [];
    const isOurs = found.specifier.startsWith(".");
    const target = isOurs ? join(dirname(path), found.specifier) : packageOf(found.specifier);
    return [{ target, isOurs, isTypeOnly: found.isTypeOnly, isStatic: found.isStatic }];
  });
}

interface FoundImport {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly isStatic: boolean;
}

function importOf(node: ts.Node): FoundImport | undefined {
  if (ts.isImportDeclaration(node)) {
    const isTypeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: textOf(node.moduleSpecifier), isTypeOnly, isStatic: true };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: textOf(node.moduleSpecifier), isTypeOnly: node.isTypeOnly, isStatic: true };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: textOf(node.argument.literal), isTypeOnly: true, isStatic: true };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    if (argument === undefined) return undefined;
    return { specifier: textOf(argument), isTypeOnly: false, isStatic: false };
  }
  return undefined;
}

/** The text of a literal; an import whose target is computed cannot be held to any rule. */
function textOf(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  throw new Error(`import of a computed name: ${node.getText()}`);
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The files that are loaded with `entry`, itself included: those its static imports reach. */
export function loadedWith(entry: string, files: readonly SourceFile[]): readonly SourceFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<SourceFile>();
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined) throw new Error(`no source file ${path}`);
    if (reached.has(file)) return;
    reached.add(file);
    for (const { target, isOurs, isStatic, isTypeOnly } of file.imports) {
      if (isOurs && isStatic && !isTypeOnly) visit(target);
    }
  };
  visit(entry);
  return [...reached];
}
