/**
 * The browser that `webpush serve --open` starts on the emulator beside it.
 */
import { UserError } from "../../base/errors.ts";
import { titleOf, wiringOf } from "../../browsers/browser.ts";
import { findBrowser } from "../../browsers/find.ts";
import { printable } from "../../terminal/printable.ts";
import { warnOfIdleFlags } from "../browser/idle.ts";
import { browserEventJson, browserEventText } from "../browser/render.ts";
import { browserProblems, watchBrowser, type WatchedBrowser } from "../browser/watch.ts";
import type { Context } from "../context.ts";
import { counted } from "../subscriptions/render.ts";
import type { ServeOptions } from "./command.ts";
import type { EmulatorBeside } from "./emulator.ts";
import type { Guests } from "./guests.ts";

/**
 * Looks for the browser that was asked for, before anything is started.
 *
 * @throws UserError `browser-missing`
 */
export function assertBrowser(options: ServeOptions, { env, io }: Pick<Context, "env" | "io">): void {
  if (options.open === undefined) warnOfIdleFlags(options, "--open", io);
  else findBrowser(options.open, { env, executable: options.executable });
}

export interface BrowserPlace {
  readonly beside: EmulatorBeside | undefined;
  readonly guests: Guests | undefined;
}

/** Opens the browser that was asked for; when a person closes it, the server goes on. */
export function openBrowserBeside(
  url: string,
  { beside, guests }: BrowserPlace,
  { open, headless, executable }: ServeOptions,
  context: Context,
): WatchedBrowser | undefined {
  if (open === undefined || beside === undefined) return undefined;
  const { io, json } = context;
  for (const problem of browserProblems({ name: open, url }))
    io.err(`${io.paint.err.caution("warning:")} ${printable(problem)}`);
  io.say(`opening ${titleOf(open)}…`);
  const { emulator, newUserAgent: ready } = beside;
  const wiring = wiringOf(emulator);
  const options = { name: open, executable, headless, url, wiring, ready };
  return watchBrowser(options, context, (event) => {
    io.out(json ? browserEventJson(event) : browserEventText(event, io));
    if (event.type !== "browser-ended") return;
    io.say("the server goes on; Ctrl-C stops it");
    void forgetGuests(guests, context);
  });
}

/** Ends what the browser had subscribed, and says so. */
export async function forgetGuests(guests: Guests | undefined, { io }: Pick<Context, "io">): Promise<void> {
  try {
    const count = (await guests?.forget()) ?? 0;
    if (count > 0) io.say(`removed ${counted(count)} of the browser, which is gone with its profile`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.err(`${io.paint.err.caution("warning:")} ${printable(error.message)}`);
  }
}
