/**
 * The architecture, held over the real imports: who may import whom, which package
 * belongs to which file, what start-up loads, and that no module keeps state.
 */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, expect, test } from "vitest";
import ts from "typescript";
import { loadedWith, nodesOf, readSourceTree, type SourceFile } from "./support/source-tree.ts";

const files = readSourceTree();

/** The layers and the layers each may import, itself always. Every folder of src/ must be here. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ["base"],
  settings: ["base", "protocol"],
  store: ["base", "protocol"],
  // Beyond the first plan: reading and writing other people's files of subscriptions.
  formats: ["base", "protocol"],
  sender: ["base", "protocol"],
  receiver: ["base", "protocol"],
  emulator: ["base", "protocol"],
  browsers: ["base", "emulator"],
  scaffold: ["base"],
  server: ["base", "protocol", "store", "sender", "emulator", "browsers"],
  // What people have in their hands, taken apart and explained.
  inspection: ["base", "protocol", "formats"],
  doctor: ["base", "protocol", "settings", "store", "sender"],
  // One message to millions, in a database that several machines share.
  campaigns: ["base", "protocol", "store", "sender"],
  terminal: ["base"],
  commands: [
    "base",
    "protocol",
    "settings",
    "store",
    "formats",
    "sender",
    "receiver",
    "emulator",
    "browsers",
    "scaffold",
    "server",
    "inspection",
    "doctor",
    "campaigns",
    "terminal",
  ],
  cli: ["base", "settings", "store", "terminal", "commands"],
  // src/index.ts, the public library: no terminal, no commands.
  "index.ts": ["base", "protocol", "settings", "store", "formats", "sender", "receiver", "emulator"],
};

/** The files that may import a package. A package that is not here may be imported nowhere. */
const owners: Readonly<Record<string, RegExp>> = {
  chalk: /^terminal\//,
  inquirer: /^terminal\//,
  "string-width": /^terminal\//,
  commander: /^(?:commands\/.+\/command\.ts|commands\/(?:dispatch|describe)\.ts|cli\/[^/]+\.ts)$/,
  conf: /^store\//,
  "proper-lockfile": /^store\//,
  "web-push": /^protocol\/vapid-token\.ts$/,
  // Encryption is node:crypto's alone: a quarter less time for each message.
  http_ece: /^protocol\/decryption\.ts$/,
  "csv-parse": /^formats\//,
  "https-proxy-agent": /^sender\//,
  pg: /^store\/postgres\//,
  "pg-copy-streams": /^store\/postgres\//,
  pgpass: /^store\/postgres\/client\.ts$/,
  "pg-boss": /^campaigns\//,
  "prom-client": /^commands\/worker\//,
  ws: /^(?:receiver|emulator)\//,
  "@bufbuild/protobuf": /^emulator\/chromium-door\//,
  hono: /^server\//,
  "hono/body-limit": /^server\//,
  "@hono/node-server": /^server\//,
  "@hono/node-server/serve-static": /^server\//,
  acorn: /^doctor\/page\//,
  parse5: /^doctor\/page\//,
};

/** The same for the parts of Node that reach outside; the others are free. */
const nodeOwners: Readonly<Record<string, RegExp>> = {
  // browsers: the page that a browser waits on (browsers/gate.ts).
  "node:http": /^(?:sender|receiver|emulator|browsers|server)\//,
  "node:https": /^(?:sender|receiver|emulator|server)\//,
  "node:http2": /^(?:sender|emulator)\//,
  "node:net": /^(?:sender|receiver|emulator|browsers|server)\//,
  "node:tls": /^(?:sender|receiver|emulator|server)\//,
  "node:dns": /^(?:sender|doctor)\//,
  "node:dns/promises": /^(?:sender|doctor)\//,
  "node:child_process": /^(?:browsers|commands\/listen)\//,
  "node:worker_threads": /^sender\//,
  "node:fs": /^(?:store|scaffold|browsers|server|commands|cli)\//,
  "node:fs/promises": /^(?:store|scaffold|browsers|server|commands|cli)\//,
  "node:tty": /^cli\//,
  // browsers: `kill`, the only way to end a whole process group.
  "node:process": /^(?:cli\/|browsers\/process\.ts$)/,
  "node:os": /^(?:browsers|commands|cli)\//,
};

function layerOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function lineOf(file: SourceFile, node: ts.Node): string {
  const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart());
  return `${file.path}:${line + 1} ${node.getText().split("\n")[0] ?? ""}`;
}

