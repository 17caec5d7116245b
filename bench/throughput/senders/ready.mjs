/**
 * Requests with nothing left to do but to carry them: a token that is signed, bodies as long as sealed ones.
 */
import { randomBytes } from "node:crypto";
import { parseKeyPair, parseSubject, signToken } from "../../../dist/index.js";

/** Header, delimiter and tag of one sealed record (PROTOCOL.md §2.1). */
const overheadBytes = 103;

/** The headers that are the same for all, and what makes a request of a line. */
export function prepare({ keys, subject, payload, origin }) {
  const headers = {
    ttl: "2419200",
    "content-length": String(payload.length + overheadBytes),
    "content-type": "application/octet-stream",
    "content-encoding": "aes128gcm",
    ...signToken({
      audience: origin,
      subject: parseSubject(subject).subject,
      pair: parseKeyPair(keys.publicKey, keys.privateKey),
      expiresAt: Date.now() + 43_200_000,
      encoding: "aes128gcm",
    }),
  };
  const requestOf = (line) => ({
    method: "POST",
    url: JSON.parse(line).endpoint,
    headers,
    body: randomBytes(payload.length + overheadBytes),
  });
  return { headers, requestOf };
}
