/** What a call in a push handler does, as far as showing a notification in time depends on it. */
import type { AnyNode, CallExpression, NewExpression } from "acorn";
import { functionOf, parameterOf, receiverOf, type Located } from "./names.ts";
import type { Sources } from "./page.ts";
import { calleeName, isFunction, lastName, unwrap, type Script } from "./script.ts";

type CallKind = "show" | "network" | "parse" | "all" | "promise" | "each" | "other";

const arrayMethods = new Set("map forEach filter flatMap some every find reduce".split(" "));
const promiseLists = new Set(["all", "allSettled", "race", "any"]);
const networkNames = new Set(["fetch", "axios", "ky"]);

/** What a call of something that is not the worker's own does. */
export function callKind(call: CallExpression | NewExpression): CallKind {
  const name = calleeName(call);
  const receiver = receiverOf(call);
  const on = receiver === undefined ? undefined : lastName(receiver);
  if (name === "showNotification") return "show";
  if (isNetworkCall(call)) return "network";
  if (name === "parse" && on === "JSON") return "parse";
  if (name === "json" && receiver !== undefined && isPushData(receiver)) return "parse";
  if (on === "Promise" && promiseLists.has(name ?? "")) return "all";
  if (name === "Promise" && call.type === "NewExpression") return "promise";
  if (receiver !== undefined && arrayMethods.has(name ?? "")) return "each";
  return "other";
}

/** `fetch(…)`, `self.fetch(…)`, `axios.get(…)`. */
export function isNetworkCall(call: CallExpression | NewExpression): boolean {
  const name = calleeName(call) ?? "";
  const receiver = receiverOf(call);
  const on = receiver === undefined ? undefined : lastName(receiver);
  if (on === undefined || ["self", "window", "globalThis"].includes(on)) return networkNames.has(name);
  return networkNames.has(on) && /^(?:get|post|put|patch|delete|request)$/.test(name);
}

/** `event.data`, or something called `data` or like the event's data. */
function isPushData(node: AnyNode): boolean {
  return lastName(node) === "data" || lastName(node) === "pushData";
}

/** Names of the platform that show nothing by themselves. */
const platform = new Set(
  (
    "self clients registration caches console JSON Promise Object Array String Number Boolean Math Date URL " +
    "URLSearchParams Response Request Headers Set Map WeakMap Symbol RegExp Error TypeError indexedDB IDBKeyRange crypto " +
    "navigator location atob btoa setTimeout clearTimeout setInterval clearInterval parseInt parseFloat isNaN " +
    "encodeURIComponent decodeURIComponent structuredClone skipWaiting globalThis Uint8Array ArrayBuffer TextDecoder " +
    "TextEncoder Notification BroadcastChannel AbortSignal AbortController event importScripts queueMicrotask Intl"
  ).split(" "),
);

/** Whether nobody can say what is called: a function handed in, or one out of code that is not here. */
export function isBlindCall({ script, node }: Located, sources: Sources, isForeign: boolean): boolean {
  const callee = node.type === "CallExpression" || node.type === "NewExpression" ? unwrap(node.callee) : node;
  if (callee.type === "ImportExpression") return true;
  // handlers[event.type](event)
  if (callee.type === "MemberExpression" && callee.computed && lastName(callee) === undefined) return true;
  const root = rootOf(callee);
  if (root?.type !== "Identifier") return false;
  const parameter = parameterOf(root, script);
  if (parameter !== undefined) return callee === root && !isPromiseExecutor(parameter.of, script);
  const imported = script.imports.get(root.name);
  if (imported !== undefined) return sources.follow(script, imported.source) === undefined;
  if (script.values.has(root.name) || platform.has(root.name)) return false;
  return isForeign && functionOf({ script, node: root }, sources) === undefined;
}

function isPromiseExecutor(node: AnyNode, script: Script): boolean {
  const parent = script.parents.get(node);
  return isFunction(node) && parent?.type === "NewExpression" && calleeName(parent) === "Promise";
}

/** The name a chain of members and calls begins with. */
function rootOf(node: AnyNode): AnyNode | undefined {
  let at = unwrap(node);
  for (;;) {
    if (at.type === "MemberExpression") at = unwrap(at.object);
    else if (at.type === "CallExpression") at = unwrap(at.callee);
    else return at;
  }
}
