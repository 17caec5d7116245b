/** The story `webpush demo` tells: each step with the command that does it. */
import type { Subscription } from "../../protocol/subscription.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import type { Result } from "../send/deliver.ts";

export type Step =
  | { readonly name: "keys"; readonly publicKey: string }
  | { readonly name: "service"; readonly origin: string }
  | { readonly name: "page"; readonly browser: string; readonly origin: string }
  | { readonly name: "subscription"; readonly subscription: Subscription; readonly by: "receiver" | "page" }
  | {
      readonly name: "sent";
      /** Who it was sent to, when it was not simply everybody. */
      readonly to: string | undefined;
      readonly message: string;
      readonly ttlSeconds: number;
      readonly result: Result;
    }
  | { readonly name: "received" }
  | { readonly name: "shown"; readonly browser: string };

interface Words {
  readonly title: string;
  readonly facts: readonly string[];
  /** What a person types to do the same. */
  readonly command?: string;
}

/** The two tellings; the terminal's has no page, the browser's shows instead of receiving. */
const order = {
  terminal: ["keys", "service", "subscription", "sent", "received"],
  browser: ["keys", "service", "page", "subscription", "sent", "shown"],
} as const satisfies Readonly<Record<string, readonly Step["name"][]>>;

export type Telling = keyof typeof order;

type Painted = Pick<Io, "paint">;

/** One step of a story, for people. */
export function stepText(step: Step, telling: Telling, { paint: { err } }: Painted): readonly string[] {
  const { title, facts, command } = tell(step);
  const steps: readonly string[] = order[telling];
  return [
    `${err.hint(String(steps.indexOf(step.name) + 1))}  ${err.bold(title)}`,
    ...facts.map((fact) => `   ${fact}`),
    ...(command === undefined ? [] : [`   ${err.dim(`$ ${command}`)}`]),
    ...(step.name === "received" || step.name === "shown" ? [] : [""]),
  ];
}

function tell(step: Step): Words {
  switch (step.name) {
    case "keys":
      return {
        title: "A key pair says who is sending (VAPID, RFC 8292)",
        facts: [`public key ${step.publicKey.slice(0, 44)}…`],
        command: "webpush keys",
      };
    case "service":
      return {
        title: "A push service waits between sender and receiver (RFC 8030)",
        facts: [`${step.origin}, on this machine; browsers bring their own`],
      };
    case "page":
      return {
        title: `${step.browser} opens the page, with this push service instead of its own`,
        facts: [`${step.origin}, in a profile that is thrown away`],
        command: `webpush serve --open ${step.browser.toLowerCase()}`,
      };
    case "subscription":
      return {
        title: `${step.by === "page" ? "The page" : "A receiver"} subscribes: an address and keys to encrypt for`,
        facts: [
          `endpoint ${printable(shortenEndpoint(step.subscription.endpoint))}`,
          `p256dh   ${step.subscription.p256dh.slice(0, 44)}…`,
        ],
        ...(step.by === "page" ? {} : { command: "webpush subscriptions add subscription.json --name demo" }),
      };
    case "sent":
      return {
        title: "The message is encrypted, signed and posted (RFC 8291)",
        facts: [
          `${step.result.delivery.status ?? ""} accepted in ${Math.round(step.result.durationMs)} ms; the push service cannot read it`,
        ],
        command: `webpush send ${step.to === undefined ? "" : `--to ${step.to} `}--ttl ${step.ttlSeconds} ${quoted(step.message)}`,
      };
    case "received":
      return { title: "The receiver decrypts it, and shows:", facts: [] };
    case "shown":
      return { title: `${step.browser} decrypts it, and its service worker shows:`, facts: [] };
    default:
      return step satisfies never;
  }
}

function quoted(message: string): string {
  return `'${printable(message, { limit: 60 }).replaceAll("'", "'\\''")}'`;
}

/** The title of a notification that arrived, as the service worker would show it. */
export function titleOf(payload: Uint8Array | undefined): string {
  const text = new TextDecoder().decode(payload);
  const { notification } = JSON.parse(text) as { notification: { title: string } };
  return notification.title;
}

/** What arrived, for people; in a pipe the text alone. */
export function arrivalText(
  title: string,
  { paint: { out }, terminal }: Pick<Io, "paint" | "terminal">,
): string {
  return `${terminal.out ? "   " : ""}${out.good(printable(title))}`;
}

export interface Arrival {
  readonly sent: Result;
  readonly title: string;
  readonly encryptedBytes: number;
  readonly serviceOrigin: string;
  readonly publicKey: string;
  /** `undefined` when a terminal received. */
  readonly browser: string | undefined;
  /** From the push service's acceptance on, in a browser; `undefined` when a terminal received. */
  readonly after: { readonly acknowledgedMs: number; readonly shownMs: number } | undefined;
}

/** The round trip as a JSON record. */
export function arrivalJson(arrival: Arrival): string {
  const { sent, title, encryptedBytes, serviceOrigin, publicKey, browser, after } = arrival;
  return jsonLine({
    publicKey,
    service: serviceOrigin,
    browser: browser ?? null,
    outcome: sent.delivery.outcome,
    status: sent.delivery.status ?? null,
    sendMs: Math.round(sent.durationMs),
    acknowledgedMs: after?.acknowledgedMs ?? null,
    shownMs: after?.shownMs ?? null,
    title,
    encryptedBytes,
  });
}

/** What to do next. */
export function endingText(durationMs: number, { paint: { err } }: Painted): readonly string[] {
  return [
    "",
    `That was web push, end to end, in ${(durationMs / 1000).toFixed(1)} s and without the internet.`,
    "In a real browser:",
    "",
    `   ${err.bold("webpush demo --browser chromium")}   ${err.dim("or firefox")}`,
  ];
}

export interface BrowserEnding {
  readonly browser: string;
  readonly durationMs: number;
  /** Whether the notification was clicked, by us. */
  readonly isClicked: boolean;
  readonly headless: boolean;
}

/** The end of the browser's story, and how to go on. */
export function browserEndingText(
  { browser, durationMs, isClicked, headless }: BrowserEnding,
  { paint: { err } }: Painted,
): readonly string[] {
  return [
    ...(isClicked ? ["", "   and a click on it came back to the service worker"] : []),
    "",
    `That was web push in a stock browser, in ${(durationMs / 1000).toFixed(1)} s and without the internet.`,
    "For a project of your own, in two terminals:",
    "",
    `   ${err.bold(`webpush serve --open ${browser}`)}`,
    `   ${err.bold("webpush send 'Hello'")}`,
    ...(headless ? [] : ["", "Close the browser to end."]),
  ];
}
