/** Waiting for a page, however it is driven. */

const limitMs = 60_000;

/** Waits until an expression is true, in this page or in the one that comes after it. */
export async function waitUntil(
  evaluate: (expression: string) => Promise<unknown>,
  expression: string,
): Promise<void> {
  const looking = `new Promise((resolve) => { const look = () => (${expression}) ? resolve(true) : setTimeout(look, 50); look(); })`;
  for (const giveUpAt = Date.now() + limitMs; ;) {
    const outcome = await Promise.race([
      evaluate(looking).catch((error: unknown) => error),
      new Promise<Error>((resolve) => {
        setTimeout(() => {
          resolve(new Error(`not true within ${limitMs / 1000} s: ${expression}`));
        }, giveUpAt - Date.now()).unref();
      }),
    ]);
    if (outcome === true) return;
    // A page that is left takes its promises with it.
    if (
      outcome instanceof Error &&
      /destroyed|navigat|aborted|discarded|no such frame/i.test(outcome.message)
    )
      continue;
    throw outcome instanceof Error ? outcome : new Error(String(outcome));
  }
}
