/**
 * Notification fields -> the JSON bytes of one payload for all browsers.
 *
 * It is a declarative push message (W3C Push API, "Declarative push message"): Safari
 * shows it with no worker at all. Everywhere else a worker reads `notification`, as
 * the scaffolded one does. There is no copy of it at the top level: 3993 bytes are few.
 *
 * A declarative message must say where a click leads. The W3C text resolves
 * `navigate` against the subscription's scope, so a relative URL is written as given,
 * and with no URL at all it is ".", the start of the app, where the scaffolded worker
 * goes too. The first parsers of Safari 18.4 wanted an absolute one; to them such a
 * message is an ordinary push, which the worker shows. Either way something appears.
 */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { isLoopbackHost } from "./subscription.ts";

/** What JSON can say. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** A button of a notification. */
export interface NotificationAction {
  readonly action: string;
  readonly title: string;
  /** Where it leads; the notification's own URL when absent. */
  readonly url?: string | undefined;
  readonly icon?: string | undefined;
}

export const directions = ["auto", "ltr", "rtl"] as const;

/** What a notification can have; names are those of `NotificationOptions`, except `url` and `appBadge`. */
export interface NotificationFields {
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  readonly icon?: string | undefined;
  readonly badge?: string | undefined;
  readonly image?: string | undefined;
  /** Where a click leads: absolute, or relative to the scope of the service worker. */
  readonly url?: string | undefined;
  readonly tag?: string | undefined;
  readonly lang?: string | undefined;
  readonly dir?: (typeof directions)[number] | undefined;
  readonly data?: Json | undefined;
  readonly actions?: readonly NotificationAction[] | undefined;
  readonly requireInteraction?: boolean | undefined;
  readonly silent?: boolean | undefined;
  readonly renotify?: boolean | undefined;
  /** Milliseconds on, off, on, … */
  readonly vibrate?: readonly number[] | undefined;
  /** Milliseconds since 1970. */
  readonly timestamp?: number | undefined;
  /** The number on the app's icon; 0 takes it away. */
  readonly appBadge?: number | undefined;
  /** Lets a worker replace the notification before Safari shows it. */
  readonly mutable?: boolean | undefined;
}

const startOfApp = ".";

/**
 * The payload bytes for a notification.
 *
 * @throws UserError `payload-title-missing`, `payload-url`, `payload-conflict`, `payload-actions`, `payload-number`
 */
export function createPayload(fields: NotificationFields): Uint8Array {
  assertConsistent(fields);
  const navigate = fields.url ?? startOfApp;
  // Written in both places: WebKit looked inside `notification` first and at the top level later.
  const twice = {
    ...(fields.mutable === true ? { mutable: true } : {}),
    ...(fields.appBadge === undefined ? {} : { app_badge: fields.appBadge }),
  };
  const message = {
    web_push: 8030, // the number; the text "8030" would make it an ordinary push
    ...twice,
    notification: { ...describeNotification(fields, navigate), ...twice },
  };
  return new TextEncoder().encode(JSON.stringify(message));
}

/** Members in reading order; JSON.stringify leaves the absent ones out. */
function describeNotification(
  fields: NotificationFields,
  navigate: string,
): Readonly<Record<string, unknown>> {
  const { title, body, lang, dir, tag, icon, badge, image, data, actions } = fields;
  const { requireInteraction, silent, renotify, vibrate, timestamp } = fields;
  const buttons = actions?.map((button) => ({
    action: button.action,
    title: button.title,
    navigate: button.url ?? navigate, // required by the W3C text: one button without it spoils the message
    icon: button.icon,
  }));
  return {
    ...{ title, body, navigate, lang, dir, tag, icon, badge, image, data },
    ...(buttons === undefined || buttons.length === 0 ? {} : { actions: buttons }),
    ...{ requireInteraction, silent, renotify, vibrate, timestamp },
  };
}

function assertConsistent(fields: NotificationFields): void {
  if ((fields.title ?? "").trim() === "") {
    throw new UserError("payload-title-missing", "notification has no title", {
      hints: ["add --title: every browser wants one"],
    });
  }
  if (fields.url !== undefined) assertUrl("url", fields.url);
  for (const button of fields.actions ?? []) assertAction(button);
  assertShowable(fields);
  assertCount("badge number", fields.appBadge);
  assertCount("timestamp", fields.timestamp);
  for (const duration of fields.vibrate ?? []) assertCount("vibration", duration);
}

