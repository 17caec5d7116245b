/**
 * Which VAPID keys and subject a run uses: the environment's before the project's.
 *
 * CI hands keys over as `VAPID_PUBLIC_KEY`, `VAPID_PRIVATE_KEY` and `VAPID_SUBJECT`,
 * the names every web push library's users already have in their secrets.
 */
import { UserError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { SigningKeys, Tenure } from "../protocol/preflight.ts";
import { parseSubject, type Subject } from "../protocol/subject.ts";
import {
  keyPairOf,
  parseKeyPair,
  parseVapidPrivateKey,
  type VapidKeyPair,
  type VapidPublicKey,
} from "../protocol/vapid.ts";
import { variable, type Environment } from "./environment.ts";

/** A pair that is kept. Times are ms since 1970. */
interface KeptKeyPair {
  readonly pair: VapidKeyPair;
  readonly createdAt: number;
  readonly currentSince: number | undefined;
}

/** What is kept in a project; the shape of store/config.ts that matters here. */
export interface KeptKeys {
  readonly current: VapidPublicKey | undefined;
  readonly pairs: readonly KeptKeyPair[];
  readonly subject: Subject | undefined;
}

/** The keys of a run. */
export interface KeyRing extends SigningKeys {
  readonly source: "environment" | "project" | "none";
}

/** What the environment says about VAPID; undefined members are not set there. */
export interface EnvironmentKeys {
  readonly pair: VapidKeyPair | undefined;
  readonly subject: Subject | undefined;
}

/**
 * Keys from environment variables.
 *
 * @throws UserError `vapid-environment`, and the codes of the key and subject parsers
 */
export function readEnvironmentKeys(env: Environment): EnvironmentKeys {
  const publicText = variable(env, "VAPID_PUBLIC_KEY");
  const privateText = variable(env, "VAPID_PRIVATE_KEY");
  const subjectText = variable(env, "VAPID_SUBJECT", "VAPID_EMAIL");
  if (publicText !== undefined && privateText === undefined) {
    throw new UserError("vapid-environment", "VAPID_PUBLIC_KEY is set but VAPID_PRIVATE_KEY is not", {
      kind: "credentials",
      hints: ["set both, or unset both to use the project's keys"],
    });
  }
  return {
    pair: privateText === undefined ? undefined : pairOf(publicText, privateText),
    subject: subjectText === undefined ? undefined : parseSubject(subjectText).subject,
  };
}

function pairOf(publicText: string | undefined, privateText: string): VapidKeyPair {
  if (publicText !== undefined) return parseKeyPair(publicText, privateText);
  const privateKey: Secret<string> = parseVapidPrivateKey(privateText);
  return keyPairOf(privateKey);
}

/** The ring of a run: the environment's pair is current when there is one; the project's pairs stay usable. */
export function createKeyRing(environment: EnvironmentKeys, kept: KeptKeys): KeyRing {
  const keptPairs = kept.pairs.map(({ pair }) => pair);
  const subject = environment.subject ?? kept.subject;
  const newestAt = kept.pairs.length === 0 ? undefined : Math.max(...kept.pairs.map((one) => one.createdAt));
  if (environment.pair !== undefined) {
    const { pair } = environment;
    const others = keptPairs.filter(({ publicKey }) => publicKey !== pair.publicKey);
    // Since when it signs, only those know who set it.
    return { current: pair, pairs: [pair, ...others], tenures: [], newestAt, subject, source: "environment" };
  }
  const current = keptPairs.find(({ publicKey }) => publicKey === kept.current);
  const source = current === undefined ? "none" : "project";
  return { current, pairs: keptPairs, tenures: tenuresOf(kept), newestAt, subject, source };
}

function tenuresOf({ pairs }: Pick<KeptKeys, "pairs">): readonly Tenure[] {
  return pairs
    .flatMap(({ pair, currentSince: since }) => (since === undefined ? [] : [{ pair, since }]))
    .sort((a, b) => a.since - b.since);
}
