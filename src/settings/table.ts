/**
 * Every setting that outlives one command: one row each.
 *
 * A row is the whole truth about a setting: how its text is read, what it is when
 * nobody says, and what it does. Flags, environment twins (`WEBPUSH_TTL`), project
 * settings (`webpush config set ttl 600`) and the documentation are made from it.
 * Order of precedence: flag, environment, project settings, default.
 */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { defaultTtlSeconds, parseTopic, parseTtl, parseUrgency, urgencies } from "../protocol/message.ts";

export interface Setting<Value> {
  /** The flag as commander reads it, with its value's name. */
  readonly flag: string;
  readonly doc: string;
  readonly parse: (text: string) => Value;
  /** What it is when nobody says; undefined when there is nothing to assume. */
  readonly fallback: Value | undefined;
  /** The fallback in words, when its value would not tell. */
  readonly fallbackText?: string;
  readonly choices?: readonly string[];
}

function setting<Value>(row: Setting<Value>): Setting<Value> {
  return row;
}

const encodings = ["aes128gcm", "aesgcm"] as const;

/** The settings, by their name in `config.json`. */
export const settings = {
  ttl: setting({
    flag: "--ttl <duration>",
    doc: "how long the push service may hold the message: 600, 10m, 2h, 7d; 0 is now or never",
    parse: parseTtl,
    fallback: defaultTtlSeconds,
    fallbackText: "four weeks",
  }),
  urgency: setting({
    flag: "--urgency <level>",
    doc: "how much it matters to a device low on battery",
    parse: parseUrgency,
    fallback: undefined,
    choices: urgencies,
  }),
  topic: setting({
    flag: "--topic <topic>",
    doc: "replace a message with the same topic that still waits",
    parse: parseTopic,
    fallback: undefined,
  }),
  encoding: setting({
    flag: "--encoding <coding>",
    doc: "content coding, instead of the one each subscription asks for",
    parse: (text) => parseChoice("encoding", text, encodings),
    fallback: undefined,
    choices: encodings,
  }),
  timeout: setting({
    flag: "--timeout <duration>",
    doc: "give up on one push service's answer after this long",
    parse: parseTimeout,
    fallback: 30_000,
    fallbackText: "30s",
  }),
  concurrency: setting({
    flag: "--concurrency <n>",
    doc: "the most messages in flight at a time; each push service gets as many as it bears",
    parse: (text) => parseCount("concurrency", text, 1000),
    fallback: 100,
  }),
  rate: setting({
    flag: "--rate <n>",
    doc: "the most messages begun per second; default: as fast as they are taken",
    parse: (text) => parseCount("rate", text, 100_000),
    fallback: undefined,
  }),
  retries: setting({
    flag: "--retries <n>",
    doc: "how often a message is sent again when that can help; never longer than its TTL",
    parse: (text) => parseCount("retries", text, 20, 0),
    fallback: 4,
  }),
  patience: setting({
    flag: "--patience <duration>",
    doc: "the longest a push service may ask to wait; its messages end as throttled then",
    parse: (text) => parseShortDuration("patience", text),
    fallback: 300_000,
    fallbackText: "5m",
  }),
  proxy: setting({
    flag: "--proxy <url>",
    doc: "HTTP proxy to reach push services through; default HTTPS_PROXY and NO_PROXY",
    parse: (text) => text, // read by sender/proxy.ts, which reads the environment's proxies too
    fallback: undefined,
  }),
  store: setting({
    flag: "--store <address>",
    doc: "keep keys and subscriptions in this PostgreSQL database: postgres://…",
    parse: (text) => text, // read by store/postgres/address.ts, when it is used
    fallback: undefined,
    fallbackText: "the project's files",
  }),
  query: setting({
    flag: "--query <sql>",
    doc: "take subscriptions from this query of your own table there, read-only",
    parse: (text) => text,
    fallback: undefined,
  }),
  ca: setting({
    flag: "--ca <file>",
    doc: "PEM file of further certificate authorities to trust",
    parse: (text) => text,
    fallback: undefined,
  }),
} as const;

export type SettingName = keyof typeof settings;

/** The row of a setting by name; undefined when there is none. */
export function settingNamed(name: string): Setting<unknown> | undefined {
  return Object.hasOwn(settings, name) ? settings[name as SettingName] : undefined;
}

/**
 * Reads one of a closed set of words.
 *
 * @throws UserError `choice`
 */
export function parseChoice<Choice extends string>(
  what: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const near = nearest(text, choices);
  throw new UserError("choice", `${what} cannot be ${JSON.stringify(text)}`, {
    hints: [near === undefined ? `use one of ${choices.join(", ")}` : `did you mean ${near}?`],
  });
}

/**
 * Reads a whole number from `least` to `most`.
 *
 * @throws UserError `count`
 */
export function parseCount(what: string, text: string, most: number, least = 1): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (count >= least && count <= most) return count;
  throw new UserError("count", `${what} cannot be ${JSON.stringify(text)}`, {
    hints: [`use a whole number from ${least} to ${most}`],
  });
}

/**
 * Reads a port number.
 *
 * @throws UserError `port`
 */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port < 65_536) return port;
  throw new UserError("port", `port cannot be ${JSON.stringify(text)}`, {
    hints: ["use a number from 1 to 65535, or 0 for any free one"],
  });
}

const timeoutUnits = { ms: 1, s: 1000, m: 60_000 } as const;

/**
 * Reads a timeout as milliseconds: `30`, `30s`, `500ms`, `2m`. A bare number is seconds.
 *
 * @throws UserError `timeout`
 */
export function parseTimeout(text: string): number {
  return parseShortDuration("timeout", text);
}

function parseShortDuration(what: string, text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text.trim());
  const unit = (match?.[2] ?? "s") as keyof typeof timeoutUnits;
  const ms = match === null ? 0 : Number(match[1]) * timeoutUnits[unit];
  if (ms >= 1 && ms <= 3_600_000) return Math.round(ms);
  throw new UserError("timeout", `${what} cannot be ${JSON.stringify(text)}`, {
    hints: ["use a duration from 1ms to 60m, such as 30s or 2m"],
  });
}
