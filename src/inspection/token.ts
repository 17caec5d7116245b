/**
 * A VAPID token or a whole Authorization header: claims, times, signature, and which push services would take it.
 *
 * The verifier stops at the first defect, as services do. Here it is asked several times, each
 * time with all else granted, so that an expired token is also told that its contact is none.
 */
import { parseBase64 } from "../base/bytes.ts";
import { durationText } from "../base/figures.ts";
import { pushServices, type PushServiceFacts } from "../protocol/services.ts";
import { parseSubject } from "../protocol/subject.ts";
import { endpointOrigin } from "../protocol/subscription.ts";
import { verifyVapid, type VapidDefect, type VapidVerdict } from "../protocol/vapid-verification.ts";
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

type Needs = Pick<Surroundings, "clock" | "keys" | "endpoint" | "key">;
type Headers = Readonly<Record<string, string>>;
type Claims = Readonly<Record<string, unknown>>;

const schemes = ["vapid", "webpush", "bearer"] as const;
/** Stands for the scheme of a token that comes without any. */
const bare = "token";
const title = "a VAPID token, by which a push service knows the sender";

/** Explains a bare JWT, an Authorization value, or header lines (`Authorization: …`, `Crypto-Key: …`). */
export function inspectToken(text: string, surroundings: Needs): Inspection {
  return inspectAuthorization(headersIn(text), surroundings);
}

/** Explains the authorization in lower-case headers. */
export function inspectAuthorization(headers: Headers, surroundings: Needs): Inspection {
  const { scheme, token, k } = partsOf(headers);
  const [head, claims] = token.split(".").slice(0, 2).map(readPart);
  if (head === undefined || claims === undefined) {
    const written = scheme === bare ? { authorization: `vapid t=${token}` } : headers;
    const verdict = verify(written, { aud: undefined, exp: undefined }, surroundings);
    return { kind: "token", title, facts: [], judgements: [defectOf(verdict)] };
  }
  const signer = k ?? findSigner(token, claims, surroundings);
  const asWritten = k !== undefined && schemes.some((known) => known === scheme.toLowerCase());
  const checked =
    asWritten || signer === undefined ? headers : { authorization: `vapid t=${token}, k=${signer}` };
  return {
    kind: "token",
    title,
    facts: [
      ...factsOf(
        fact("scheme", scheme === bare ? undefined : scheme),
        fact("algorithm", textOf(head["alg"])),
        fact("type", textOf(head["typ"])),
      ),
      ...claimFacts(claims, surroundings),
      ...signerFacts(signer, surroundings),
    ],
    judgements: [
      ...judgeScheme(scheme),
      ...(scheme.toLowerCase() === "vapid" && k === undefined ? [noKey] : []),
      ...(signer === undefined ? [noSigner] : judgeSignature(checked, claims, surroundings)),
      ...judgeAudience(claims, surroundings),
      ...judgeTimes(claims, surroundings),
      ...judgeSubject(claims),
    ],
  };
}

const noKey: Judgement = {
  level: "problem",
  what: "there is no public key (k)",
  fix: "send it along: vapid t=…, k=…",
};

const noSigner: Judgement = {
  level: "note",
  what: "the signature cannot be checked: no key comes with it, and no key of this project made it",
  fix: "add --key with the public key",
};

/** `Authorization: …` and `Crypto-Key: …` lines, a value alone, or a token alone. */
function headersIn(text: string): Headers {
  const lines = text
    .split(/\r?\n/)
    .map((line) => /^\s*(authorization|crypto-key)\s*:\s*(.*)$/i.exec(line))
    .filter((line) => line !== null);
  if (lines.length > 0)
    return Object.fromEntries(lines.map(([, name = "", value = ""]) => [name.toLowerCase(), value.trim()]));
  const value = text.trim();
  return { authorization: /^[\w-]+\.[\w-]*\.[\w-]*$/.test(value) ? `${bare} ${value}` : value };
}

interface Parts {
  readonly scheme: string;
  readonly token: string;
  readonly k: string | undefined;
}

function partsOf({ authorization = "", ...headers }: Headers): Parts {
  const [scheme = "", ...rest] = authorization.trim().split(/\s+/);
  const parameter = (name: string, within: string): string | undefined =>
    new RegExp(String.raw`(?:^|[\s,;])${name}\s*=\s*"?([^\s,;"]+)`, "i").exec(within)?.[1];
  const value = rest.join(" ");
  if (scheme.toLowerCase() === "vapid")
    return { scheme, token: parameter("t", value) ?? "", k: parameter("k", value) };
  return { scheme, token: value, k: parameter("p256ecdsa", headers["crypto-key"] ?? "") };
}

