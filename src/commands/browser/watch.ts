/**
 * A browser beside a long-running command: opened, watched, closed with it.
 *
 * When a person closes the browser the command goes on; when the command ends,
 * the browser does.
 */
import { networkInterfaces } from "node:os";
import { titleOf, type BrowserName, type BrowserWiring } from "../../browsers/browser.ts";
import { networkProblem } from "../../browsers/network.ts";
import { openBrowser } from "../../browsers/open.ts";
import type { Context } from "../context.ts";
import type { BrowserEvent } from "./render.ts";
import { mayUsePush } from "./page-url.ts";

export interface WatchOptions {
  readonly name: BrowserName;
  readonly executable: string | undefined;
  readonly headless: boolean;
  readonly url: string;
  readonly wiring: BrowserWiring;
  /** Resolves when the push service has heard from a user agent. */
  readonly ready: Promise<unknown>;
}

type Needs = Pick<Context, "env" | "signal" | "clock">;

/** A browser that is being watched; disposing closes it and waits until it has ended. */
export interface WatchedBrowser extends AsyncDisposable {
  /** Rejects when it cannot be opened; never resolves. */
  readonly failed: Promise<never>;
}

/** Opens a browser and tells what becomes of it, until it ends or is disposed of. */
export function watchBrowser(
  options: WatchOptions,
  context: Needs,
  tell: (event: BrowserEvent) => void,
): WatchedBrowser {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const watching = watch(options, { ...context, signal }, tell);
  const failed = new Promise<never>((_resolve, reject) => {
    watching.catch(reject);
  });
  failed.catch(() => undefined); // Whoever races against it is told; nobody else needs to be.
  return {
    failed,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching.catch(() => undefined); // Told by `failed`.
    },
  };
}

async function watch(
  { ready, ...options }: WatchOptions,
  { env, signal, clock }: Needs,
  tell: (event: BrowserEvent) => void,
): Promise<void> {
  const { name, url } = options;
  try {
    // Chromium dials its push service when it pleases, and waits for it by itself.
    const waiting = name === "firefox" ? { ready } : {};
    await using browser = await openBrowser({ ...options, ...waiting, env, signal });
    const { executable, seesNotifications } = browser;
    const happened = () => ({ at: clock.now(), browser: name });
    tell({ type: "browser-opened", ...happened(), url, executable, seesNotifications });
    for await (const { title, body, origin, actions } of browser.notifications) {
      const labels = actions.map(({ label }) => label);
      tell({ type: "notification", ...happened(), title, body, origin, actions: labels });
    }
    const exit = await browser.exited;
    if (!signal.aborted) tell({ type: "browser-ended", ...happened(), ...exit });
  } catch (error) {
    if (!signal.aborted) throw error; // Else it was closed while it came up.
  }
}

/** What will not work, in sentences, before the browser is opened. */
export function browserProblems({ name, url }: Pick<WatchOptions, "name" | "url">): readonly string[] {
  const network = networkProblem(name, networkInterfaces());
  return [
    ...(network === undefined ? [] : [network]),
    ...(mayUsePush(url)
      ? []
      : [`${titleOf(name)} lets a page subscribe only over https or from localhost, and this is neither`]),
  ];
}
