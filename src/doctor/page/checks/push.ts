/** Checks of the push handler: does it show a notification, always, in time, and whatever the payload is. */
import type { Check, Finding } from "../../check.ts";
import type { PageFacts } from "../facts.ts";
import { followPaths, type Paths } from "../flow.ts";
import { receiverOf, type Call, type Located } from "../names.ts";
import type { Page } from "../page.ts";
import { reachedFrom } from "../reach.ts";
import { calleeName, isFunction, type FunctionNode } from "../script.ts";
import { Flag, has, type States } from "../states.ts";
import { workerListeners, type Worker } from "../workers.ts";
import { good, orGood, pageCheck, whereIs } from "./finding.ts";

/** A push handler that can be followed. */
interface Handler {
  readonly worker: Worker;
  readonly handler: Located<FunctionNode>;
}

export const pushChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.worker.shows",
      title: "every push shows a notification",
      why: "Safari takes the subscription away after three pushes that showed nothing, and Chrome shows a notification of its own",
    },
    (page) => [
      ...unfollowed(page),
      ...handlersOf(page).flatMap(({ worker, handler }) =>
        showFindings(page, handler, pathsOf(page, worker, handler)),
      ),
    ],
  ),
  pageCheck(
    {
      id: "page.worker.wait-until",
      title: "the browser waits for the worker",
      why: "a browser may stop the worker as soon as the handler returns, unless event.waitUntil() has told it to wait",
    },
    (page) => handlersOf(page).flatMap(({ handler }) => waitFindings(page, handler)),
  ),
  pageCheck(
    {
      id: "page.worker.payload",
      title: "any payload can be read",
      why: "event.data.json() throws for plain text and for an empty push, and then nothing is shown",
    },
    (page) =>
      handlersOf(page).flatMap(({ worker, handler }) => {
        const { thrown } = pathsOf(page, worker, handler);
        const at = originOf(thrown, (flags) => has(flags, Flag.payload) && !has(flags, Flag.shown));
        if (at === undefined) return good("what is no JSON does no harm");
        return [
          {
            level: "warning",
            what: "a payload that is no JSON, or empty, throws here and shows nothing",
            fix: "read it inside of try, and show a plain notification in catch",
            where: whereIs(page, at === "somewhere" ? handler : at),
          },
        ];
      }),
  ),
  pageCheck(
    {
      id: "page.worker.network",
      title: "shows before it uses the network",
      why: "on a bad connection a request uses up the seconds a worker has; iOS then shows nothing at all",
    },
    (page) =>
      handlersOf(page).flatMap(({ worker, handler }) =>
        networkFindings(page, handler, pathsOf(page, worker, handler)),
      ),
  ),
];

function handlersOf(page: Page): readonly Handler[] {
  return page.workers.flatMap((worker) =>
    workerListeners(worker, "push", page.sources).flatMap(({ handler }) =>
      handler === undefined ? [] : [{ worker, handler }],
    ),
  );
}

function unfollowed(page: Page): readonly Finding[] {
  return page.workers.flatMap((worker) =>
    workerListeners(worker, "push", page.sources)
      .filter(({ handler }) => handler === undefined)
      .map((listener) => ({
        level: "skipped",
        what: "the push handler is not a function of this folder",
        where: whereIs(page, listener),
      })),
  );
}

function pathsOf(page: Page, worker: Worker, handler: Located<FunctionNode>): Paths {
  return followPaths(handler, page.sources, worker.foreign.length > 0);
}

/** Where a path with such flags turned off; undefined when there is none. */
function originOf(states: States, fits: (flags: number) => boolean): Located | "somewhere" | undefined {
  const found = [...states].filter(([flags]) => fits(flags));
  if (found.length === 0) return undefined;
  return found.find(([, origin]) => origin !== undefined)?.[1] ?? "somewhere";
}

function showFindings(
  page: Page,
  handler: Located<FunctionNode>,
  { ended, thrown }: Paths,
): readonly Finding[] {
  const shows = [...ended.keys(), ...thrown.keys()].some((flags) => has(flags, Flag.shown));
  const isSilent = (flags: number): boolean => !has(flags, Flag.shown | Flag.excused);
  // Failures of the network and of reading have checks of their own.
  const causes = Flag.payload | Flag.offline;
  const silent = new Map([...ended, ...[...thrown].filter(([flags]) => !has(flags, causes))]);
  const sure = originOf(silent, (flags) => isSilent(flags) && !has(flags, Flag.maybe));
  const unsure = originOf(silent, (flags) => isSilent(flags) && has(flags, Flag.maybe));
  const place = (at: Located | "somewhere"): string => whereIs(page, at === "somewhere" ? handler : at);
  if (!shows && unsure === undefined && sure !== undefined) {
    const fix = "call self.registration.showNotification() inside of event.waitUntil()";
    return [
      {
        level: "problem",
        what: "the push handler never shows a notification",
        fix,
        where: whereIs(page, handler),
      },
    ];
  }
  if (shows && sure !== undefined) {
    return [
      {
        level: "warning",
        what: "on this path a push shows nothing",
        fix: "show a notification on every path, a plain one where there is nothing better",
        where: place(sure),
      },
    ];
  }
  if (unsure !== undefined) {
    const what = "cannot tell whether every push shows a notification: other code decides";
    return [{ level: "skipped", what, where: place(unsure) }];
  }
  return good("on every path");
}

