/** What `webpush listen` prints: a line or a record per event, nothing in it raw. */
import { formatSubscription, shortenEndpoint, type Subscription } from "../../protocol/subscription.ts";
import type { MessageEvent, UndecryptableEvent } from "../../receiver/autopush.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { readContent } from "./content.ts";
import type { Forwarded } from "./forward.ts";

/** What was done with a message besides printing it. */
export interface Handled {
  readonly exitCode: number | undefined;
  readonly forwarded: Forwarded | undefined;
}

export interface Ready {
  readonly subscription: Subscription;
  readonly service: string;
  readonly isNew: boolean;
  readonly savedAs: string | undefined;
}

/** The subscription, for people: as JSON to hand on, or by the name it is stored under. */
export function readyText(
  { subscription, service, isNew, savedAs }: Ready,
  { paint: { err } }: Pick<Io, "paint">,
) {
  const endpoint = printable(shortenEndpoint(subscription.endpoint));
  return [
    `${isNew ? "Subscribed" : "Still subscribed"} at ${printable(service)}, endpoint ${endpoint}`,
    ...(savedAs === undefined
      ? ["Send with the subscription above, or store it with --save NAME."]
      : subscription.applicationServerKey === undefined
        ? [`Stored as ${printable(savedAs)}. To send you need keys: ${err.bold("webpush keys")}`]
        : [
            `Stored as ${printable(savedAs)}: ${err.bold(`webpush send --to ${printable(savedAs)} "Hello"`)}`,
          ]),
    "Waiting for messages; Ctrl-C stops.",
  ];
}

/** The subscription as the data it is; it holds the auth secret, as whoever sends needs it. */
export function subscriptionLine(subscription: Subscription): string {
  return jsonLine(formatSubscription(subscription));
}

export function readyJson({ subscription, service, isNew, savedAs }: Ready, at: number): string {
  return jsonLine({
    type: "ready",
    at: timeOf(at),
    service,
    isNew,
    savedAs: savedAs ?? null,
    subscription: formatSubscription(subscription),
  });
}

/** A message as one line. */
export function messageText(
  event: MessageEvent | UndecryptableEvent,
  { paint: { out } }: Pick<Io, "paint">,
): string {
  const time = out.dim(timeOf(event.at).slice(11, 19));
  if (event.type === "undecryptable")
    return `${time}  ${out.bad("cannot be read:")} ${printable(event.reason)}`;
  if (event.payload === undefined) return `${time}  ${out.dim("(an empty push)")}`;
  const { text, title, body } = readContent(event.payload);
  if (title !== undefined)
    return `${time}  ${out.bold(printable(title))}${body === undefined ? "" : `  ${printable(body)}`}`;
  return `${time}  ${text === undefined ? `(${event.payload.length} bytes that are no text)` : printable(text)}`;
}

/** A message as a record; every field is always there. */
// eslint-disable-next-line complexity -- each `??` is a field spelled out
export function messageJson(
  event: MessageEvent | UndecryptableEvent,
  { exitCode, forwarded }: Handled,
): string {
  const payload = event.type === "message" ? event.payload : undefined;
  const { text, title, body } = readContent(payload);
  return jsonLine({
    type: event.type,
    at: timeOf(event.at),
    id: event.id,
    contentEncoding: event.contentEncoding ?? null,
    encryptedBytes: event.encryptedBytes,
    text: text ?? null,
    base64: payload !== undefined && text === undefined ? Buffer.from(payload).toString("base64url") : null,
    title: title ?? null,
    body: body ?? null,
    reason: event.type === "undecryptable" ? event.reason : null,
    exitCode: exitCode ?? null,
    forwardStatus: forwarded !== undefined && "status" in forwarded ? forwarded.status : null,
    forwardFailure: forwarded !== undefined && "failure" in forwarded ? forwarded.failure : null,
  });
}

/** What became of `--exec` and `--forward-to`, when it is worth a line. */
export function handledText({ exitCode, forwarded }: Handled): readonly string[] {
  return [
    ...(exitCode === undefined || exitCode === 0 ? [] : [`the command of --exec exited with ${exitCode}`]),
    ...(forwarded === undefined
      ? []
      : [
          "status" in forwarded
            ? `forwarded, answered ${forwarded.status}`
            : `not forwarded: ${printable(forwarded.failure)}`,
        ]),
  ];
}

export function disconnectedText(why: string, retryInMs: number): string {
  return `connection lost (${printable(why)}); trying again in ${(retryInMs / 1000).toFixed(1)} s`;
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
