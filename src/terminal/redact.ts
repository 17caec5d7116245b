/**
 * Secrets taken out of text that was not written by us: stacks, foreign errors.
 *
 * Our own secrets are `Secret` values and never get into text. This is the second
 * net, under what other code says: anything that looks like a token, a key or the
 * tail of a capability URL (RFC 8030 §8.3) becomes `[secret]`.
 */

const pem = /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g;
const urlLogin = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi;
const token = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const urlTail = /(\bhttps?:\/\/[^\s/"'<>]+\/)[^\s"'<>)]{12,}/g;
const keyMaterial = /(?<![\w/.-])[\w-]{22,}={0,2}(?![\w/.-])/g;

/** `text` with everything that looks like a secret replaced by `[secret]`. */
export function redact(text: string): string {
  return text
    .replace(pem, "[secret]")
    .replace(urlLogin, "$1[secret]@")
    .replace(token, "[secret]")
    .replace(urlTail, "$1[secret]")
    .replace(keyMaterial, (word) => (looksRandom(word) ? "[secret]" : word));
}

/** Names in a stack have no digits and no capitals in a row; keys nearly always have either. */
function looksRandom(word: string): boolean {
  return (/\d/.test(word) && /[A-Za-z]/.test(word)) || (/[A-Z]{2}/.test(word) && /[a-z]/.test(word));
}
