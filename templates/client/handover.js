/**
 * Carrying a subscription over to the server by hand: for the first steps, while no server keeps them yet.
 */

/** The command that stores the subscription. */
export function addCommand(record) {
  return `npx webpush subscriptions add ${shellQuote(JSON.stringify(record))}`;
}

/**
 * Quotes text for a POSIX shell. Inside single quotes nothing is special but the single quote itself, which is
 * written as: end the quotes, an escaped quote, begin them again.
 */
export function shellQuote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Copies; false when the browser does not allow it, so that the page can select the text instead. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
