/**
 * The words of a fault rule: what each stands for and what it takes. The reader of rules, `--help` and the docs have them from here.
 *
 * toxiproxy's toxics have its names and units. In a rule a name is written `reset-peer`, in an object
 * `resetPeer`; toxiproxy's `reset_peer` is read as well.
 */

import { personalityIds } from "../personalities.ts";

/** What may stand behind a word. */
export type Takes =
  | { readonly kind: "flag" }
  | {
      readonly kind: "number";
      readonly least: number;
      readonly most: number;
      /** Taken when the word stands alone. */
      readonly default?: number;
      readonly unit: string;
      readonly fractions?: true;
    }
  | {
      readonly kind: "text";
      readonly default?: string;
      readonly shown: string;
      /** What it may consist of; anything by default. */
      readonly pattern?: RegExp;
    }
  | { readonly kind: "word"; readonly words: readonly string[]; readonly default?: string };

export interface Word {
  readonly takes: Takes;
  readonly doc: string;
}

export interface ToxicWord extends Word {
  /** Names of the parameters it takes besides. */
  readonly with: readonly string[];
}

const hourMs = 3_600_000;
const gigabyte = 1_000_000_000;

const ms = (doc: string, extra: { readonly default?: number } = {}): Word => ({
  takes: { kind: "number", least: 0, most: hourMs, unit: "ms", ...extra },
  doc,
});
const flag = (doc: string): Word => ({ takes: { kind: "flag" }, doc });

/** The toxics, those of requests first. */
export const toxicWords: ReadonlyMap<string, ToxicWord> = new Map<string, ToxicWord>([
  [
    "status",
    {
      takes: { kind: "number", least: 200, most: 599, unit: "code" },
      doc: "answer with this status",
      with: ["retry-after", "retry-after-date", "body", "when"],
    },
  ],
  [
    "answer",
    {
      takes: { kind: "text", shown: "cause" },
      doc: "answer as that push service does, by the id of a cause: fcm.rate, apple.jwt",
      with: ["when"],
    },
  ],
  ["latency", { ...ms("wait before the message is taken, or before the answer"), with: ["jitter", "when"] }],
  ["timeout", { ...ms("never answer, and hang up after so long; 0 never", { default: 0 }), with: ["when"] }],
  ["reset-peer", { ...ms("reset the connection after so long", { default: 0 }), with: ["when"] }],
  ["down", { ...flag("hang up without an answer"), with: [] }],
  [
    "redirect",
    {
      takes: { kind: "text", default: "https://push.invalid/", shown: "url", pattern: /^[!-~]+$/ },
      doc: "point to another place",
      with: ["code"],
    },
  ],
  [
    "huge-body",
    {
      takes: { kind: "number", least: 1, most: gigabyte, default: 10_000_000, unit: "bytes" },
      doc: "answer with a body of this size",
      with: ["code"],
    },
  ],
  [
    "lying-length",
    {
      takes: { kind: "number", least: -gigabyte, most: gigabyte, default: 10, unit: "bytes" },
      doc: "announce so many bytes more than are sent, or fewer",
      with: [],
    },
  ],
  [
    "stall",
    {
      ...ms("send half of the answer, then nothing; hang up after so long, 0 never", { default: 0 }),
      with: [],
    },
  ],
  [
    "limit-data",
    {
      takes: { kind: "number", least: 0, most: gigabyte, unit: "bytes" },
      doc: "hang up after so many bytes of the answer",
      with: [],
    },
  ],
  [
    "slicer",
    {
      takes: { kind: "number", least: 1, most: gigabyte, unit: "bytes" },
      doc: "send the answer in pieces of about this size",
      with: ["variation", "pause"],
    },
  ],
  [
    "bandwidth",
    {
      takes: { kind: "number", least: 0.001, most: 1_000_000, fractions: true, unit: "kB/s" },
      doc: "send the answer no faster than this",
      with: [],
    },
  ],
  ["slow-close", { ...ms("end the answer by closing the connection, but only after so long"), with: [] }],
  [
    "goaway",
    {
      takes: { kind: "word", words: ["graceful", "unprocessed", "mid-flight"], default: "graceful" },
      doc: "HTTP/2: close the connection with GOAWAY",
      with: [],
    },
  ],
  ["refused-stream", { ...flag("HTTP/2: refuse the request, unprocessed"), with: [] }],
  ["enhance-your-calm", { ...flag("HTTP/2: close the connection for excessive load"), with: [] }],
  [
    "disconnect",
    {
      takes: { kind: "number", least: 1000, most: 4999, default: 1000, unit: "close code" },
      doc: "receivers: hang up instead of delivering; 4774 is what Mozilla's service says when it is broken",
      with: [],
    },
  ],
  ["forget", { ...flag("receivers: forget the browser and all its subscriptions"), with: [] }],
  [
    "drop",
    { ...flag("receivers: lose the message on the way; it comes again on the next connection"), with: [] },
  ],
  ["delay", { ...ms("receivers: deliver so much later"), with: ["jitter"] }],
]);

