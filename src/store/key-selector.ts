/**
 * Naming a key pair by the beginning of its public key, as `webpush keys list` shows it.
 */
import { UserError } from "../base/errors.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";

/** All public keys begin with the same letter, so fewer tell little. */
const shortestBeginning = 4;
/** How much of what was given is repeated: it may be a private key. */
const longestShown = 16;
/** How much of a key is shown where it need not be whole. */
const shownCharacters = 12;

/** A public key cut short for people: enough to tell it by, and to name it with. */
export function shortKey(key: VapidPublicKey): string {
  return `${key.slice(0, shownCharacters)}…`;
}

/**
 * The one of `held` whose public key begins with `given`.
 *
 * @throws UserError `key-not-found`, `key-ambiguous`
 */
export function selectPair<Held extends { readonly publicKey: VapidPublicKey }>(
  held: readonly Held[],
  given: string,
): Held {
  const beginning = given.trim().replace(/(?:…|\.\.\.)$/, "");
  if (beginning.length < shortestBeginning) {
    throw notFound(`${JSON.stringify(given)} is too short to tell a key by`, [
      `give at least ${shortestBeginning} characters of it: webpush keys list`,
    ]);
  }
  const [found, ...others] = held.filter(({ publicKey }) => publicKey.startsWith(beginning));
  if (found === undefined) {
    throw notFound(`no key pair here has a public key that begins with ${shown(beginning)}`, [
      "run `webpush keys list` to see them",
    ]);
  }
  if (others.length === 0) return found;
  const names = [found, ...others].map(({ publicKey }) => publicKey.slice(0, shownCharacters));
  throw new UserError("key-ambiguous", `${beginning} is the beginning of ${names.length} public keys`, {
    hints: [`give more of it: ${names.join(", ")}`],
  });
}

function notFound(message: string, hints: readonly string[]): UserError {
  return new UserError("key-not-found", message, { hints });
}

function shown(beginning: string): string {
  if (beginning.length <= longestShown) return JSON.stringify(beginning);
  return `the ${beginning.length} characters given`;
}
