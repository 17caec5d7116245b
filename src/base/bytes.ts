/**
 * Bytes and base64url, read strictly.
 *
 * `Buffer.from(text, "base64url")` skips what it does not know, so a damaged key
 * would decode to other, shorter bytes without a word. These functions refuse
 * instead. Outside text may be padded or use the standard alphabet (`+`, `/`,
 * `=`), as many tools print keys; we ourselves always write unpadded base64url,
 * the only form the RFCs use (RFC 7515 §2).
 */

const base64Text = /^[A-Za-z0-9_-]*$/;

/** Unpadded base64url of `bytes` (RFC 7515 §2). */
export function formatBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/**
 * The bytes of base64url or standard base64 text, padded or not; `undefined` when
 * it is neither, or when no sequence of bytes encodes to that length.
 */
export function parseBase64(text: string): Buffer | undefined {
  const unpadded = text.trim().replace(/={1,2}$/, "");
  const url = unpadded.replaceAll("+", "-").replaceAll("/", "_");
  if (!base64Text.test(url) || url.length % 4 === 1) return undefined;
  return Buffer.from(url, "base64url");
}

/** `bytes` left-padded with zeros to `length`; Node's ECDH drops leading zero bytes of private keys. */
export function leftPad(bytes: Uint8Array, length: number): Buffer {
  const padded = Buffer.alloc(length);
  padded.set(bytes, length - bytes.length);
  return padded;
}