test("every folder of src/ is a layer of the table", () => {
  expect([...new Set(files.map(({ path }) => layerOf(path)))].filter((layer) => !(layer in layers))).toEqual(
    [],
  );
});

test("docs/architecture.md has every folder of src/ in its code map", () => {
  const page = readFileSync(new URL("../docs/architecture.md", import.meta.url), "utf8");
  const folders = new Set(files.map(({ path }) => dirname(path)).filter((folder) => folder !== "."));
  // The commands are a list of their own, in `webpush --help`.
  const missing = [...folders].filter(
    (folder) =>
      !folder.startsWith("commands/") &&
      !page.includes(`\`src/${folder}\``) &&
      !page.includes(`${basename(folder)}/`),
  );
  expect(missing).toEqual([]);
});

test("imports point down the layers, type imports too", () => {
  const wrong = files.flatMap(({ path, imports }) => {
    const from = layerOf(path);
    const allowed = [from, ...(layers[from] ?? [])];
    return imports
      .filter(({ target, isOurs }) => isOurs && !allowed.includes(layerOf(target)))
      .map(({ target }) => `${path} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("every package is imported only where it belongs", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports
      .filter(({ target, isOurs }) => !isOurs && !target.startsWith("node:"))
      .filter(({ target }) => owners[target]?.test(path) !== true)
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("what reaches outside of the program is imported only where it belongs", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports
      .filter(({ target, isTypeOnly }) => !isTypeOnly && nodeOwners[target]?.test(path) === false)
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("Node's modules are imported by their node: names", () => {
  const bare = files.flatMap(({ path, imports }) =>
    imports
      .filter(({ target, isOurs }) => !isOurs && ["fs", "path", "crypto", "http", "os"].includes(target))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(bare).toEqual([]);
});

describe("start-up", () => {
  const heavyNodeModules = ["node:http", "node:https", "node:http2", "node:net", "node:tls", "node:dns"];

  function loadedBy(entry: string): readonly string[] {
    return loadedWith(entry, files)
      .flatMap(({ imports }) =>
        imports.filter(({ isOurs, isStatic, isTypeOnly }) => !isOurs && isStatic && !isTypeOnly),
      )
      .map(({ target }) => target);
  }

  test("the version is said without loading any package", () => {
    expect(loadedBy("cli/entry.ts").filter((target) => !target.startsWith("node:"))).toEqual([]);
  });

  test("a command line loads no package but commander, and nothing of the network", () => {
    const loaded = loadedBy("cli/main.ts");
    expect(new Set(loaded.filter((target) => !target.startsWith("node:")))).toEqual(new Set(["commander"]));
    expect(loaded.filter((target) => heavyNodeModules.includes(target))).toEqual([]);
  });

  test.each(files.map(({ path }) => path).filter((path) => /^commands\/.+\/command\.ts$/.test(path)))(
    "help needs no more for %s: no runner, no package but commander, no file",
    (path) => {
      const loaded = loadedBy(path);
      expect(new Set(loaded.filter((target) => !target.startsWith("node:")))).toEqual(new Set(["commander"]));
      expect(loaded.filter((target) => heavyNodeModules.includes(target) || target === "node:fs")).toEqual(
        [],
      );
      expect(loadedWith(path, files).filter((file) => file.path.endsWith("/run.ts"))).toEqual([]);
    },
  );

  test("what speaks to a database is loaded by the commands that work in one, and by no other", () => {
    const ofDatabases = ["pg", "pg-boss", "pg-copy-streams", "pgpass", "prom-client"];
    const loading = files
      .filter(({ path }) => /^(?:commands|cli)\/|^index\.ts$|^emulator\/index\.ts$/.test(path))
      .filter(({ path }) => loadedBy(path).some((target) => ofDatabases.includes(target)))
      .map(({ path }) => path);
    expect(loading).not.toEqual([]);
    expect(
      loading.filter(
        (path) => !/^commands\/(?:worker|campaigns|store)\/|^commands\/send\/queue\.ts$/.test(path),
      ),
    ).toEqual([]);
  });
});

test("only cli/ names process", () => {
  const named = files
    .filter(({ path }) => layerOf(path) !== "cli")
    .flatMap((file) =>
      [...nodesOf(file.tree)]
        .filter((node) => ts.isIdentifier(node) && node.text === "process" && isReference(node))
        .map((node) => lineOf(file, node)),
    );
  expect(named).toEqual([]);
});

test("the protocol reads no clock and draws no random bytes", () => {
  const impure = files
    .filter(({ path }) => layerOf(path) === "protocol")
    .flatMap((file) =>
      [...nodesOf(file.tree)].filter((node) => isAmbient(node)).map((node) => lineOf(file, node)),
    );
  expect(impure).toEqual([]);
});

/** `Date.now()`, `new Date()`, `Math.random()`, `randomBytes(…)` and their kin. */
function isAmbient(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) {
    return node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0;
  }
  if (!ts.isCallExpression(node)) return false;
  return /^(?:Date\.now|performance\.now|Math\.random|random\w+|generateKeyPair\w*|\w+\.generateKeys)$/.test(
    node.expression.getText(),
  );
}

describe("no module keeps state", () => {
  test("nothing at top level can be assigned", () => {
    const assignable = files.flatMap((file) =>
      file.tree.statements
        .filter((node) => ts.isVariableStatement(node))
        .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const) === 0)
        .map((node) => lineOf(file, node)),
    );
    expect(assignable).toEqual([]);
  });

  test("nothing at top level is changed by a function of its file", () => {
    expect(files.flatMap((file) => changesOfConstants(file))).toEqual([]);
  });

  test("no regular expression at top level remembers where it was", () => {
    // `test` and `exec` of a global or sticky expression start where the last call ended.
    const remembering = files.flatMap((file) => {
      const names = constantsOf(file)
        .filter(({ initializer }) => {
          return (
            initializer?.kind === ts.SyntaxKind.RegularExpressionLiteral &&
            /\/[a-z]*[gy][a-z]*$/.test(initializer.getText())
          );
        })
        .map(({ name }) => name.getText());
      return [...nodesOf(file.tree)]
        .filter((node) => ts.isPropertyAccessExpression(node))
        .filter(
          ({ expression, name }) =>
            names.includes(expression.getText()) && ["test", "exec"].includes(name.text),
        )
        .map((node) => lineOf(file, node));
    });
    expect(remembering).toEqual([]);
  });
});

function constantsOf(file: SourceFile): readonly ts.VariableDeclaration[] {
  return file.tree.statements
    .filter((node) => ts.isVariableStatement(node))
    .flatMap(({ declarationList }) => [...declarationList.declarations]);
}

const changingMethods = new Set(
  "set add delete clear push pop shift unshift splice sort reverse fill copyWithin".split(" "),
);

/** Assignments into, and changing methods of, constants of the file. */
function changesOfConstants(file: SourceFile): readonly string[] {
  const names = new Set(constantsOf(file).map(({ name }) => name.getText()));
  return [...nodesOf(file.tree)]
    .filter((node) => {
      const changed = changedBy(node);
      return changed !== undefined && names.has(rootOf(changed)) && !isShadowed(changed);
    })
    .map((node) => lineOf(file, node));
}

function changedBy(node: ts.Node): ts.Expression | undefined {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const isAssignment = kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
    return isAssignment && isMember(node.left) ? node.left : undefined;
  }
  if (ts.isDeleteExpression(node)) return node.expression;
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  return changingMethods.has(node.expression.name.text) ? node.expression.expression : undefined;
}

function isMember(node: ts.Node): boolean {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
}

/** The name a chain of members starts with: `rows` of `rows[0].tags`. */
function rootOf(node: ts.Expression): string {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node))
    return rootOf(node.expression);
  return node.getText();
}

/** Whether a function around `node` has a parameter or variable of the same name. */
function isShadowed(node: ts.Expression): boolean {
  const name = rootOf(node);
  for (let at: ts.Node = node.parent; !ts.isSourceFile(at); at = at.parent) {
    const isFunction = ts.isFunctionLike(at);
    if (!isFunction) continue;
    const declared = [...nodesOf(at)].filter(
      (inner) => (ts.isParameter(inner) || ts.isVariableDeclaration(inner)) && inner.name.getText() === name,
    );
    if (declared.length > 0) return true;
  }
  return false;
}

/** Whether an identifier stands for a value, rather than naming a member. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent))
    return parent.expression === node || parent.expression.getText() === "globalThis";
  return (
    !(ts.isPropertyAssignment(parent) && parent.name === node) &&
    !ts.isPropertySignature(parent) &&
    !ts.isMethodDeclaration(parent)
  );
}
