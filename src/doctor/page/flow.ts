/**
 * Follows every path through a push handler, and says which of them show a notification.
 *
 * Branches, early returns, exceptions and promise chains are walked, calls of the
 * worker's own functions too. What cannot be followed (code from elsewhere, callbacks
 * that something else calls) marks the path as one nobody can judge: better no word
 * than a false alarm. Budgets bound it for bundles.
 */
import type { AnyNode, CallExpression, NewExpression } from "acorn";
import { callKind, isBlindCall } from "./calls.ts";
import { functionOf, receiverOf, type Located } from "./names.ts";
import type { Sources } from "./page.ts";
import { looksAtPermission } from "./permission.ts";
import { calleeName, childrenOf, isCallback, type FunctionNode, type Script } from "./script.ts";
import {
  Flag,
  has,
  mark,
  noStates,
  show,
  some,
  start,
  turnedOff,
  unite,
  unwaited,
  withoutCause,
  type States,
} from "./states.ts";

/** How the paths of a handler end. */
export interface Paths {
  readonly ended: States;
  readonly thrown: States;
}

const largestWork = 40_000;
const deepestNode = 400;
const deepestCall = 24;

/** The paths of `handler`; `isForeign` says that the worker runs code that is not in the folder. */
export function followPaths(handler: Located<FunctionNode>, sources: Sources, isForeign: boolean): Paths {
  const tracer = new Tracer(sources, isForeign);
  const ended = tracer.call(handler, start, false);
  return { ended, thrown: tracer.thrown };
}

/** One function that is being walked. */
interface Frame {
  readonly script: Script;
  /** Somebody waits for what it returns. */
  readonly isAwaited: boolean;
  returned: States;
  /** Left a loop or a switch early. */
  broken: States;
}

interface ChainPlace {
  readonly states: States;
  readonly frame: Frame;
  readonly isAwaited: boolean;
}

class Tracer {
  readonly #sources: Sources;
  readonly #isForeign: boolean;
  readonly #calls: FunctionNode[] = [];
  #work = 0;
  #depth = 0;
  thrown: States = noStates;

  constructor(sources: Sources, isForeign: boolean) {
    this.#sources = sources;
    this.#isForeign = isForeign;
  }

  /** The states after `target` has run. */
  call({ script, node }: Located<FunctionNode>, states: States, isAwaited: boolean): States {
    if (this.#calls.includes(node)) return states;
    if (this.#calls.length >= deepestCall) return mark(states, Flag.maybe);
    this.#calls.push(node);
    const frame: Frame = { script, isAwaited, returned: noStates, broken: noStates };
    const end = this.#walk(node.body, states, frame, node.body.type !== "BlockStatement" && isAwaited);
    this.#calls.pop();
    const after = unite(end, frame.returned);
    // Nobody waits for it: what it waits for holds up nobody else.
    return node.async && !isAwaited ? unwaited(states, after) : after;
  }

  #throw(states: States, cause: number): void {
    this.thrown = unite(this.thrown, mark(states, cause));
  }

  /** Runs `part`, and hands back what it threw instead of passing it on. */
  #catch(part: () => States): readonly [States, States] {
    const outer = this.thrown;
    this.thrown = noStates;
    const after = part();
    const thrown = this.thrown;
    this.thrown = outer;
    return [after, thrown];
  }

  #walk(node: AnyNode, states: States, frame: Frame, isAwaited = false): States {
    if (states.size === 0) return states;
    if (++this.#work > largestWork || this.#depth > deepestNode) return mark(states, Flag.maybe);
    this.#depth += 1;
    try {
      return this.#step(node, states, frame, isAwaited);
    } finally {
      this.#depth -= 1;
    }
  }

  #walkAll(nodes: readonly AnyNode[], states: States, frame: Frame): States {
    return nodes.reduce((before, node) => this.#walk(node, before, frame), states);
  }

