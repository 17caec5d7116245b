/**
 * A person at a running browser, the same for both: opens pages, presses buttons, looks.
 *
 * The browser is the one the product started, with `remoteDebugging` on; here it is only looked into.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { vi } from "vitest";
import type { RunningBrowser } from "../../src/browsers/browser.ts";
import { Bidi } from "./bidi.ts";
import { waitUntil } from "./wait-until.ts";

export interface Visitor extends AsyncDisposable {
  /** What pages wrote to the console. */
  readonly log: readonly string[];
  goto(url: string): Promise<void>;
  setViewport(width: number, height: number): Promise<void>;
  /** The value of an expression in the page, as JSON; a promise is awaited. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Waits until an expression in the page is true. */
  until(expression: string): Promise<void>;
  /** Presses an element with the mouse. */
  click(selector: string): Promise<void>;
  screenshot(): Promise<Buffer>;
}

const limit = { timeout: 60_000 };

/** Takes a seat at the browser's first tab. */
export function visit(browser: RunningBrowser): Promise<Visitor> {
  return browser.name === "firefox" ? visitFirefox(browser) : visitChromium(browser);
}

async function fileOf({ profileDir }: RunningBrowser, name: string): Promise<string> {
  const path = join(profileDir, name);
  await vi.waitUntil(() => existsSync(path) && readFileSync(path, "utf8") !== "", limit);
  return readFileSync(path, "utf8");
}

async function visitFirefox(browser: RunningBrowser): Promise<Visitor> {
  const file = await fileOf(browser, "WebDriverBiDiServer.json");
  const { ws_host: host, ws_port: port } = JSON.parse(file) as { ws_host: string; ws_port: number };
  return Bidi.connect(`ws://${host}:${port}`);
}

/**
 * Takes hold of a Chromium through its DevTools.
 *
 * playwright attaches to everything that runs there, and once in hundreds of times waits for ever when a
 * service worker starts in that very moment; nothing is wrong with the browser then, so it is asked again.
 */
async function connectOverCdp(url: string, attempts = 3) {
  try {
    return await chromium.connectOverCDP(url, { timeout: 20_000 });
  } catch (error) {
    if (attempts === 1) throw error;
    return connectOverCdp(url, attempts - 1);
  }
}

async function visitChromium(browser: RunningBrowser): Promise<Visitor> {
  const [port = "", path = ""] = (await fileOf(browser, "DevToolsActivePort")).split("\n");
  const connection = await connectOverCdp(`ws://127.0.0.1:${port}${path}`);
  const [context] = connection.contexts();
  const page = context?.pages()[0] ?? (await context?.waitForEvent("page", limit));
  if (page === undefined) throw new Error("the browser has no tab");
  page.setDefaultTimeout(limit.timeout);
  const log: string[] = [];
  page.on("console", (message) => {
    const { url } = message.location();
    // Of what could not be loaded the browser says no name.
    const place = message.text().startsWith("Failed to load") ? ` ${url}` : "";
    log.push(`${message.type()}: ${message.text()}${place}`);
  });
  page.on("pageerror", (error) => log.push(`error: ${error.message}`));
  return {
    log,
    goto: async (url) => {
      await page.goto(url);
    },
    setViewport: (width, height) => page.setViewportSize({ width, height }),
    evaluate: (expression) => page.evaluate(expression),
    // Not waitForFunction(), which needs eval() in the page: its policy forbids that.
    until: (expression) => waitUntil((text) => page.evaluate(text), expression),
    click: (selector) => page.click(selector),
    screenshot: () => page.screenshot(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