function assertShowable(fields: NotificationFields): void {
  // The two combinations for which `showNotification()` throws a TypeError.
  if (fields.silent === true && fields.vibrate !== undefined)
    throw conflict("a silent notification cannot vibrate", "leave out one of silent and vibrate");
  if (fields.renotify === true && (fields.tag ?? "") === "")
    throw conflict(
      "renotify needs a tag",
      "add --tag: renotify is about replacing the one with the same tag",
    );
  assertCount("badge number", fields.appBadge);
  assertCount("timestamp", fields.timestamp);
  for (const duration of fields.vibrate ?? []) assertCount("vibration", duration);
}

function conflict(message: string, hint: string): UserError {
  return new UserError("payload-conflict", message, { hints: [hint] });
}

function assertCount(what: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new UserError("payload-number", `${what} ${value} is not a whole number from 0 up`);
}

function assertAction({ action, title, url }: NotificationAction): void {
  if (action.trim() === "" || title.trim() === "") {
    throw actionsError(
      `action ${JSON.stringify(action || title)} lacks ${action.trim() === "" ? "a name" : "a title"}`,
    );
  }
  if (url !== undefined) assertUrl(`url of action ${JSON.stringify(action)}`, url);
}

/** Anything but a web page would be refused by the browser or, like `javascript:`, should be. */
function assertUrl(what: string, url: string): void {
  const shown = JSON.stringify(url.length > 60 ? `${url.slice(0, 60)}…` : url);
  const refuse = (why: string, hint: string): UserError =>
    new UserError("payload-url", `${what} ${shown} ${why}`, { hints: [hint] });
  const base = "https://app.invalid/";
  if (url.trim() === "" || !URL.canParse(url, base))
    throw refuse("is not a URL", "give https://… or a path in your app such as /threads/7");
  const parsed = new URL(url, base);
  if (parsed.protocol === "https:") return;
  if (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname)) return;
  if (parsed.protocol === "http:") throw refuse("is plain http", "use https; only localhost works without");
  throw refuse("does not lead to a web page", "use an https URL, or a path in your app");
}

/**
 * Reads buttons: `open=Open it=https://…;later=Later`, the URL optional, or a JSON list of
 * `{"action","title","url","icon"}` for texts that hold `=` or `;`.
 *
 * @throws UserError `payload-actions`, `payload-url`
 */
export function parseActions(text: string): readonly NotificationAction[] {
  const actions = /^\s*[[{]/.test(text)
    ? parseJsonActions(text)
    : text.split(/[;\n]/).flatMap(parseShortAction);
  for (const action of actions) assertAction(action);
  return actions;
}

function parseShortAction(text: string): readonly NotificationAction[] {
  if (text.trim() === "") return [];
  const [, action = "", title = "", url = ""] = /^([^=]*)(?:=([^=]*))?(?:=(.*))?$/s.exec(text) ?? [];
  const rest = url.trim() === "" ? {} : { url: url.trim() };
  return [{ action: action.trim(), title: title.trim(), ...rest }];
}

function parseJsonActions(text: string): readonly NotificationAction[] {
  const value = parseJson(text, actionsError);
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    if (typeof item !== "object" || item === null) throw actionsError("action is not an object");
    const member = (name: string): unknown =>
      Object.hasOwn(item, name) ? Reflect.get(item, name) : undefined;
    return {
      action: expectText("action", member("action")) ?? "",
      title: expectText("title", member("title")) ?? "",
      url: expectText("url", member("url") ?? member("navigate")),
      icon: expectText("icon", member("icon")),
    };
  });
}

function expectText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw actionsError(`the ${name} of an action is not text`);
}

function actionsError(message: string): UserError {
  return new UserError("payload-actions", message, {
    hints: ['write name=Title=https://…;name=Title, or JSON such as [{"action":"open","title":"Open"}]'],
  });
}

/**
 * Reads the data that travels with a notification: any JSON.
 *
 * @throws UserError `payload-data`
 */
export function parseData(text: string): Json {
  return parseJson(text, (why) => {
    const hints = [`write JSON, a word in quotes as well: '{"id": 7}', '"seven"'`];
    return new UserError("payload-data", `data: ${why}`, { hints });
  });
}

function parseJson(text: string, fail: (why: string) => UserError): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    const start = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    throw fail(`${start} is not JSON`);
  }
}

/**
 * Reads the direction of a notification's text.
 *
 * @throws UserError `payload-direction`
 */
export function parseDirection(text: string): (typeof directions)[number] {
  const found = directions.find((direction) => direction === text.trim().toLowerCase());
  if (found !== undefined) return found;
  throw new UserError("payload-direction", `direction ${JSON.stringify(text.slice(0, 40))} is not known`, {
    hints: [`use ${nearest(text, directions) ?? directions.join(", ")}`],
  });
}
