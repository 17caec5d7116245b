/**
 * Reads fault rules: one line, as on the command line, or an object, as in JSON. Both say the same in the same words.
 *
 * `status=429 retry-after=5 every=3` is `{ "status": 429, "retryAfter": 5, "every": 3 }`. One word is the
 * toxic, the others are its parameters and the conditions.
 */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import { diagnoses, type CauseId } from "../../protocol/diagnoses.ts";
import { personalityIds } from "../personalities.ts";
import { pushIdIn } from "../push-id.ts";
import {
  needsHttp2,
  protocols,
  sideOf,
  type Conditions,
  type Fault,
  type GoAway,
  type Toxic,
  type When,
} from "./fault.ts";
import { conditionWords, parameterWords, signatureOf, toxicWords, type Takes, type Word } from "./words.ts";

const maxLineLength = 4000;

/** What stands between spaces; inside quotation marks a space is like any other character. */
const lineWord = /(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g;

/** A word with what stands behind it; true when nothing does. */
type Given = readonly [name: string, value: unknown];

/**
 * Reads a rule in one line.
 *
 * @throws UserError `emulator-fault`
 */
export function parseFault(line: string): Fault {
  if (line.length > maxLineLength) throw wrong(`a rule has at most ${maxLineLength} characters`);
  const words = line.match(lineWord) ?? [];
  if (line.replace(lineWord, "").trim() !== "")
    throw wrong(`the rule ${quote(line)} has a quotation mark without its other half`);
  return faultOf(
    words.map((word): Given => {
      const at = word.indexOf("=");
      return at === -1 ? [word, true] : [word.slice(0, at), unquoted(word.slice(at + 1))];
    }),
  );
}

/**
 * Reads a rule out of an object.
 *
 * @throws UserError `emulator-fault`
 */
export function readFault(value: unknown): Fault {
  if (typeof value === "string") return parseFault(value);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong("a fault is an object, or a rule in one line");
  return faultOf(Object.entries(value).filter(([, field]) => field !== undefined));
}

function faultOf(given: readonly Given[]): Fault {
  const values = new Map<string, Value>();
  for (const [spelled, raw] of given) {
    const name = nameOf(spelled);
    if (values.has(name)) throw wrong(`${name} is given twice`);
    const value = valueOf(name, raw);
    values.set(name, name === "subscription" && typeof value === "string" ? pushIdIn(value) : value);
  }
  const [name, ...others] = [...values.keys()].filter((word) => toxicWords.has(word));
  if (name === undefined)
    throw wrong("the rule names no fault", `begin with one of ${[...toxicWords.keys()].join(", ")}`);
  if (others.length > 0)
    throw wrong(`${name} and ${others.join(", ")} are two faults`, "make a rule of each; both apply");
  const allowed = toxicWords.get(name)?.with ?? [];
  const stray = [...values.keys()].find((word) => parameterWords.has(word) && !allowed.includes(word));
  if (stray !== undefined)
    throw wrong(
      `${name} takes no ${stray}`,
      allowed.length === 0 ? "leave it out" : `it takes ${allowed.join(", ")}`,
    );
  const read = new Values(values);
  const toxic = toxicOf(name, read);
  const conditions = conditionsOf(read);
  assertSensible(toxic, conditions, name);
  return { toxic, conditions, rule: lineOf(values) };
}

type Value = number | string | true;

/** What was given, with its defaults filled in. */
class Values {
  readonly #values: ReadonlyMap<string, Value>;

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === "number" ? value : undefined;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  get when(): When {
    return this.text("when") === "after" ? "after" : "before";
  }
}

function toxicOf(name: string, read: Values): Toxic {
  const number = read.number(name) ?? 0;
  const text = read.text(name) ?? "";
  const { when } = read;
  const jitterMs = read.number("jitter") ?? 0;
  switch (name as Toxic["type"]) {
    case "status": {
      const body = read.text("body") ?? "";
      return { type: "status", status: number, retryAfter: retryAfterOf(read), body, when };
    }
    case "answer":
      return { type: "answer", cause: readCause(text), when };
    case "redirect":
      return { type: "redirect", location: text, status: read.number("code") ?? 307 };
    case "huge-body":
      return { type: "huge-body", bytes: number, status: read.number("code") ?? 500 };
    case "latency":
      return { type: "latency", ms: number, jitterMs, when };
    case "timeout":
      return { type: "timeout", ms: number, when };
    case "reset-peer":
      return { type: "reset-peer", ms: number, when };
    case "down":
      return { type: "down" };
    case "bandwidth":
      return { type: "bandwidth", bytesPerSecond: number * 1000 };
    case "slicer":
      return {
        type: "slicer",
        bytes: number,
        variationBytes: read.number("variation") ?? 0,
        pauseMs: read.number("pause") ?? 0,
      };
    case "limit-data":
      return { type: "limit-data", bytes: number };
    case "slow-close":
      return { type: "slow-close", ms: number };
    case "stall":
      return { type: "stall", ms: number };
    case "lying-length":
      return { type: "lying-length", byBytes: number };
    case "goaway":
      return { type: "goaway", mode: text as GoAway };
    case "refused-stream":
      return { type: "refused-stream" };
    case "enhance-your-calm":
      return { type: "enhance-your-calm" };
    case "disconnect":
      return { type: "disconnect", code: number };
    case "forget":
      return { type: "forget" };
    case "drop":
      return { type: "drop" };
    case "delay":
      return { type: "delay", ms: number, jitterMs };
  }
}

function retryAfterOf(read: Values) {
  const [seconds, dated] = [read.number("retry-after"), read.number("retry-after-date")];
  if (seconds !== undefined && dated !== undefined)
    throw wrong("retry-after and retry-after-date are one header", "leave one of them out");
  if (dated !== undefined) return { seconds: dated, isDate: true };
  return seconds === undefined ? undefined : { seconds, isDate: false };
}

function conditionsOf(read: Values): Conditions {
  return {
    pushId: read.text("subscription"),
    personality: personalityIds.find((known) => known === read.text("as")),
    origin: read.text("origin"),
    protocol: protocols.find((known) => known === read.text("protocol")),
    nth: read.number("nth"),
    every: read.number("every"),
    percent: read.number("percent"),
    times: read.number("times"),
  };
}

/** A rule that can never strike tests nothing. */
function assertSensible(toxic: Toxic, { protocol, origin, nth, every }: Conditions, name: string): void {
  if (needsHttp2(toxic) && protocol === "http/1.1")
    throw wrong(`${name} is of HTTP/2, and HTTP/1.1 has no such thing`);
  if (toxic.type === "disconnect" && !isSentCloseCode(toxic.code))
    throw wrong(
      `no Close frame may carry ${toxic.code}`,
      "use 1000 to 1003, 1007 to 1014, or 3000 to 4999, as 4774",
    );
  if (nth !== undefined && every !== undefined) throw wrong("nth and every do not go together");
  if (sideOf(toxic) === "receiver" && (protocol !== undefined || origin !== undefined))
    throw wrong(
      `${name} strikes receivers, and ${protocol === undefined ? "origin" : "protocol"} is about senders`,
    );
}

/** Whether a Close frame may carry the code (RFC 6455 §7.4, and the registry beside it). */
function isSentCloseCode(code: number): boolean {
  return code >= 3000 || (code <= 1014 && ![1004, 1005, 1006].includes(code));
}

function readCause(cause: string): CauseId {
  const causes = diagnoses.filter(({ example }) => example !== undefined).map(({ id }) => id);
  const found = causes.find((known) => known === cause);
  if (found !== undefined) return found;
  const meant = nearest(cause, causes);
  throw wrong(
    `there is no cause ${quote(cause)}`,
    meant === undefined ? "docs/errors.md lists them" : `did you mean ${meant}?`,
  );
}

/** The name as we write it, of any of its spellings. */
function nameOf(spelled: string): string {
  const names = [...toxicWords.keys(), ...parameterWords.keys(), ...conditionWords.keys()];
  const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, "");
  const name = names.find((known) => plain(known) === plain(spelled));
  if (name !== undefined) return name;
  const meant = nearest(spelled, names);
  throw wrong(
    `a fault has no ${quote(spelled)}`,
    meant === undefined ? `its words are ${names.join(", ")}` : `did you mean ${meant}?`,
  );
}

