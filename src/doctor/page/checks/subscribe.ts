/** Checks of how a page asks, subscribes, and keeps its server informed. */
import type { AnyNode } from "acorn";
import type { Check, Finding } from "../../check.ts";
import { isNetworkCall } from "../calls.ts";
import type { PageFacts } from "../facts.ts";
import { callsOf, objectOf, propertyOf, receiverOf, type Call, type Located } from "../names.ts";
import type { Page } from "../page.ts";
import { callsOnLoad, reachedFrom, type LoadCall } from "../reach.ts";
import {
  calleeName,
  isFunction,
  keyName,
  lastName,
  literalText,
  unwrap,
  type FunctionNode,
} from "../script.ts";
import { blindSpot, good, isPushSubscribe, orGood, pageCheck, subscribeCalls, whereIs } from "./finding.ts";

export const subscribeChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.subscribe.called",
      title: "the page subscribes",
      why: "a server can only push to browsers that have subscribed",
    },
    (page) => {
      const [first] = subscribeCalls(page);
      if (first !== undefined) return good(`at ${whereIs(page, first)}`);
      if (page.workers.length === 0) return []; // page.worker.registered says it
      const blind = blindSpot(page);
      if (blind !== undefined)
        return [{ level: "skipped", what: `no pushManager.subscribe() seen; ${blind}` }];
      const fix = "call registration.pushManager.subscribe() when a button is pressed";
      return [{ level: "problem", what: "no page calls pushManager.subscribe()", fix }];
    },
  ),
  pageCheck(
    {
      id: "page.permission.press",
      title: "asks when a button is pressed",
      why: "Firefox and Safari do not ask without a press, and Chrome quiets sites whose visitors say no to a question out of the blue",
    },
    (page) => {
      const asking = callsOnLoad(page).filter((call) => asks(call));
      const [first] = asking;
      if (first !== undefined) {
        const fix = "ask inside of the click handler of a button that says what it is for";
        return [
          {
            level: "warning",
            what: `asks for permission while the page loads: ${calleeName(first.node) ?? ""}()`,
            fix,
            where: whereIs(page, first),
          },
        ];
      }
      const everywhere =
        subscribeCalls(page).length + page.scripts.flatMap((one) => callsOf(one, "requestPermission")).length;
      return everywhere > 0 ? good("nothing is asked while the page loads") : [];
    },
  ),
  pageCheck(
    {
      id: "page.subscribe.visible",
      title: "userVisibleOnly",
      why: "Chrome, Edge and Safari refuse to subscribe without the promise to show every push",
    },
    (page) =>
      subscribeCalls(page).flatMap((call) => {
        const value = optionOf(page, call, "userVisibleOnly");
        const where = whereIs(page, call);
        if (value === "unclear")
          return [{ level: "skipped", what: "the options of subscribe() are computed", where }];
        const isTrue = value !== "absent" && isTruthy(value);
        if (isTrue) return good("is true");
        if (value !== "absent" && value.type !== "Literal" && value.type !== "UnaryExpression") {
          return [{ level: "skipped", what: "userVisibleOnly is computed", where }];
        }
        const fix = "pass userVisibleOnly: true to subscribe()";
        return [
          {
            level: "problem",
            what: `userVisibleOnly is ${value === "absent" ? "missing" : "not true"}`,
            fix,
            where,
          },
        ];
      }),
  ),
  pageCheck(
    {
      id: "page.subscribe.resync",
      title: "looks again on every visit",
      why: "browsers drop and replace subscriptions, and hardly any tells you; a page that looks mends it",
    },
    (page) => {
      const calls = subscribeCalls(page);
      const [first] = calls;
      if (first === undefined) return [];
      const looks = page.scripts.some((script) => callsOf(script, "getSubscription").length > 0);
      if (looks) return good("getSubscription() is asked");
      const fix = "on each visit call getSubscription(), and send what it answers to your server";
      return [
        {
          level: "warning",
          what: "the page never looks whether its subscription is still there",
          fix,
          where: whereIs(page, first),
        },
      ];
    },
  ),
  pageCheck(
    {
      id: "page.subscribe.key-change",
      title: "a changed key",
      why: "a browser that subscribed with another key refuses with InvalidStateError until it has unsubscribed",
    },
    (page) => {
      const [first] = subscribeCalls(page);
      if (first === undefined) return [];
      const mends = page.scripts.some(({ nodes }) =>
        nodes.some((node) => literalText(node) === "InvalidStateError" || calleeName(node) === "unsubscribe"),
      );
      if (mends) return good("the page can unsubscribe first");
      const fix =
        "when subscribe() fails with InvalidStateError, unsubscribe() the old subscription and try again";
      return [
        {
          level: "note",
          what: "after a change of keys this page cannot subscribe",
          fix,
          where: whereIs(page, first),
        },
      ];
    },
  ),
  pageCheck(
    {
      id: "page.subscribe.errors",
      title: "failures are seen",
      why: "subscribing fails in private windows, in Brave and behind firewalls; who is told nothing presses again and again",
    },
    (page) => {
      const calls = subscribeCalls(page);
      if (calls.length === 0) return [];
      return orGood(
        calls.flatMap((call) => {
          const handler = swallowedBy(call);
          if (handler === undefined) return [];
          const fix = "tell the visitor what went wrong, at least log it";
          return [
            {
              level: "warning",
              what: "an error of subscribe() is thrown away here",
              fix,
              where: whereIs(page, handler),
            },
          ];
        }),
        "no error of subscribe() is thrown away",
      );
    },
  ),
  pageCheck(
    {
      id: "page.subscribe.sends-key",
      title: "the key travels with the subscription",
      why: "a subscription does not say which key it was made with; the server wants to know from the day it has two",
    },
    (page) => {
      const calls = subscribeCalls(page);
      const [first] = calls;
      if (first === undefined) return [];
      const options = new Set(calls.flatMap((call) => optionsOf(page, call)?.node ?? []));
      const sends = page.scripts.some(({ nodes, parents }) =>
        nodes.some((node) => {
          if (node.type !== "Property" || keyName(node.key) !== "applicationServerKey") return false;
          const object = parents.get(node);
          return object?.type === "ObjectExpression" && !options.has(object);
        }),
      );
      if (sends) return good("applicationServerKey is sent along");
      const fix = "send { ...subscription.toJSON(), applicationServerKey } to your server";
      return [
        {
          level: "note",
          what: "the server is not told which key a subscription was made with",
          fix,
          where: whereIs(page, first),
        },
      ];
    },
  ),
  pageCheck(
    {
      id: "page.unsubscribe.server",
      title: "the server hears of it",
      why: "a server that is not told goes on sending to a subscription that has ended",
    },
    (page) => unsubscribeFindings(page),
  ),
];

