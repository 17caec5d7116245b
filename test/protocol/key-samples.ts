/** One pair in several containers, for the tests of key formats. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { UserError } from "../../src/base/errors.ts";
import { formatKeys, parseKeys } from "../../src/protocol/key-formats.ts";
import { createKeyPair, type VapidKeyPair } from "../../src/protocol/vapid.ts";

export const publicKey =
  "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
export const privateKey = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
export const otherPublicKey =
  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
export const otherPrivateKey = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

export const pairOf = (scalar: Uint8Array): VapidKeyPair => createKeyPair({ bytes: () => scalar });
export const pair = pairOf(Buffer.from(privateKey, "base64url"));
export const otherPair = pairOf(Buffer.from(otherPrivateKey, "base64url"));
export const jwk = formatKeys(pair, undefined, "jwk");
export const sec1 = formatKeys(pair, undefined, "pem");
export const keyObject = createPrivateKey(sec1);
export const pkcs8 = keyObject.export({ type: "pkcs8", format: "pem" }).toString();
export const spki = spkiOf(sec1);
export const standard = (text: string) => Buffer.from(text, "base64url").toString("base64");

export function spkiOf(pem: string): string {
  return createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
}

/** What came out, as plain text. */
export function read(input: string | Uint8Array) {
  const { pair: found, subject } = parseKeys(typeof input === "string" ? Buffer.from(input) : input);
  return { publicKey: found.publicKey, privateKey: found.privateKey.reveal(), subject };
}

/** The refusal of `input`, which must not show what it refuses. */
export function failureOf(input: string | Uint8Array): UserError {
  try {
    read(input);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const shown = [error.message, ...error.hints, error.stack ?? ""].join("\n");
    if ([privateKey, otherPrivateKey].some((secret) => shown.includes(secret.slice(0, 12))))
      throw new Error("the error shows a private key", { cause: error });
    return error;
  }
  throw new Error("it was accepted");
}
