/** What `webpush serve` prints: what to do with it, then a line or a JSON record per event, nothing in it raw. */
import { titleOf, type BrowserName } from "../../browsers/browser.ts";
import type { ServerEvent, TestResult } from "../../server/events.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import type { PageKey } from "../scaffold/page-key.ts";
import type { PageProblem } from "./page-settings.ts";

/** What has just started. */
export interface Opening {
  readonly origin: string;
  /** The folder's name; undefined for the built-in page. */
  readonly folder: string | undefined;
  readonly key: PageKey;
  readonly storePath: string;
  readonly subscriptionCount: number;
  /** Where the emulator beside is; undefined when there is none. */
  readonly emulator: string | undefined;
  /** The browser that is opened on it. */
  readonly browser: BrowserName | undefined;
  readonly headless: boolean;
}

type Painted = Pick<Io, "paint">;

/** Where the page is, what it is made of, and the next step. */
export function openingText(opening: Opening, { paint: { err } }: Painted): readonly string[] {
  const { origin, folder, key, storePath, subscriptionCount, emulator, browser, headless } = opening;
  const stored = subscriptionCount === 1 ? "1 subscription" : `${subscriptionCount} subscriptions`;
  return [
    `Your page is at ${err.bold(origin)}; Ctrl-C stops the server.`,
    "",
    folder === undefined
      ? "page     the built-in one; webpush scaffold writes it out for you to change"
      : `page     ${printable(folder)}`,
    `key      ${key.publicKey.slice(0, 12)}…, ${describeKey(key)}`,
    `store    ${printable(storePath, { limit: 4096 })}, ${stored}`,
    ...(emulator === undefined
      ? []
      : [
          `push     ${emulator}, an emulator for ${browser === undefined ? "browsers that are set up for it" : titleOf(browser)}`,
        ]),
    ...(browser !== undefined && headless
      ? [
          "next     turn on notifications in the page, by a driver of the browser since there",
          "         is no window to click in, then in a second terminal:",
        ]
      : ["next     turn on notifications in the page, then in a second terminal:"]),
    `         ${err.bold('webpush send "Hello"')}`,
    "",
  ];
}

function describeKey({ source }: PageKey): string {
  switch (source) {
    case "made":
      return "of a VAPID key pair made just now";
    case "project":
      return "this project's";
    case "environment":
      return "from VAPID_PRIVATE_KEY in the environment";
    case "flag":
      return "as given";
    default:
      return source satisfies never;
  }
}

/** A warning with its fix. */
export function problemText({ what, fix }: PageProblem, { paint: { err } }: Painted): readonly string[] {
  return [`${err.caution("warning:")} ${printable(what)}`, `${err.hint("hint:")} ${printable(fix)}`];
}

/** One event as a line; undefined for what is the rule and no news. */
export function eventText(event: ServerEvent, { paint: { out } }: Painted): string | undefined {
  const said = describe(event);
  if (said === undefined) return undefined;
  const time = new Date(event.at).toISOString().slice(11, 23);
  // As the emulator's log has it, so that lines about one subscription can be told to be.
  const label = "endpoint" in event ? `…${event.endpoint.slice(-6)}` : "       ";
  return `${out.dim(time)}  ${printable(label)}  ${said}`;
}

function describe(event: ServerEvent): string | undefined {
  switch (event.type) {
    case "stored": {
      if (event.outcome === "unchanged" && event.replacedId === undefined) return undefined;
      const instead = event.replacedId === undefined ? "" : `, instead of ${event.replacedId}`;
      const at = printable(new URL(event.endpoint).host);
      return `page subscribed at ${at}, stored as ${event.id}${instead}`;
    }
    case "removed":
      return `page unsubscribed, ${event.id} removed`;
    case "tested":
      return `page asked for a test push: ${describeTest(event.result)}`;
    case "beacon":
      return `browser: ${beaconWords[event.what]}${named(event)}`;
    case "refused": {
      const request = printable(`${event.method} ${event.path}`, { limit: 80 });
      const more = event.untold === 0 ? "" : `; ${event.untold} more before it`;
      return `refused ${event.status} ${request}: ${printable(event.reason)}${more}`;
    }
    default:
      return event satisfies never;
  }
}

/** The message a beacon is about: its title, or else its id. */
function named({ title, messageId }: Extract<ServerEvent, { type: "beacon" }>): string {
  if (title !== undefined) return ` "${printable(title, { limit: 60 })}"`;
  return messageId === undefined ? "" : ` ${printable(messageId, { limit: 60 })}`;
}

const beaconWords = {
  received: "received message",
  shown: "showed notification",
  clicked: "notification clicked",
  closed: "notification closed",
  error: "could not show notification",
} as const;

function describeTest({ outcome, status, meaning, reason, advice }: TestResult): string {
  const answered = status === undefined ? outcome : `${status} ${outcome}`;
  if (outcome === "accepted") return answered;
  const words = reason === undefined ? "" : ` (${printable(reason, { limit: 120 })})`;
  return `${answered}: ${printable(meaning)}${words}${advice === undefined ? "" : `; ${printable(advice)}`}`;
}

/** The first record: the server is ready. */
export function readyJson(
  { origin, folder, key, storePath, subscriptionCount, emulator }: Opening,
  at: number,
): string {
  return jsonLine({
    type: "ready",
    at: timeOf(at),
    url: origin,
    folder: folder ?? null,
    publicKey: key.publicKey,
    store: storePath,
    subscriptions: subscriptionCount,
    emulator: emulator ?? null,
  });
}

/** One event as a record; each type has its own fields, always all of them. */
export function eventJson(event: ServerEvent): string {
  const at = timeOf(event.at);
  switch (event.type) {
    case "stored":
      return jsonLine({
        type: "stored",
        at,
        id: event.id,
        host: new URL(event.endpoint).host,
        outcome: event.outcome,
        replaced: event.replacedId ?? null,
      });
    case "removed":
      return jsonLine({ type: "removed", at, id: event.id, host: new URL(event.endpoint).host });
    case "tested":
      return jsonLine({
        type: "tested",
        at,
        id: event.id,
        outcome: event.result.outcome,
        cause: event.result.cause,
        status: event.result.status ?? null,
        reason: event.result.reason ?? null,
        advice: event.result.advice ?? null,
      });
    case "beacon":
      return jsonLine({
        type: "beacon",
        at,
        what: event.what,
        messageId: event.messageId ?? null,
        title: event.title ?? null,
        happenedAt: timeOf(event.happenedAt),
      });
    case "refused":
      return jsonLine({
        type: "request-refused",
        at,
        status: event.status,
        code: event.code,
        reason: event.reason,
        method: event.method,
        path: event.path,
        untold: event.untold,
      });
    default:
      return event satisfies never;
  }
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
