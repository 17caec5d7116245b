/** Checks of what happens after a notification was shown, and when a subscription is replaced. */
import type { Check, Finding } from "../../check.ts";
import { isNetworkCall } from "../calls.ts";
import type { PageFacts } from "../facts.ts";
import type { Call, Located } from "../names.ts";
import type { Page } from "../page.ts";
import { reachedFrom } from "../reach.ts";
import { calleeName, lastName, literalText } from "../script.ts";
import { workerListeners, type Worker } from "../workers.ts";
import { good, orGood, pageCheck, whereFile, whereIs } from "./finding.ts";

export const clickChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.worker.click",
      title: "a press on the notification",
      why: "without a notificationclick handler a press does nothing in most browsers, and on Android the notification stays",
    },
    (page) =>
      eachListening(
        page,
        "notificationclick",
        clickFindings,
        "a press does nothing: no notificationclick listener",
      ),
  ),
  pageCheck(
    {
      id: "page.worker.click-origin",
      title: "where a press leads",
      why: "whoever gets hold of your private key could send visitors to a copy of your site",
    },
    (page) =>
      page.workers.flatMap((worker) =>
        reachOf(page, worker, "notificationclick").flatMap((reached) => originFindings(page, reached)),
      ),
  ),
  pageCheck(
    {
      id: "page.worker.change",
      title: "a replaced subscription",
      why: "browsers replace subscriptions; one that is not handed to the server again is lost until the next visit",
    },
    (page) =>
      eachListening(
        page,
        "pushsubscriptionchange",
        changeFindings,
        "replaced subscriptions are lost: no pushsubscriptionchange listener",
      ),
  ),
];

/** What the worker's listeners for an event lead to; nothing for those that are not functions of the folder. */
function reachOf(page: Page, worker: Worker, event: string): readonly (readonly Located[])[] {
  return workerListeners(worker, event, page.sources).flatMap(({ handler }) =>
    handler === undefined ? [] : [reachedFrom(handler, page.sources)],
  );
}

/** Asks `look` about the listeners of workers that also listen for pushes. */
function eachListening(
  page: Page,
  event: string,
  look: (page: Page, reached: readonly Located[]) => readonly Finding[],
  missing: string,
): readonly Finding[] {
  return page.workers.flatMap((worker): readonly Finding[] => {
    if (workerListeners(worker, "push", page.sources).length === 0) return [];
    const listeners = workerListeners(worker, event, page.sources);
    const where = whereFile(page, worker.path);
    if (listeners.length > 0) {
      const reached = reachOf(page, worker, event);
      if (reached.length === 0) {
        return [{ level: "skipped", what: `the ${event} handler is not a function of this folder`, where }];
      }
      return reached.flatMap((one) => look(page, one));
    }
    const [foreign] = worker.foreign;
    if (foreign !== undefined) {
      return [{ level: "skipped", what: `no ${event} listener here; ${foreign} may have one`, where }];
    }
    const fix = `add a ${event} listener, such as that of the worker that \`webpush scaffold\` writes`;
    return [{ level: "warning", what: missing, fix, where }];
  });
}

function callsIn(reached: readonly Located[]): readonly Located<Call>[] {
  return reached.filter(
    (one): one is Located<Call> => one.node.type === "CallExpression" || one.node.type === "NewExpression",
  );
}

function clickFindings(page: Page, reached: readonly Located[]): readonly Finding[] {
  const [handler] = reached;
  if (handler === undefined) return [];
  const names = new Set(callsIn(reached).map(({ node }) => calleeName(node)));
  const where = whereIs(page, handler);
  const findings: Finding[] = [];
  if (!names.has("close")) {
    const fix = "call event.notification.close() first";
    findings.push({
      level: "warning",
      what: "a pressed notification is not closed, and stays on Android",
      fix,
      where,
    });
  }
  const opens = ["openWindow", "focus", "navigate"].some((name) => names.has(name));
  if (!opens) {
    const fix = "focus an open window of yours, or call clients.openWindow()";
    findings.push({ level: "note", what: "a press opens nothing", fix, where });
  } else if (!names.has("waitUntil")) {
    const fix = "hand the promise to event.waitUntil()";
    findings.push({
      level: "warning",
      what: "the browser does not wait until the window is open",
      fix,
      where,
    });
  }
  return orGood(findings, "closes the notification and opens a window");
}

/** An address out of the payload that is opened unseen. */
function originFindings(page: Page, reached: readonly Located[]): readonly Finding[] {
  const opening = callsIn(reached).filter(({ node }) =>
    ["openWindow", "navigate"].includes(calleeName(node) ?? ""),
  );
  const open = opening.find(({ node }) => node.arguments[0] && literalText(node.arguments[0]) === undefined);
  const readsData = reached.some(({ node }) => node.type === "MemberExpression" && lastName(node) === "data");
  if (open === undefined || !readsData)
    return opening.length > 0 ? good("an address of the worker's own") : [];
  const guards = reached.some(({ node }) => {
    if (node.type === "Identifier") return /origin|allow|trusted|safe/i.test(node.name);
    return (
      node.type === "CallExpression" &&
      ["startsWith", "includes", "test", "get"].includes(calleeName(node) ?? "")
    );
  });
  if (guards) return good("the address is looked at first");
  return [
    {
      level: "warning",
      what: "a press opens any address that a push names",
      fix: "open it only when new URL(address, self.location.origin).origin is your own",
      where: whereIs(page, open),
    },
  ];
}

function changeFindings(page: Page, reached: readonly Located[]): readonly Finding[] {
  const [handler] = reached;
  if (handler === undefined) return [];
  const calls = callsIn(reached);
  const where = whereIs(page, handler);
  if (!calls.some(({ node }) => isNetworkCall(node))) {
    const fix = "send the new subscription and the old endpoint to your server";
    return [{ level: "warning", what: "a replaced subscription is not sent to the server", fix, where }];
  }
  if (!calls.some(({ node }) => calleeName(node) === "waitUntil")) {
    const fix = "hand the promise to event.waitUntil()";
    return [
      { level: "warning", what: "the browser does not wait until the server has the new one", fix, where },
    ];
  }
  return good("the new one is sent to the server");
}