  #step(node: AnyNode, states: States, frame: Frame, isAwaited: boolean): States {
    switch (node.type) {
      case "IfStatement":
      case "ConditionalExpression":
        return this.#branch(node, states, frame, isAwaited);
      case "LogicalExpression": {
        const before = this.#walk(node.left, states, frame);
        const after = this.#walk(node.right, before, frame, isAwaited);
        return this.#join(node, node.left, [after, before], frame);
      }
      case "ReturnStatement": {
        const value = node.argument ? this.#walk(node.argument, states, frame, frame.isAwaited) : states;
        frame.returned = unite(frame.returned, turnedOff(value, frame.script, node));
        return noStates;
      }
      case "ThrowStatement":
        this.#throw(turnedOff(this.#walk(node.argument, states, frame), frame.script, node), 0);
        return noStates;
      case "BreakStatement":
      case "ContinueStatement":
        frame.broken = unite(frame.broken, states);
        return noStates;
      case "TryStatement":
        return this.#try(node, states, frame);
      case "SwitchStatement":
        return this.#switch(node, states, frame);
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "WhileStatement":
        return this.#loop(node, states, frame);
      case "AwaitExpression":
        return this.#walk(node.argument, states, frame, true);
      case "ChainExpression":
      case "ParenthesizedExpression":
        return this.#walk(node.expression, states, frame, isAwaited);
      case "ArrayExpression":
        return this.#list(node, states, frame, isAwaited);
      case "CallExpression":
      case "NewExpression":
        return this.#callExpression(node, states, frame, isAwaited);
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "ClassDeclaration":
      case "ClassExpression":
        return states;
      default:
        return this.#walkAll(childrenOf(node), states, frame);
    }
  }

  #branch(
    node: Extract<AnyNode, { type: "IfStatement" | "ConditionalExpression" }>,
    states: States,
    frame: Frame,
    isAwaited: boolean,
  ): States {
    const before = this.#walk(node.test, states, frame);
    const returned = frame.returned;
    frame.returned = noStates;
    const yes = this.#walk(node.consequent, before, frame, isAwaited);
    const no = node.alternate ? this.#walk(node.alternate, before, frame, isAwaited) : before;
    // `if (Notification.permission !== "granted") return;` is no silent push: nothing could be shown.
    const inside = looksAtPermission(node.test) ? mark(frame.returned, Flag.excused) : frame.returned;
    frame.returned = unite(returned, inside);
    return this.#join(node, node.test, [yes, no], frame);
  }

  /** Two branches become one; where one of them shows and the other does not, that is where they part. */
  #join(node: AnyNode, test: AnyNode, branches: readonly States[], { script }: Frame): States {
    const excused = looksAtPermission(test);
    const parts = branches.map((states) => (excused ? mark(states, Flag.excused) : states));
    const isUneven = parts.some((states) => some(states, Flag.shown));
    return unite(...parts.map((states) => (isUneven ? turnedOff(states, script, node) : states)));
  }

  #try(node: Extract<AnyNode, { type: "TryStatement" }>, states: States, frame: Frame): States {
    const { handler, finalizer } = node;
    let after: States;
    if (handler) {
      const [done, caught] = this.#catch(() => this.#walk(node.block, states, frame));
      const handled = this.#walk(handler.body, withoutCause(caught), frame);
      after = unite(done, turnedOff(handled, frame.script, handler));
    } else {
      after = this.#walk(node.block, states, frame);
    }
    if (!finalizer) return after;
    const finish = (some: States): States => this.#walk(finalizer, some, frame);
    this.thrown = this.thrown.size > 0 ? finish(this.thrown) : this.thrown;
    frame.returned = frame.returned.size > 0 ? finish(frame.returned) : frame.returned;
    return finish(after);
  }

  #switch(node: Extract<AnyNode, { type: "SwitchStatement" }>, states: States, frame: Frame): States {
    const before = this.#walk(node.discriminant, states, frame);
    const outer = frame.broken;
    frame.broken = noStates;
    let falling = noStates;
    for (const one of node.cases) falling = this.#walkAll(one.consequent, unite(before, falling), frame);
    const hasDefault = node.cases.some(({ test }) => !test);
    const ends = unite(falling, frame.broken);
    frame.broken = outer;
    return hasDefault ? ends : this.#join(node, node.discriminant, [ends, before], frame);
  }

  /** A body that may run not at all. If it shows something, nobody can say whether it will. */
  #loop(
    node: Extract<AnyNode, { type: "ForStatement" | "ForInStatement" | "ForOfStatement" | "WhileStatement" }>,
    states: States,
    frame: Frame,
  ): States {
    const outer = frame.broken;
    frame.broken = noStates;
    const head = childrenOf(node).filter((child) => child !== node.body);
    const before = this.#walkAll(head, states, frame);
    const after = unite(this.#walk(node.body, before, frame), frame.broken);
    frame.broken = outer;
    return unite(some(after, Flag.shown) ? mark(before, Flag.maybe) : before, after);
  }

  /** Things of a list run side by side: none of them waits for the network of another. */
  #list(node: AnyNode, states: States, frame: Frame, isAwaited: boolean): States {
    const items = childrenOf(node);
    const after = this.#walkAll(items, states, frame);
    if (!isAwaited || [...after.keys()].every((flags) => has(flags, Flag.shown))) return after;
    return items.reduce((before, item) => this.#walk(item, before, frame, true), states);
  }

  #callExpression(
    node: CallExpression | NewExpression,
    states: States,
    frame: Frame,
    isAwaited: boolean,
  ): States {
    const { script } = frame;
    const name = calleeName(node);
    const receiver = receiverOf(node);
    if (receiver && node.type === "CallExpression" && ["then", "catch", "finally"].includes(name ?? "")) {
      return this.#chain(node, receiver, { states, frame, isAwaited });
    }
    const target = functionOf({ script, node: node.callee }, this.#sources);
    const kind = target === undefined ? callKind(node) : "ours";
    if (kind === "all") {
      return node.arguments.reduce((before, item) => this.#walk(item, before, frame, isAwaited), states);
    }
    const inner = receiver && target === undefined ? this.#walk(receiver, states, frame) : states;
    const before = this.#walkAll(node.arguments, inner, frame);
    switch (kind) {
      case "ours":
        return target ? this.#passing(node, this.call(target, before, isAwaited), frame) : before;
      case "show":
        return show(before);
      case "network":
        if (!isAwaited) return before;
        this.#throw(turnedOff(mark(before, Flag.network), script, node), Flag.offline);
        return mark(before, Flag.network);
      case "parse":
        this.#throw(turnedOff(before, script, node), Flag.payload);
        return before;
      case "promise":
        return this.#eachFunction(node, before, frame, (target) => this.call(target, before, isAwaited));
      case "each":
        return this.#eachFunction(node, before, frame, (target) => {
          const after = this.call(target, before, isAwaited);
          return unite(some(after, Flag.shown) ? mark(before, Flag.maybe) : before, after);
        });
      case "other":
        return isBlindCall({ script, node }, this.#sources, this.#isForeign)
          ? mark(before, Flag.maybe)
          : this.#passing(node, before, frame);
      default:
        return kind satisfies never;
    }
  }

  /** A function that shows, handed to something that calls it when it likes. */
  #passing(node: CallExpression | NewExpression, states: States, frame: Frame): States {
    return this.#eachFunction(node, states, frame, (target) => {
      const [after] = this.#catch(() => this.call(target, start, false));
      return some(after, Flag.shown | Flag.maybe) ? mark(states, Flag.maybe) : states;
    });
  }

  #eachFunction(
    node: CallExpression | NewExpression,
    states: States,
    { script }: Frame,
    run: (target: Located<FunctionNode>) => States,
  ): States {
    for (const argument of node.arguments) {
      const target = isCallback(argument) ? functionOf({ script, node: argument }, this.#sources) : undefined;
      if (target !== undefined) return run(target);
    }
    return states;
  }

  #chain(node: CallExpression, receiver: AnyNode, at: ChainPlace): States {
    const after = this.#settle(node, receiver, at);
    return at.isAwaited ? after : unwaited(at.states, after);
  }

  /** `p.then(f, g)`, `p.catch(g)`, `p.finally(f)`. */
  #settle(node: CallExpression, receiver: AnyNode, { states, frame, isAwaited }: ChainPlace): States {
    const name = calleeName(node);
    const [done, failed] = this.#catch(() => this.#walk(receiver, states, frame, true));
    const [first, second] = node.arguments;
    const run = (callback: AnyNode | undefined, before: States): States => {
      if (callback === undefined || before.size === 0) return before;
      const target = functionOf({ script: frame.script, node: callback }, this.#sources);
      if (target !== undefined) return this.call(target, before, isAwaited);
      return isBlindCall({ script: frame.script, node: callback }, this.#sources, this.#isForeign)
        ? mark(before, Flag.maybe)
        : before;
    };
    const onFailed = name === "then" ? second : name === "catch" ? first : undefined;
    if (name === "finally") {
      this.thrown = unite(this.thrown, run(first, failed));
      return run(first, done);
    }
    const fulfilled = name === "then" ? run(first, done) : done;
    if (onFailed === undefined) {
      this.thrown = unite(this.thrown, failed);
      return fulfilled;
    }
    return unite(fulfilled, turnedOff(run(onFailed, withoutCause(failed)), frame.script, onFailed));
  }
}
