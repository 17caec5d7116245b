/**
 * The words of this folder: a browser to start, and one that runs.
 */
import type { Emulator } from "../emulator/emulator.ts";
import type { ShownNotification } from "./notification-bus/notifications.ts";

export const browserNames = ["chromium", "firefox"] as const;
export type BrowserName = (typeof browserNames)[number];

/** The browser's name for people. */
export function titleOf(name: BrowserName): string {
  return name === "chromium" ? "Chromium" : "Firefox";
}

/** Where the push service is that the browser shall use instead of its vendor's. */
export interface BrowserWiring {
  readonly port: number;
  /** Names the key of the emulator's certificate: base64 of the SHA-256 of its SubjectPublicKeyInfo. */
  readonly spkiSha256: string;
}

/** How a browser finds an emulator. */
export function wiringOf({ port, tls }: Pick<Emulator, "port" | "tls">): BrowserWiring {
  return { port, spkiSha256: tls.spkiSha256 };
}

/** What the caller's environment holds. */
export type BrowserEnvironment = Readonly<Record<string, string | undefined>>;

export interface LaunchOptions {
  readonly name: BrowserName;
  /** A path or a command's name; by default the first one found. */
  readonly executable: string | undefined;
  readonly env: BrowserEnvironment;
  readonly wiring: BrowserWiring;
  /** The page to open, or `about:blank`. */
  readonly url: string;
  readonly headless: boolean;
  /** A profile to use and to leave as it is; by default a new one, removed at the end. */
  readonly profileDir?: string;
  /**
   * Resolves once the push service has heard from the browser (`user-agent-connected`). The page is opened then:
   * in Firefox a page that subscribes before hangs for ever. Needed for Firefox, of no use to Chromium.
   */
  readonly ready?: Promise<unknown>;
  /** Ends the browser. */
  readonly signal: AbortSignal;
  /** Whether to do without Chromium's sandbox, which does not work for root; looked up unless given. */
  readonly isRoot?: boolean;
  /** Opens the DevTools protocol on a free port, named in the profile's file `DevToolsActivePort`; for tests. */
  readonly remoteDebugging?: boolean;
}

/** How a browser ended: by a person or by us, or on its own. */
export interface BrowserExit {
  readonly code: number | null;
  readonly why: "closed" | "crashed";
  /** The last it said on stderr. */
  readonly lastWords: readonly string[];
}

/** A browser whose page is being opened. */
export interface RunningBrowser extends AsyncDisposable {
  readonly name: BrowserName;
  readonly executable: string;
  readonly pid: number;
  readonly profileDir: string;
  readonly exited: Promise<BrowserExit>;
  /**
   * Whether what it shows goes through our stand-in for the desktop: on Linux, without a window or without a
   * desktop, and for Firefox with libnotify.
   */
  readonly seesNotifications: boolean;
  /** What it asks the desktop to show, for one reader. Ends when the browser does. */
  readonly notifications: AsyncIterable<ShownNotification>;
  /** Ends it, waits until it is gone, and removes a throw-away profile. */
  close(): Promise<void>;
}
