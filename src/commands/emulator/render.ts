/** The emulator's log: each event as a line for people, or as a JSON record of one shape. */
import type { BrowserWiring } from "../../browsers/browser.ts";
import { chromiumSwitches } from "../../browsers/chromium.ts";
import { acknowledgementCodes } from "../../emulator/autopush-frames.ts";
import { eventRecordOf, faultText } from "../../emulator/event-record.ts";
import type { PushServiceEvent } from "../../emulator/events.ts";
import { personalityIds, vendorOf, type PersonalityId } from "../../emulator/personalities.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import type { Labels } from "../../emulator/labels.ts";

export interface Opening {
  readonly origin: string;
  /** What a browser needs to know to use it. */
  readonly wiring: BrowserWiring;
  /** Opens the JSON API. */
  readonly apiToken: string;
  readonly httpsOrigin: string;
  /** The certificate to trust; `undefined` when it could not be kept. */
  readonly caPath: string | undefined;
  /** The push service all subscriptions behave as that do not ask for another. */
  readonly as: PersonalityId | undefined;
  readonly statePath: string | undefined;
  readonly subscriptionCount: number;
}

/** What to do with a push service that has just started. */
export function openingText(
  { origin, httpsOrigin, apiToken, wiring, caPath, as, statePath, subscriptionCount }: Opening,
  { paint: { err } }: Pick<Io, "paint">,
): readonly string[] {
  const webSocket = origin.replace(/^http/, "ws");
  return [
    `A push service is listening on ${err.bold(origin)}; Ctrl-C stops it.`,
    "",
    `keys      ${err.bold("webpush keys")}   first, where the project has none`,
    `listen    ${err.bold(`webpush listen --service ${webSocket} --save me`)}`,
    `          ${err.bold('webpush send --to me "Hello"')}   in a third terminal`,
    `http      POST ${origin}/subscribe   (RFC 8030)`,
    `https     ${httpsOrigin}${caPath === undefined ? "" : ", for senders as they are, started with"}`,
    ...(caPath === undefined
      ? []
      : [
          `          NODE_EXTRA_CA_CERTS=${shellWord(caPath)}`,
          `          HTTPS_PROXY=${origin}`,
          "          and fcm.googleapis.com is here; web-push wants it as --proxy",
        ]),
    `firefox   in about:config, best of a profile of its own:`,
    `          dom.push.serverURL                        ${webSocket}/`,
    "          dom.push.testing.allowInsecureServerURL   true",
    ...chromiumText(wiring),
    `tests     ${origin}/api/`,
    `          authorization: Bearer ${printable(apiToken)}`,
    ...describeAnswers(as).map((line, index) => `${index === 0 ? "answers" : "       "}   ${line}`),
    ...(statePath === undefined
      ? ["state     in memory only; --state DIR keeps it"]
      : [`state     ${printable(statePath)}, ${countOf(subscriptionCount)} restored`]),
    "",
  ];
}

/** How to start a Chromium by hand: a command that can be pasted, but for the folder. */
function chromiumText(wiring: BrowserWiring): readonly string[] {
  const command = ["chromium --user-data-dir=DIR", ...chromiumSwitches(wiring)];
  return [
    "chromium  webpush emulator --open chromium starts one;",
    "          by hand, with a profile of its own in DIR:",
    ...command.map((part, index) => {
      return `          ${index === 0 ? "" : "  "}${part}${index === command.length - 1 ? "" : " \\"}`;
    }),
  ];
}

