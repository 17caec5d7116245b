/** VAPID keys in any form: what they are, whether they belong together, and whose they are. */
import { parseBase64 } from "../base/bytes.ts";
import { isDer } from "../protocol/key-containers.ts";
import { parseKeys } from "../protocol/key-formats.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../protocol/vapid.ts";
import {
  attempt,
  fact,
  factsOf,
  relationOf,
  relationWords,
  type Fact,
  type Inspection,
  type Judgement,
  type Surroundings,
} from "./inspection.ts";

type Needs = Pick<Surroundings, "keys">;

/** Explains a key or a pair. The private key is never part of it. */
export function inspectKey(bytes: Uint8Array, surroundings: Needs): Inspection {
  const text = Buffer.from(bytes).toString("utf8").trim();
  const alone = publicKeyIn(text);
  if (alone !== undefined) {
    const point = attempt(() => parseVapidPublicKey(alone));
    if (point.value !== undefined) return inspectPublicKey(text, point.value, surroundings);
    return { kind: "key", title: "a VAPID public key", facts: shapeFacts(text), judgements: [point.problem] };
  }
  const read = attempt(() => parseKeys(bytes));
  if (read.value === undefined) {
    return { kind: "key", title: "a VAPID key", facts: shapeFacts(text), judgements: [read.problem] };
  }
  const { pair, subject } = read.value;
  return {
    kind: "key",
    title: "a VAPID private key, which signs for its public key",
    facts: [
      ...factsOf(fact("publicKey", pair.publicKey), fact("privateKey", "32 bytes", "32 bytes, not shown")),
      ...relationFacts(pair.publicKey, surroundings),
      ...factsOf(fact("subject", subject)),
    ],
    judgements: [...judgeScalar(text), ...judgeOwnership(pair.publicKey, surroundings)],
  };
}

/** Longer than any private key, with the leading zero of Java's. */
const longestScalarBytes = 34;

/** A single word that can only be meant as a public key: a point, whole or cut short, compressed, or in hexadecimal digits. */
function publicKeyIn(text: string): string | undefined {
  if (/\s/.test(text)) return undefined;
  if (/^0[2-4](?:[0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, "hex").toString("base64url");
  const bytes = parseBase64(text);
  if (bytes === undefined || isDer(bytes)) return undefined;
  const isCompressed = bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);
  return isCompressed || (bytes[0] === 4 && bytes.length > longestScalarBytes) ? text : undefined;
}

/** A word alone that is shorter than a private key may be one that lost its leading zeros, or anything else. */
function judgeScalar(text: string): readonly Judgement[] {
  const length = /\s/.test(text) ? undefined : parseBase64(text)?.length;
  if (length === undefined || length >= 32)
    return [{ level: "good", what: "the private key is a number that P-256 can use" }];
  return [
    {
      level: "warning",
      what: `${length} bytes, a private key has 32: it lost its leading zeros, or is something else`,
      fix: "compare the public key with the one you know",
    },
  ];
}

function inspectPublicKey(text: string, publicKey: VapidPublicKey, surroundings: Needs): Inspection {
  const spelling: readonly Judgement[] =
    text === publicKey
      ? [{ level: "good", what: "65 bytes, a point on P-256, in unpadded base64url as RFC 8292 has it" }]
      : [
          {
            level: "warning",
            what: `${spellingOf(text)}: browsers and push services want unpadded base64url`,
            fix: `write it as ${publicKey}`,
          },
        ];
  return {
    kind: "key",
    title: "a VAPID public key, the applicationServerKey of a page",
    facts: [...factsOf(fact("publicKey", publicKey)), ...relationFacts(publicKey, surroundings)],
    judgements: [...spelling, ...judgeOwnership(publicKey, surroundings)],
  };
}

function spellingOf(text: string): string {
  if (/^[0-9a-f]{130}$/i.test(text)) return "hexadecimal digits";
  if (text.includes("=")) return "padded";
  return /[+/]/.test(text) ? "standard base64" : "another spelling";
}

function relationFacts(publicKey: VapidPublicKey, surroundings: Needs): readonly Fact[] {
  const relation = relationOf(publicKey, surroundings);
  return factsOf(fact("inProject", relation, relation && relationWords[relation]));
}

function judgeOwnership(publicKey: VapidPublicKey, surroundings: Needs): readonly Judgement[] {
  if (relationOf(publicKey, surroundings) !== "foreign") return [];
  return [
    {
      level: "note",
      what: "this project does not have it, and cannot send to subscriptions made with it",
      fix: "webpush keys import FILE --add stores a pair beside the current one",
    },
  ];
}

/** What can be said of a text that is no key, without repeating any of it. */
function shapeFacts(text: string): readonly Fact[] {
  const bytes = /\s/.test(text) ? undefined : parseBase64(text);
  const first = bytes?.[0];
  return factsOf(
    fact("characters", text.length),
    fact("bytes", bytes?.length, bytes && `${bytes.length}; a public key has 65, a private key 32`),
    fact("firstByte", first === undefined ? undefined : `0x${first.toString(16).padStart(2, "0")}`),
  );
}
