/** The keys of a user agent that is somewhere else, as its owner tells them. */
import { parseBase64 } from "../../base/bytes.ts";
import { Secret } from "../../base/secret.ts";
import { UserError } from "../../base/errors.ts";
import type { ReceiverKeys } from "../../protocol/decryption.ts";
import type { SubscriptionKey } from "../../protocol/subscription.ts";
import { keyPairOf, parseVapidPrivateKey } from "../../protocol/vapid.ts";
import { malformed } from "./json-input.ts";

const authBytes = 16;

/**
 * Keys out of a private key and an auth secret, both base64url.
 *
 * @throws UserError `emulator-api`
 */
export function readReceiverKeys(privateText: string, auth: string): ReceiverKeys {
  if (parseBase64(auth)?.length !== authBytes) throw malformed(`auth is not ${authBytes} bytes of base64url`);
  try {
    const { publicKey, privateKey } = keyPairOf(parseVapidPrivateKey(privateText));
    // A key pair like any other of the curve, in another role.
    return { publicKey: publicKey as string as SubscriptionKey, privateKey, auth: new Secret(auth) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw malformed("privateKey is not a P-256 private key, 32 bytes of base64url");
  }
}