function wordOf(name: string): Word {
  const word = toxicWords.get(name) ?? parameterWords.get(name) ?? conditionWords.get(name);
  if (word === undefined) throw new TypeError(`no fault word ${name}`);
  return word;
}

function valueOf(name: string, raw: unknown): Value {
  const word = wordOf(name);
  const value = readValue(word.takes, raw);
  if (value !== undefined) return value;
  const given = raw === true ? "nothing" : quote(typeof raw === "string" ? raw : JSON.stringify(raw));
  throw wrong(`${name} is given ${given}`, `write ${signatureOf(name, word)}${rangeOf(word.takes)}`);
}

function rangeOf(takes: Takes): string {
  return takes.kind === "number" ? `, from ${takes.least} to ${takes.most}` : "";
}

function readValue(takes: Takes, raw: unknown): Value | undefined {
  if (takes.kind === "flag") return raw === true || raw === "true" ? true : undefined;
  if (raw === true) return takes.default;
  switch (takes.kind) {
    case "number":
      return readNumber(takes, raw);
    case "text":
      if (typeof raw !== "string" || raw === "" || raw.length > 2000) return undefined;
      return takes.pattern?.test(raw) === false ? undefined : raw;
    case "word":
      return takes.words.find((known) => known === raw);
    default:
      return takes satisfies never;
  }
}

function readNumber(
  { least, most, fractions }: Extract<Takes, { kind: "number" }>,
  raw: unknown,
): number | undefined {
  const isNumeric = typeof raw === "string" && /^-?\d{1,12}(?:\.\d{1,6})?$/.test(raw);
  const number = isNumeric ? Number(raw) : raw;
  if (typeof number !== "number" || !(number >= least && number <= most)) return undefined;
  return Number.isInteger(number) || fractions === true ? number : undefined;
}

/** The rule as one line that reads back as the same. */
function lineOf(values: ReadonlyMap<string, Value>): string {
  const order = [...toxicWords.keys(), ...parameterWords.keys(), ...conditionWords.keys()];
  return order
    .filter((name) => values.has(name))
    .map((name) => {
      const value = values.get(name) ?? true;
      if (value === true) return name;
      const text = String(value);
      return `${name}=${/^[^\s"\\]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join(" ");
}

function unquoted(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function wrong(what: string, hint?: string): UserError {
  return new UserError("emulator-fault", what, { hints: hint === undefined ? [] : [hint] });
}