/** What some toxics take besides. */
export const parameterWords: ReadonlyMap<string, Word> = new Map<string, Word>([
  [
    "when",
    { takes: { kind: "word", words: ["before", "after"] }, doc: "before the message is taken, or after" },
  ],
  [
    "retry-after",
    { takes: { kind: "number", least: 0, most: 31_536_000, unit: "s" }, doc: "Retry-After in seconds" },
  ],
  [
    "retry-after-date",
    {
      takes: { kind: "number", least: 0, most: 31_536_000, unit: "s" },
      doc: "Retry-After as the date so many seconds on",
    },
  ],
  ["body", { takes: { kind: "text", shown: "text" }, doc: "the answer's body" }],
  ["code", { takes: { kind: "number", least: 200, most: 599, unit: "code" }, doc: "the answer's status" }],
  ["jitter", ms("up to so much more or less, by chance")],
  [
    "variation",
    {
      takes: { kind: "number", least: 0, most: gigabyte, unit: "bytes" },
      doc: "by how much pieces may differ",
    },
  ],
  ["pause", ms("wait between pieces")],
]);

/** When a rule strikes. */
export const conditionWords: ReadonlyMap<string, Word> = new Map<string, Word>([
  ["nth", { takes: { kind: "number", least: 1, most: gigabyte, unit: "n" }, doc: "only the nth that fits" }],
  ["every", { takes: { kind: "number", least: 1, most: gigabyte, unit: "n" }, doc: "each nth that fits" }],
  [
    "percent",
    {
      takes: { kind: "number", least: 0, most: 100, fractions: true, unit: "n" },
      doc: "so many of a hundred, by chance",
    },
  ],
  ["times", { takes: { kind: "number", least: 1, most: gigabyte, unit: "n" }, doc: "at most so often" }],
  [
    "subscription",
    { takes: { kind: "text", shown: "id" }, doc: "this one, by its endpoint or the last part of it" },
  ],
  [
    "as",
    { takes: { kind: "word", words: personalityIds }, doc: "subscriptions that behave as this service's" },
  ],
  [
    "origin",
    { takes: { kind: "text", shown: "origin" }, doc: "requests to this origin: https://fcm.googleapis.com" },
  ],
  [
    "protocol",
    { takes: { kind: "word", words: ["http/1.1", "h2"] }, doc: "requests over this version of HTTP" },
  ],
]);

/** How a word may be written in a rule, as `latency=<ms>` or `goaway[=graceful|…]`. */
export function signatureOf(name: string, { takes }: Word): string {
  switch (takes.kind) {
    case "flag":
      return name;
    case "number":
      return takes.default === undefined ? `${name}=<${takes.unit}>` : `${name}[=<${takes.unit}>]`;
    case "text":
      return takes.default === undefined ? `${name}=<${takes.shown}>` : `${name}[=<${takes.shown}>]`;
    case "word":
      return takes.default === undefined
        ? `${name}=${takes.words.join("|")}`
        : `${name}[=${takes.words.join("|")}]`;
    default:
      return takes satisfies never;
  }
}