/** A part of a JWT as an object; undefined when it is none. */
function readPart(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(parseBase64(part)?.toString("utf8") ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function claimFacts(claims: Claims, { clock }: Needs): readonly Fact[] {
  const { aud, exp, sub, iat, nbf, ...others } = claims;
  const extra = Object.keys(others).slice(0, 20);
  return factsOf(
    fact("audience", textOf(aud)),
    fact("expiresAt", timeOf(exp), timeText(exp, clock.now())),
    fact("issuedAt", timeOf(iat), timeText(iat, clock.now())),
    fact("notBefore", timeOf(nbf), timeText(nbf, clock.now())),
    fact("subject", textOf(sub)),
    fact("otherClaims", extra.length === 0 ? undefined : extra),
  );
}

function signerFacts(signer: string | undefined, surroundings: Needs): readonly Fact[] {
  const key = signer === undefined ? undefined : attempt(() => parseVapidPublicKey(signer)).value;
  const relation = key && relationOf(key, surroundings);
  return factsOf(fact("publicKey", signer), fact("inProject", relation, relation && relationWords[relation]));
}

/** A claim as it may be shown. What is no text or number is only named: it may be nested without end. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return value.slice(0, 500);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return JSON.stringify(value);
}

/** Beyond this JavaScript has no dates (ECMA-262 §21.4.1.1). */
const lastSecond = 8.64e12;

function timeOf(value: unknown): string | undefined {
  if (typeof value !== "number" || !(Math.abs(value) <= lastSecond)) return textOf(value);
  return new Date(value * 1000).toISOString();
}

function timeText(value: unknown, now: number): string | undefined {
  if (typeof value !== "number" || !(Math.abs(value) <= lastSecond)) return undefined;
  const away = value * 1000 - now;
  const words = away >= 0 ? `in ${durationText(away)}` : `${durationText(-away)} ago`;
  return `${new Date(value * 1000).toISOString()}, ${words}`;
}

function judgeScheme(scheme: string): readonly Judgement[] {
  const lower = scheme.toLowerCase();
  if (lower === "vapid" || lower === bare) return [];
  const takers = pushServices.filter(
    ({ dead, authorization }) => !dead && authorization.schemes.some((one) => one === lower),
  );
  if (takers.length === 0) {
    return [
      {
        level: "problem",
        what: `the scheme ${JSON.stringify(scheme.slice(0, 40))} is not VAPID's`,
        fix: "write vapid t=…, k=…",
      },
    ];
  }
  const names = takers.map(({ name }) => name).join(" and ");
  return [
    {
      level: "warning",
      what: `the scheme is a draft's: only ${names} still take it`,
      fix: "write vapid t=…, k=…",
    },
  ];
}

interface Granted {
  readonly aud: unknown;
  readonly exp: unknown;
}

/** Asks the verifier, with audience and time granted by the token itself. */
function verify(headers: Headers, { aud, exp }: Granted, { clock }: Pick<Needs, "clock">): VapidVerdict {
  const now = typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 - 1000 : clock.now();
  return verifyVapid(headers, {
    audience: typeof aud === "string" ? aud : "",
    now,
    subject: "ignored",
    schemes,
  });
}

/** Defects that have a judgement of their own, so that the signature's does not repeat them. */
const judgedElsewhere: readonly VapidDefect[] = [
  "audience",
  "expiry",
  "expired",
  "expiry-too-far",
  "subject",
];

function judgeSignature(headers: Headers, claims: Claims, surroundings: Needs): readonly Judgement[] {
  const verdict = verify(headers, { aud: claims["aud"], exp: claims["exp"] }, surroundings);
  if (verdict.ok || judgedElsewhere.includes(verdict.defect))
    return [{ level: "good", what: "signed with the key named" }];
  return [defectOf(verdict)];
}

function defectOf(verdict: VapidVerdict): Judgement {
  if (verdict.ok) return { level: "good", what: "signed with the key named" };
  return { level: "problem", what: verdict.message, fix: fixes[verdict.defect] };
}

const fixes: Readonly<Record<VapidDefect, string>> = {
  missing: "give the whole header: Authorization: vapid t=…, k=…",
  scheme: "write vapid t=…, k=…",
  token: "copy the token whole: three parts of base64url with two dots between",
  algorithm: "sign with ES256, the only algorithm of VAPID",
  key: "send k as unpadded base64url, 87 characters beginning with B",
  signature: "sign with the private key of k, and write r and s side by side",
  mismatch: "sign with the key that the subscription was made with",
  audience: "sign for the origin of the endpoint: scheme and host, no path",
  expiry: "give exp as a number of seconds since 1970",
  expired: "sign a new token, and check the clock",
  "expiry-too-far": "sign for at most 24 hours; 12 leave room for a clock that is wrong",
  subject: "give a contact that reaches you: mailto:you@your-domain",
};

/** The key that made a token which brings none: the one given, or one of the project's. */
function findSigner(token: string, claims: Claims, { key, keys, clock }: Needs): VapidPublicKey | undefined {
  const candidates = key === undefined ? keys.map(({ publicKey }) => publicKey) : [key];
  const made = candidates.find((publicKey) => {
    const headers = { authorization: `vapid t=${token}, k=${publicKey}` };
    const verdict = verify(headers, { aud: claims["aud"], exp: claims["exp"] }, { clock });
    return verdict.ok || judgedElsewhere.includes(verdict.defect);
  });
  return made ?? key;
}

function judgeAudience({ aud }: Claims, { endpoint }: Needs): readonly Judgement[] {
  if (typeof aud !== "string") {
    return [
      { level: "problem", what: `aud is ${aud === undefined ? "missing" : "no text"}`, fix: fixes.audience },
    ];
  }
  if (endpoint !== undefined && aud !== endpointOrigin(endpoint)) {
    return [
      {
        level: "problem",
        what: `aud is ${JSON.stringify(aud)}, the endpoint's origin is ${endpointOrigin(endpoint)}`,
        fix: fixes.audience,
      },
    ];
  }
  if (!URL.canParse(aud) || new URL(aud).origin !== aud) {
    return [{ level: "problem", what: `aud ${JSON.stringify(aud)} is no origin`, fix: fixes.audience }];
  }
  return endpoint === undefined ? [] : [{ level: "good", what: "aud is the endpoint's origin" }];
}

const dayMs = 86_400_000;

function judgeTimes({ exp, iat }: Claims, { clock }: Needs): readonly Judgement[] {
  if (typeof exp !== "number" || !(Math.abs(exp) <= lastSecond)) {
    return [
      { level: "problem", what: `exp is ${exp === undefined ? "missing" : "no time"}`, fix: fixes.expiry },
    ];
  }
  const left = exp * 1000 - clock.now();
  if (left <= 0)
    return [{ level: "problem", what: `it ended ${durationText(-left)} ago`, fix: fixes.expired }];
  if (left > dayMs) {
    return [
      {
        level: "problem",
        what: `it ends in ${durationText(left)}: services take at most 24 hours`,
        fix: fixes["expiry-too-far"],
      },
    ];
  }
  const lifetime = typeof iat === "number" ? (exp - iat) * 1000 : undefined;
  if (lifetime !== undefined && lifetime > dayMs - 60_000) {
    return [
      {
        level: "warning",
        what: "it was signed for all of 24 hours: refused where the clock is a little ahead",
        fix: fixes["expiry-too-far"],
      },
    ];
  }
  return [{ level: "good", what: `it ends in ${durationText(left)}, within 24 hours` }];
}

function judgeSubject({ sub }: Claims): readonly Judgement[] {
  const strict = pushServices.filter(({ dead, authorization }) => !dead && authorization.subjectRequired);
  const verdict = subjectVerdict(sub);
  if (verdict === undefined)
    return [{ level: "good", what: "sub is a contact that every push service takes" }];
  return [{ level: "problem", what: `${namesOf(strict)} refuses it: ${verdict}`, fix: fixes.subject }];
}

function namesOf(services: readonly PushServiceFacts[]): string {
  return services.map(({ name }) => name).join(" and ");
}

/** Why a service that insists on a contact refuses this one. */
function subjectVerdict(sub: unknown): string | undefined {
  if (typeof sub !== "string") return sub === undefined ? "there is no sub" : "sub is no text";
  if (!/^(?:mailto:|https:\/\/)/i.test(sub)) return "sub is neither mailto: nor https:";
  const read = attempt(() => parseSubject(sub));
  return read.value === undefined ? read.problem.what : undefined;
}