function asks(call: LoadCall): boolean {
  if (calleeName(call.node) === "requestPermission") {
    const receiver = receiverOf(call.node);
    // Other things have a requestPermission of their own: DeviceMotionEvent, file handles.
    return receiver !== undefined && lastName(receiver) === "Notification";
  }
  return calleeName(call.node) === "subscribe" && isPushSubscribe(call) && !call.isGuarded;
}

/** The options that `subscribe()` is called with; undefined when there are none. */
function optionsOf(page: Page, { script, node }: Located<Call>): Located | undefined {
  const [options] = node.arguments;
  return options === undefined ? undefined : objectOf({ script, node: options }, page.sources);
}

export function optionOf(page: Page, call: Located<Call>, name: string): AnyNode | "absent" | "unclear" {
  const options = optionsOf(page, call);
  return options === undefined ? "absent" : propertyOf(options, name);
}

/** `true`, and `!0` of minified code. */
function isTruthy(node: AnyNode): boolean {
  if (node.type === "UnaryExpression")
    return node.operator === "!" && node.argument.type === "Literal" && node.argument.value === 0;
  return node.type === "Literal" && node.value === true;
}

/** The empty catch that an error of a call ends in. */
function swallowedBy({ script, node }: Located): Located | undefined {
  for (
    let at: AnyNode = node, parent = script.parents.get(at);
    parent !== undefined;
    at = parent, parent = script.parents.get(at)
  ) {
    if (parent.type === "TryStatement" && parent.block === at && parent.handler) {
      return parent.handler.body.body.length === 0 ? { script, node: parent.handler } : undefined;
    }
    // p.catch(() => {}): the call stands in p.
    if (parent.type === "CallExpression" && calleeName(parent) === "catch" && unwrap(parent.callee) === at) {
      const [handler] = parent.arguments;
      return isFunction(handler) && isEmpty(handler) ? { script, node: handler } : undefined;
    }
    if (isFunction(parent)) {
      const call = script.parents.get(parent);
      const isChained =
        call?.type === "CallExpression" && call.callee !== parent && receiverOf(call) !== undefined;
      if (!isChained) return undefined;
    }
  }
  return undefined;
}

function isEmpty({ body }: FunctionNode): boolean {
  if (body.type === "BlockStatement") return body.body.length === 0;
  return body.type === "Literal" || (body.type === "Identifier" && body.name === "undefined");
}

function unsubscribeFindings(page: Page): readonly Finding[] {
  if (subscribeCalls(page).length === 0) return [];
  const calls = page.scripts.flatMap((script) =>
    callsOf(script, "unsubscribe").filter(({ node }) => node.arguments.length === 0),
  );
  const [first] = calls;
  if (first === undefined) {
    const fix = "give people a button that calls subscription.unsubscribe() and tells your server";
    return [{ level: "note", what: "notifications cannot be turned off on the page", fix }];
  }
  if (calls.some((call) => leadsToServer(page, call))) return good("it is told when somebody unsubscribes");
  const fix = "send the endpoint to your server as well, so that it removes the subscription";
  return [
    {
      level: "warning",
      what: "somebody who unsubscribes stays on the server's list",
      fix,
      where: whereIs(page, first),
    },
  ];
}

/** Whether the function around a call, or what it calls, also talks to a server. */
function leadsToServer(page: Page, { script, node }: Located): boolean {
  let around: FunctionNode | undefined;
  for (let at = script.functions.get(node); at !== undefined; at = script.functions.get(at)) around = at;
  const reached =
    around === undefined
      ? script.nodes.map((one) => ({ script, node: one }))
      : reachedFrom({ script, node: around }, page.sources);
  return reached.some(({ node: one }) => {
    if (one.type !== "CallExpression" && one.type !== "NewExpression") return false;
    if (isNetworkCall(one)) return true;
    return /^(?:XMLHttpRequest|sendBeacon|ajax|post|postJSON|put|delete|request|mutate|send|emit)$/.test(
      calleeName(one) ?? "",
    );
  });
}
