/**
 * Secrets taken out of text that was not written by us: stacks, foreign errors.
 *
 * Our own secrets are `Secret` values and never get into text. This is the second
 * net, under what other code says: anything that looks like a token, a key or the
 * tail of a capability URL (RFC 8030 §8.3) becomes `[secret]`.
 */

const token = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const urlTail = /(\bhttps?:\/\/[^\s/"'<>]+\/)[^\s"'<>)]{12,}/g;
const keyMaterial = /(?<![\w/.-])[\w-]{22,}={0,2}(?![\w/.-])/g;

/** `text` with everything that looks like a secret replaced by `[secret]`. */
export function redact(text: string): string {
  return text
    .replace(token, "[secret]")
    .replace(urlTail, "$1[secret]")
    .replace(keyMaterial, (word) => (/\d/.test(word) && /[A-Za-z]/.test(word) ? "[secret]" : word));
}
