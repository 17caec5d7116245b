/** JavaScript read with acorn, the one place that loads it. Nothing here recurses over the tree. */
import { parse, type AnyNode, type Program } from "acorn";
import { NameIndex } from "./name-index.ts";
import { childrenOf, isFunction, type FunctionNode, type Script } from "./script.ts";

/** A text that is no JavaScript that acorn knows. */
export interface UnreadScript {
  readonly path: string;
  readonly why: string;
}

/** Reads JavaScript; `firstLine` is where it begins in its file. */
export function parseScript(path: string, text: string, firstLine = 1): Script | UnreadScript {
  const program = parseEither(text);
  if (typeof program === "string") return { path, why: program };
  return indexScript(path, program, lineCounter(text, firstLine));
}

export function isRead(script: Script | UnreadScript): script is Script {
  return "program" in script;
}

/** As a module where it is one, else as the looser script; the words of the first error when it is neither. */
function parseEither(text: string): Program | string {
  const common = { ecmaVersion: "latest", allowHashBang: true, allowReturnOutsideFunction: true } as const;
  const order = /^\s*(?:import|export)\b/m.test(text)
    ? (["module", "script"] as const)
    : (["script", "module"] as const);
  let first: string | undefined;
  for (const sourceType of order) {
    try {
      return parse(text, { ...common, sourceType });
    } catch (error) {
      // A RangeError is a text nested deeper than acorn's stack.
      first ??= error instanceof SyntaxError ? error.message : "is nested too deeply";
    }
  }
  return first ?? "is no JavaScript";
}

function indexScript(path: string, program: Program, lineAt: (offset: number) => number): Script {
  const parents = new Map<AnyNode, AnyNode>();
  const functions = new Map<AnyNode, FunctionNode>();
  const index = new NameIndex(functions);
  const nodes: AnyNode[] = [];
  const stack: AnyNode[] = [program];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    nodes.push(node);
    index.take(node);
    const children = childrenOf(node);
    const around = isFunction(node) ? node : functions.get(node);
    for (const child of children) {
      parents.set(child, node);
      if (around !== undefined) functions.set(child, around);
    }
    stack.push(...children.reverse());
  }
  return { path, program, nodes, parents, functions, ...index.found(), lineOf: (node) => lineAt(node.start) };
}

/** Line numbers by binary search over where lines begin. */
function lineCounter(text: string, firstLine: number): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return firstLine + low;
  };
}
