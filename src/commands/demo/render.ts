/** The story `webpush demo` tells: each step with the command that does it. */
import type { Subscription } from "../../protocol/subscription.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { ReceivedMessage } from "../../receiver/http-receiver.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import type { Result } from "../send/deliver.ts";

export type Step =
  | { readonly name: "keys"; readonly publicKey: string }
  | { readonly name: "service"; readonly origin: string }
  | { readonly name: "subscription"; readonly subscription: Subscription }
  | { readonly name: "sent"; readonly message: string; readonly ttlSeconds: number; readonly result: Result }
  | { readonly name: "received" };

interface Telling {
  readonly title: string;
  readonly facts: readonly string[];
  /** What a person types to do the same. */
  readonly command?: string;
}

const order: readonly Step["name"][] = ["keys", "service", "subscription", "sent", "received"];

type Painted = Pick<Io, "paint">;

/** One step of the story, for people. */
export function stepText(step: Step, { paint: { err } }: Painted): readonly string[] {
  const { title, facts, command } = tell(step);
  return [
    `${err.hint(String(order.indexOf(step.name) + 1))}  ${err.bold(title)}`,
    ...facts.map((fact) => `   ${fact}`),
    ...(command === undefined ? [] : [`   ${err.dim(`$ ${command}`)}`]),
    ...(step.name === "received" ? [] : [""]),
  ];
}

function tell(step: Step): Telling {
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
    case "subscription":
      return {
        title: "A receiver subscribes: an address and keys to encrypt for",
        facts: [
          `endpoint ${printable(shortenEndpoint(step.subscription.endpoint))}`,
          `p256dh   ${step.subscription.p256dh.slice(0, 44)}…`,
        ],
        command: "webpush subscriptions add subscription.json --name demo",
      };
    case "sent":
      return {
        title: "The message is encrypted, signed and posted (RFC 8291)",
        facts: [
          `${step.result.delivery.status ?? ""} accepted in ${Math.round(step.result.durationMs)} ms; the push service cannot read it`,
        ],
        command: `webpush send --to demo --ttl ${step.ttlSeconds} ${quoted(step.message)}`,
      };
    case "received":
      return { title: "The receiver decrypts it, and shows:", facts: [] };
    default:
      return step satisfies never;
  }
}

function quoted(message: string): string {
  return `'${printable(message, { limit: 60 }).replaceAll("'", "'\\''")}'`;
}

/** The title of a notification that arrived, as the service worker would show it. */
function titleOf({ payload }: ReceivedMessage): string {
  const text = new TextDecoder().decode(payload);
  const { notification } = JSON.parse(text) as { notification: { title: string } };
  return notification.title;
}

/** What arrived, for people; in a pipe the text alone. */
export function arrivalText(
  received: ReceivedMessage,
  { paint: { out }, terminal }: Pick<Io, "paint" | "terminal">,
): string {
  return `${terminal.out ? "   " : ""}${out.good(printable(titleOf(received)))}`;
}

export interface Arrival {
  readonly sent: Result;
  readonly received: ReceivedMessage;
  readonly serviceOrigin: string;
  readonly publicKey: string;
}

/** The round trip as a JSON record. */
export function arrivalJson({ sent, received, serviceOrigin, publicKey }: Arrival): string {
  return jsonLine({
    publicKey,
    service: serviceOrigin,
    outcome: sent.delivery.outcome,
    status: sent.delivery.status ?? null,
    sendMs: Math.round(sent.durationMs),
    title: titleOf(received),
    encryptedBytes: received.bodyBytes,
  });
}

/** What to do next. */
export function endingText(durationMs: number, { paint: { err } }: Painted): readonly string[] {
  return [
    "",
    `That was web push, end to end, in ${(durationMs / 1000).toFixed(1)} s and without the internet.`,
    "For a real browser:",
    "",
    `   ${err.bold("webpush keys --subject mailto:you@your-domain")}`,
    `   ${err.bold("webpush scaffold")}`,
  ];
}
