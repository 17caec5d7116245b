/** Inspections as text or records. Pure; everything in them came from outside. */
import type { Fact, Inspection, Judgement, JudgementLevel } from "../../inspection/inspection.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Paint } from "../../terminal/paint.ts";
import { printable } from "../../terminal/printable.ts";
import { wrap } from "../../terminal/wrap.ts";

type Shown = Pick<Io, "paint" | "terminal" | "asTyped">;

/** An inspection as a JSON record. */
export function inspectionJson({ kind, facts, judgements }: Inspection): string {
  return jsonLine({
    kind,
    facts: Object.fromEntries(facts.map(({ name, value }) => [name, value])),
    findings: judgements.map(({ level, what, fix }) => ({ level, what, fix: fix ?? null })),
  });
}

/** An inspection for people: what it is, what is known, what is to be said. */
export function inspectionText({ title, facts, judgements }: Inspection, io: Shown): readonly string[] {
  const { paint, terminal } = io;
  return [
    ...wrap(title, terminal.columns).map((line) => paint.out.bold(line)),
    "",
    ...facts.flatMap((fact) => factLines(fact, io)),
    ...(judgements.length === 0 ? [] : [""]),
    ...judgements.flatMap((judgement) => judgementLines(judgement, io)),
  ];
}

const labels: Readonly<Record<string, string>> = {
  audience: "audience",
  authorized: "authorised",
  bodyBytes: "body",
  bytes: "bytes",
  ciphertextBytes: "ciphertext",
  clockSkewMs: "clock",
  contentEncoding: "coding",
  encodings: "codings",
  expirationTime: "expires",
  expiresAt: "ends",
  firstByte: "first byte",
  inProject: "whose",
  issuedAt: "signed",
  madeWith: "made with",
  maxTtlSeconds: "TTL",
  mostPlaintextBytes: "plaintext",
  notBefore: "not before",
  otherClaims: "other claims",
  paddingBytes: "padding",
  payloadBytes: "payload",
  plaintextBytes: "plaintext",
  plaintext: "text",
  privateKey: "private key",
  publicKey: "public key",
  recordSize: "record size",
  requestId: "request id",
  retryAfterMs: "retry after",
  senderKey: "sender's key",
  subjectRequired: "contact",
  ttl: "TTL",
  ttlZeroHeaders: "for a TTL of 0",
};

/** Wide enough for every label. */
const labelColumns = 15;
const longestValue = 4200;

function factLines({ name, value, text }: Fact, { terminal }: Shown): readonly string[] {
  const shown = text ?? (Array.isArray(value) ? value.join(", ") : String(value));
  const label = (labels[name] ?? name).padEnd(labelColumns);
  // What has no spaces, a key or an endpoint, stays whole for copying.
  const safe = printable(shown, { limit: longestValue });
  const [first = "", ...rest] = wrap(safe, Math.max(20, terminal.columns - labelColumns));
  return [`${label}${first}`, ...rest.map((line) => " ".repeat(labelColumns) + line)];
}

const marks: Readonly<Record<JudgementLevel, { readonly word: string; readonly paint: keyof Paint }>> = {
  good: { word: "good", paint: "good" },
  note: { word: "note", paint: "hint" },
  warning: { word: "odd", paint: "caution" },
  problem: { word: "wrong", paint: "bad" },
};

function judgementLines(
  { level, what, fix }: Judgement,
  { paint, terminal, asTyped }: Shown,
): readonly string[] {
  const { word, paint: colour } = marks[level];
  const columns = Math.max(20, terminal.columns - 7);
  const [first = "", ...rest] = wrap(printable(what, { limit: 1000 }), columns);
  const fixes = fix === undefined ? [] : wrap(asTyped(printable(fix, { limit: 1000 })), columns - 4);
  return [
    `${paint.out[colour](word)}${" ".repeat(7 - word.length)}${first}`,
    ...rest.map((line) => `       ${line}`),
    ...fixes.map((line, index) => `       ${index === 0 ? paint.out.hint("do:") : "   "} ${line}`),
  ];
}
