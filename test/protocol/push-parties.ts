/** A sender and a receiver made of the values of an RFC vector, or of fixed ones. */
import { createECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { Secret } from "../../src/base/secret.ts";
import { DecryptionError, type ReceiverKeys } from "../../src/protocol/decryption.ts";
import type { MessageMaterial } from "../../src/protocol/encryption.ts";
import { parseSubscription, type Subscription } from "../../src/protocol/subscription.ts";

interface MessageVector {
  readonly plaintext: string;
  readonly as_public: string;
  readonly as_private: string;
  readonly ua_public: string;
  readonly ua_private: string;
  readonly salt: string;
  readonly auth_secret: string;
  readonly ecdh_secret: string;
  readonly cek: string;
  readonly nonce: string;
  readonly body: string;
}

/** The vectors of the RFCs, recomputed step by step with node:crypto. */
export const vectors = JSON.parse(readFileSync(new URL("../vectors/rfc.json", import.meta.url), "utf8")) as {
  readonly rfc8291: MessageVector;
  readonly aesgcm_draft04: MessageVector;
  readonly rfc8188_single: { readonly ikm: string; readonly body: string; readonly plaintext: string };
  readonly rfc8188_two_records: { readonly ikm: string; readonly body: string; readonly plaintext: string };
  readonly rfc8292: { readonly t: string; readonly k: string };
};

export const bytesOf = (text: string): Buffer => Buffer.from(text, "base64url");

/** The subscription of a vector's receiver. */
export function subscriptionOf(
  { ua_public, auth_secret }: MessageVector,
  contentEncoding: "aes128gcm" | "aesgcm" = "aes128gcm",
): Subscription {
  return parseSubscription({
    endpoint: "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    keys: { p256dh: ua_public, auth: auth_secret },
    contentEncoding,
  });
}

/** The receiver's own side of it. */
export function receiverOf(vector: MessageVector): ReceiverKeys {
  return {
    publicKey: subscriptionOf(vector).p256dh,
    privateKey: new Secret(vector.ua_private),
    auth: new Secret(vector.auth_secret),
  };
}

export function materialOf({ salt, as_private }: MessageVector): MessageMaterial {
  return { salt: bytesOf(salt), privateKey: bytesOf(as_private) };
}

/** The ECDH side of a private key, as http_ece takes it. */
export function ecdhOf(privateKey: string) {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(privateKey, "base64url");
  return ecdh;
}

/** The reason `run` was refused for. */
export function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DecryptionError) return error.reason;
    throw error;
  }
  return "it was decrypted";
}