function networkFindings(
  page: Page,
  handler: Located<FunctionNode>,
  { ended, thrown }: Paths,
): readonly Finding[] {
  const isLate = [...ended.keys(), ...thrown.keys()].some((flags) => has(flags, Flag.late));
  const failed = originOf(thrown, (flags) => has(flags, Flag.offline) && !has(flags, Flag.shown));
  if (!isLate) return good("nothing is waited for before");
  const first = reachedFrom(handler, page.sources).find(
    ({ node }) => node.type === "CallExpression" && calleeName(node) === "fetch",
  );
  const at = failed === undefined || failed === "somewhere" ? (first ?? handler) : failed;
  return [
    {
      level: "warning",
      what:
        failed === undefined
          ? "the notification waits for the network"
          : "the notification waits for the network, and does not come when the request fails",
      fix: "put what is shown into the payload, and use the network after showing",
      where: whereIs(page, at),
    },
  ];
}

function waitFindings(page: Page, handler: Located<FunctionNode>): readonly Finding[] {
  const reached = reachedFrom(handler, page.sources);
  const calls = reached.filter((one): one is Located<Call> => one.node.type === "CallExpression");
  const waits = calls.filter(({ node }) => calleeName(node) === "waitUntil");
  const shows = calls.filter(({ node }) => calleeName(node) === "showNotification");
  if (shows.length === 0) return waits.length > 0 ? good("event.waitUntil() is called") : [];
  const fix = "call event.waitUntil(promise) in the handler itself, before anything is awaited";
  if (waits.length === 0) {
    return [
      {
        level: "warning",
        what: "the push handler does not call event.waitUntil()",
        fix,
        where: whereIs(page, handler),
      },
    ];
  }
  const [late] = waits;
  if (late !== undefined && waits.every((one) => comesLate(one))) {
    return [
      {
        level: "problem",
        what: "event.waitUntil() is called too late: the event is over by then",
        fix,
        where: whereIs(page, late),
      },
    ];
  }
  return orGood(
    shows
      .filter((one) => isLeftAlone(one))
      .map((one) => ({
        level: "warning",
        what: "nobody waits for this showNotification()",
        fix: "return or await its promise, so that event.waitUntil() gets it",
        where: whereIs(page, one),
      })),
    "event.waitUntil() is called at once",
  );
}

/** After an await, or in a callback that runs later. */
function comesLate({ script, node }: Located): boolean {
  const around = script.functions.get(node);
  if (around === undefined) return false;
  if (around.async) {
    return script.nodes.some(
      (one) =>
        one.type === "AwaitExpression" && script.functions.get(one) === around && one.end <= node.start,
    );
  }
  const call = script.parents.get(around);
  const isLater = ["then", "catch", "finally", "setTimeout", "requestIdleCallback"];
  return (
    call?.type === "CallExpression" && call.callee !== around && isLater.includes(calleeName(call) ?? "")
  );
}

/** Whether the promise of a call ends as a statement that nobody looks at. */
function isLeftAlone({ script, node }: Located): boolean {
  let at = node;
  for (;;) {
    const parent = script.parents.get(at);
    if (parent === undefined) return false;
    switch (parent.type) {
      case "ExpressionStatement":
        return true;
      case "AwaitExpression":
      case "ReturnStatement":
      case "VariableDeclarator":
      case "AssignmentExpression":
      case "ArrayExpression":
        return false;
      case "ArrowFunctionExpression": {
        // The value of a callback belongs to the chain that calls it.
        const call = script.parents.get(parent);
        if (call?.type !== "CallExpression" || receiverOf(call) === undefined) return false;
        if (!["then", "catch", "finally"].includes(calleeName(call) ?? "")) return false;
        at = call;
        break;
      }
      case "CallExpression":
        if (parent.callee !== at) return false; // handed to somebody
        at = parent;
        break;
      default:
        if (isFunction(parent)) return false;
        at = parent;
    }
  }
}
