/** An emulator and a browser on it, for one test. */
import { onTestFinished } from "vitest";
import type { BrowserName, LaunchOptions, RunningBrowser } from "../../src/browsers/browser.ts";
import { findBrowser } from "../../src/browsers/find.ts";
import type { ShownNotification } from "../../src/browsers/notification-bus/notifications.ts";
import { openBrowser } from "../../src/browsers/open.ts";
import { openProject, sendJson, type SendRecord } from "../commands/send/sending.ts";
import { startEmulator, type Emulator } from "../../src/emulator/emulator.ts";
import type { PushServiceEvent } from "../../src/emulator/events.ts";

/** Whether the browser is here. In CI its absence is a failure, not a reason to skip. */
export function isInstalled(name: BrowserName): boolean {
  try {
    findBrowser(name, { env: process.env, executable: undefined });
    return true;
  } catch (error) {
    if (process.env["CI"] && process.platform === "linux") throw error;
    return false;
  }
}

export interface Emulated {
  readonly emulator: Emulator;
  readonly events: readonly PushServiceEvent[];
  /** Resolves at the first event of this type, past ones included. */
  readonly happened: (type: PushServiceEvent["type"]) => Promise<void>;
  /** Runs `webpush send` with this payload, to where the emulator is, whatever host the browser names. */
  readonly send: (subscription: unknown, payload: object) => Promise<SendRecord | undefined>;
  /** Opens a browser on it; closed when the test ends. */
  readonly open: (
    options: Pick<LaunchOptions, "name" | "url"> & Partial<LaunchOptions>,
  ) => Promise<RunningBrowser>;
}

export async function openEmulated(): Promise<Emulated> {
  const events: PushServiceEvent[] = [];
  const waiting = new Set<() => void>();
  const emulator = await startEmulator({
    clock: { now: () => Date.now() },
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    onEvent: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
  });
  onTestFinished(() => emulator.close());
  const happened = (type: PushServiceEvent["type"]) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!events.some((event) => event.type === type)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    emulator,
    events,
    happened,
    async send(subscription, payload) {
      const given = subscription as { readonly endpoint: string };
      // Chromium writes Google's host into the endpoint, and nothing can change that.
      const endpoint = new URL(new URL(given.endpoint).pathname, emulator.origin).href;
      const argv = [
        "--subscription",
        JSON.stringify({ ...given, endpoint }),
        "--payload",
        JSON.stringify(payload),
      ];
      return (await sendJson(argv, { cwd: await openProject() })).records[0];
    },
    async open(options) {
      const browser = await openBrowser({
        executable: undefined,
        env: process.env,
        wiring: { port: emulator.port, spkiSha256: emulator.tls.spkiSha256 },
        headless: true,
        signal: new AbortController().signal,
        ...(options.name === "firefox" ? { ready: happened("user-agent-connected") } : {}),
        ...options,
      });
      onTestFinished(() => browser.close());
      return browser;
    },
  };
}

/** The next notification that a browser shows. */
export async function nextNotification({ name, notifications }: RunningBrowser): Promise<ShownNotification> {
  for await (const notification of notifications) return notification;
  throw new Error(`${name} ended without another notification`);
}
