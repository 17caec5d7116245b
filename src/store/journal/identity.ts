/**
 * What a broadcast is, so far as its recipients can tell: resuming it with another
 * payload, other keys or other recipients would finish a broadcast that nobody began
 * (PROTOCOL.md §7.4).
 *
 * Payload and input are kept as SHA-256: the journal is to say that they changed, not
 * what they were. Options are kept as they are, which lets a refusal name both values.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { formatBase64url } from "../../base/bytes.ts";

/** What must be the same when a broadcast is resumed. */
export interface CampaignIdentity {
  /** SHA-256 of the payload. */
  readonly payload: string;
  /** What else changes what recipients get: ttl, urgency, topic, encoding. */
  readonly options: Readonly<Record<string, string>>;
  /** The fingerprints of the keys that sign. */
  readonly keys: readonly string[];
  /** Where the recipients come from, in order. */
  readonly inputs: readonly InputIdentity[];
}

/** Recipients of a stream cannot be told before they have come; those in the store may change between two runs. */
export type InputIdentity = FileIdentity | { readonly kind: "stream" } | StoreIdentity;

export interface FileIdentity {
  readonly kind: "file";
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly sha256: string;
}

export interface StoreIdentity {
  readonly kind: "store";
  /** What was picked, as it was written: `tag:news`; everything when it is empty. */
  readonly selection: string;
}

/**
 * The identity of what a path names. A file is read once from beginning to end, in pieces; a pipe
 * (`--to <(…)`) can be read by one only, who is not this, and is a stream.
 */
export async function identifyFile(path: string, signal?: AbortSignal): Promise<InputIdentity> {
  const stats = await stat(path);
  if (!stats.isFile()) return { kind: "stream" };
  const hash = createHash("sha256");
  const stream = createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) });
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return {
    kind: "file",
    name: path,
    bytes: stats.size,
    modifiedAt: Math.trunc(stats.mtimeMs),
    sha256: formatBase64url(hash.digest()),
  };
}

/** What changed between two runs, a phrase each; nothing when the second may go on with the first. */
export function changesBetween(before: CampaignIdentity, now: CampaignIdentity): readonly string[] {
  return [
    ...(before.payload === now.payload ? [] : ["the payload changed"]),
    ...optionChanges(before.options, now.options),
    ...(sorted(before.keys) === sorted(now.keys) ? [] : ["the signing keys changed"]),
    ...inputChanges(before.inputs, now.inputs),
  ];
}

function optionChanges(
  before: CampaignIdentity["options"],
  now: CampaignIdentity["options"],
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => `${name} was ${before[name] ?? "not given"} and is ${now[name] ?? "not given"}`);
}

function inputChanges(before: readonly InputIdentity[], now: readonly InputIdentity[]): readonly string[] {
  if (before.length !== now.length) return ["the recipients come from other places"];
  return now.flatMap((input, index) => {
    const earlier = before[index];
    return earlier === undefined || isSame(earlier, input) ? [] : [changeOf(earlier, input)];
  });
}

/** A file that was renamed or touched is the same while its content is. */
function isSame(before: InputIdentity, now: InputIdentity): boolean {
  switch (now.kind) {
    case "file":
      return before.kind === "file" && before.sha256 === now.sha256;
    case "store":
      return before.kind === "store" && before.selection === now.selection;
    case "stream":
      return before.kind === "stream";
    default:
      return now satisfies never;
  }
}

function changeOf(before: InputIdentity, now: InputIdentity): string {
  if (before.kind === "file" && now.kind === "file") {
    const size = before.bytes === now.bytes ? "" : ` (${before.bytes} bytes then, ${now.bytes} now)`;
    return `the content of ${now.name} is not what ${before.name} held${size}`;
  }
  return `the recipients came from ${placeOf(before)} and come from ${placeOf(now)}`;
}

function placeOf(input: InputIdentity): string {
  switch (input.kind) {
    case "file":
      return input.name;
    case "stream":
      return "a stream";
    case "store":
      return input.selection === "" ? "the whole store" : `the store (${input.selection})`;
    default:
      return input satisfies never;
  }
}

function sorted(keys: readonly string[]): string {
  return [...keys].sort().join(" ");
}