/** A path as it can be pasted after `NAME=` in a shell. */
function shellWord(path: string): string {
  const text = printable(path);
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function describeAnswers(as: PersonalityId | undefined): readonly string[] {
  const others = personalityIds.filter((id) => id !== as).join(", ");
  const otherwise = `subscribe with ?as= for others: ${others}`;
  if (as === undefined) return ["as each door's own service does;", otherwise];
  const vendor = vendorOf(as)?.name;
  return [vendor === undefined ? "by the letter of the RFCs;" : `as ${vendor} does;`, otherwise];
}

/** As whom, when it is not by the letter. */
function asWhom(personality: PersonalityId | undefined): string {
  return personality === undefined || personality === "strict" ? "" : ` as ${personality}`;
}

function countOf(count: number): string {
  return count === 1 ? "1 subscription" : `${count} subscriptions`;
}

/** One event as a line: time, subscription, what happened. */
export function eventText(
  event: PushServiceEvent,
  labels: Labels,
  { paint: { out } }: Pick<Io, "paint">,
): string {
  const subscriptionId = "subscriptionId" in event ? event.subscriptionId : undefined;
  const pushId = labels.pushIdOf(subscriptionId);
  const label = pushId === undefined ? "       " : `…${printable(pushId.slice(-6))}`;
  const message = "messageId" in event ? ` ${out.dim(`#${printable(event.messageId.slice(0, 6))}`)}` : "";
  const time = new Date(event.at).toISOString().slice(11, 23);
  return `${out.dim(time)}  ${label}  ${describe(event)}${message}`;
}

function describe(event: PushServiceEvent): string {
  switch (event.type) {
    case "subscribed":
      return event.applicationServerKey === undefined
        ? `subscribed${asWhom(event.personality)}, anyone may send`
        : `subscribed${asWhom(event.personality)} for the key ${event.applicationServerKey.slice(0, 12)}…`;
    case "unsubscribed":
      return event.code === undefined ? "unsubscribed" : `unsubscribed, ${unregisterMeaning(event.code)}`;
    case "subscription-expired":
      return "subscription expired";
    case "connected":
      return "receiver connected";
    case "disconnected":
      return "receiver disconnected";
    case "accepted":
      return `accepted ${event.bodyBytes} bytes, TTL ${event.ttlSeconds} s, ${event.urgency}${event.topic === undefined ? "" : `, topic ${printable(event.topic)}`}`;
    case "delivered":
      return event.delivery === 1 ? "delivered" : `delivered again, ${event.delivery}th time`;
    case "returned":
      return "not acknowledged, waits again";
    case "acknowledged":
      return `acknowledged ${acknowledgementCodes[event.how]} ${event.how}`;
    case "replaced":
      return `replaced by a newer message of topic ${printable(event.topic)}`;
    case "expired":
      return "expired, its TTL has passed";
    case "cancelled":
      return "cancelled by its sender";
    case "discarded":
      return `discarded, ${event.why}`;
    case "receipt":
      return `receipt ${event.status}`;
    case "user-agent-connected":
      return `hello from ${event.isKnown ? "" : "new "}user agent ${printable(event.userAgentId.slice(0, 6))}${event.product === undefined ? "" : ` (${printable(productName(event.product))})`}, ${countOf(event.subscriptionCount)}`;
    case "user-agent-disconnected":
      return goodbyeText(event);
    case "user-agent-missing":
      return `user agent ${printable(event.userAgentId.slice(0, 6))} does not come for its messages: ${event.reason}`;
    case "processing-failed":
      return `nack ${event.code} ${nackMeanings.get(event.code) ?? ""}`.trimEnd();
    case "reset":
      return "reset, everything is forgotten";
    case "clock-moved":
      return `the clock was moved by ${event.byMs} ms`;
    case "fault":
      return `fault ${printable(faultText(event))}`;
    case "refused":
      return `refused ${event.status}${asWhom(event.personality)} ${event.code}: ${printable(event.reason)}`;
    default:
      return event satisfies never;
  }
}

function goodbyeText({
  userAgentId,
  code,
  reason,
}: Extract<PushServiceEvent, { type: "user-agent-disconnected" }>): string {
  const why = [code, printable(reason)].filter((part) => part !== undefined && part !== "").join(" ");
  const who = userAgentId === undefined ? "that never said hello" : printable(userAgentId.slice(0, 6));
  return `goodbye of user agent ${who}${why === "" ? "" : `, ${why}`}`;
}

/** `chrome-156` for `chrome-156.0.8078.79`: the rest would not fit a line. */
function productName(product: string): string {
  return product.replace(/^(\w+-\d+)[\d.]*$/, "$1");
}

/** What Firefox means by the code of `nack`. */
const nackMeanings: ReadonlyMap<number, string> = new Map([
  [301, "the push handler threw"],
  [302, "the push handler's promise was rejected"],
  [303, "the browser failed"],
]);

/** What Firefox means by the code of `unregister`. */
const unregisterMeanings: ReadonlyMap<number, string> = new Map([
  [200, "by the page"],
  [201, "too many pushes without a notification"],
  [202, "permission revoked"],
]);

function unregisterMeaning(code: number): string {
  const meaning = unregisterMeanings.get(code);
  return meaning === undefined ? `code ${code}` : `code ${code}: ${meaning}`;
}

/** The first record: the service is ready. */
export function readyJson(
  { origin, httpsOrigin, apiToken, caPath, as, subscriptionCount }: Omit<Opening, "statePath">,
  at: number,
): string {
  const nothing = { subscription: null, messageId: null, userAgentId: null, code: null, status: null };
  const noMessage = { bytes: null, ttlSeconds: null, urgency: null, topic: null, delivery: null };
  return jsonLine({
    type: "ready",
    at: new Date(at).toISOString(),
    url: origin,
    ...nothing,
    reason: null,
    ...noMessage,
    subscriptions: subscriptionCount,
    personality: as ?? null,
    apiToken,
    httpsUrl: httpsOrigin,
    ca: caPath ?? null,
  });
}

/** One event as a record; every field is always there. */
export function eventJson(event: PushServiceEvent, labels: Labels): string {
  return jsonLine(eventRecordOf(event, labels));
}
