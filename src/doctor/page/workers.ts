/** The service workers of a page, each with the scripts it brings in. */
import type { AnyNode } from "acorn";
import { functionOf, type Located } from "./names.ts";
import type { Sources } from "./page.ts";
import type { Registration } from "./registrations.ts";
import { calleeName, lastName, literalText, type FunctionNode, type Script } from "./script.ts";

export interface Worker {
  readonly path: string;
  readonly main: Script;
  /** The worker's own file first, then what it imports, as far as it is in the folder. */
  readonly scripts: readonly Script[];
  /** What it imports from elsewhere: handlers may be there. */
  readonly foreign: readonly string[];
  readonly registrations: readonly Registration[];
}

/** A listener for an event, in the form `addEventListener("push", f)` or `onpush = f`. */
export interface Listener extends Located {
  /** Undefined when it is not a function of these files. */
  readonly handler: Located<FunctionNode> | undefined;
}

export function findWorkers(sources: Sources, registrations: readonly Registration[]): readonly Worker[] {
  const registered = new Set(
    registrations.flatMap(({ place }) => (place.kind === "inside" ? [place.path] : [])),
  );
  const workers = [...registered].flatMap((path) => {
    const main = sources.scriptAt(path);
    return main === undefined ? [] : [workerOf(main, sources, registrations)];
  });
  if (workers.length > 0) return workers;
  const listening = sources.parsed().filter((script) => listenersOf(script, "push", sources).length > 0);
  const all = listening.map((main) => workerOf(main, sources, registrations));
  // A file that another one imports is no worker of its own.
  return all.filter(({ main }) => !all.some((other) => other.main !== main && other.scripts.includes(main)));
}

function workerOf(main: Script, sources: Sources, registrations: readonly Registration[]): Worker {
  const scripts = new Set([main]);
  const foreign: string[] = [];
  // A set hands out what is added while it is walked.
  for (const script of scripts) {
    for (const source of script.sources) {
      const target = sources.follow(script, source);
      if (target === undefined) foreign.push(source);
      else scripts.add(target);
    }
  }
  return {
    path: main.path,
    main,
    scripts: [...scripts],
    foreign,
    registrations: registrations.filter(({ place }) => place.kind === "inside" && place.path === main.path),
  };
}

/** The listeners of a worker for one event. */
export function workerListeners(worker: Worker, event: string, sources: Sources): readonly Listener[] {
  return worker.scripts.flatMap((script) => listenersOf(script, event, sources));
}

function listenersOf(script: Script, event: string, sources: Sources): readonly Listener[] {
  return script.nodes.flatMap((node) => {
    const handler = handlerIn(node, event);
    if (handler === undefined) return [];
    return [{ script, node, handler: functionOf({ script, node: handler }, sources) }];
  });
}

function handlerIn(node: AnyNode, event: string): AnyNode | undefined {
  if (node.type === "CallExpression" && calleeName(node) === "addEventListener") {
    const [name, handler] = node.arguments;
    return name !== undefined && literalText(name) === event ? handler : undefined;
  }
  if (node.type === "AssignmentExpression" && lastName(node.left) === `on${event}`) return node.right;
  return undefined;
}
