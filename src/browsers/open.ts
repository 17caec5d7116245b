/**
 * Opens a browser on the emulator: profile, desktop stand-in, process, first page; and takes all of it down again.
 */
import { randomBytes } from "node:crypto";
import { platform } from "node:os";
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { Arrivals } from "./arrivals.ts";
import { titleOf, type LaunchOptions, type RunningBrowser } from "./browser.ts";
import { chromiumArguments, chromiumPreferences, chromiumPreferencesFile } from "./chromium.ts";
import { findBrowser } from "./find.ts";
import { firefoxArguments, firefoxPreferences, firefoxPreferencesFile } from "./firefox.ts";
import { openGate } from "./gate.ts";
import { openNotificationBus, type NotificationBus } from "./notification-bus/bus.ts";
import { NotificationService, type ShownNotification } from "./notification-bus/notifications.ts";
import { hasLibnotify } from "./libnotify.ts";
import { isRootUser, startProcess, type BrowserProcess } from "./process.ts";
import {
  openPrivateFolder,
  openProfile,
  readProfileFile,
  temporaryFolder,
  writeProfileFile,
  type Profile,
} from "./profile.ts";

/** Four browsers at once on two busy cores took 29 s to come up. */
const startLimitMs = 90_000;

/**
 * Starts a browser wired to an emulator, and resolves when its page is being opened.
 *
 * @throws UserError `browser-missing`, `browser-display`, `browser-profile`, `browser-start`
 */
export async function openBrowser(options: LaunchOptions): Promise<RunningBrowser> {
  const { name, env, signal } = options;
  signal.throwIfAborted();
  const executable = findBrowser(name, options);
  if (!options.headless) requireDisplay(options);

  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  try {
    const profile = await openProfile(name, { env, given: options.profileDir });
    closers.push(() => profile.remove());
    const notifications = new Arrivals<ShownNotification>();
    const seesNotifications = canStandIn(options);
    await writePreferences(options, profile, seesNotifications);
    const scratch = await openPrivateFolder("webpush-", shortFolder(env));
    closers.push(() => scratch.remove());
    const bus = seesNotifications ? await openBus(scratch.path, notifications) : undefined;
    if (bus !== undefined) closers.push(() => bus.close());

    const pushService = `http://127.0.0.1:${options.wiring.port}`;
    const { ready = Promise.resolve() } = options;
    const gate = await openGate({ url: options.url, until: ready, pushService });
    closers.push(() => gate.close());

    const busEnv = bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus.address };
    const args = argumentsFor(options, profile, gate.url);
    // Chromium leaves a folder behind where temporary files go.
    const childEnv = { ...withoutOurs(env), ...busEnv, TMPDIR: scratch.path };
    const child = await startProcess({ executable, args, env: childEnv });
    closers.push(() => child.end());
    void child.exited.then(() => {
      notifications.end();
    });
    await cameUp(options, child, Promise.all([gate.reached, ready]));

    let closing: Promise<void> | undefined;
    const close = () => (closing ??= closeAll());
    closers.unshift(onAbort(signal, close));
    return {
      name,
      executable,
      pid: child.pid,
      profileDir: profile.path,
      exited: child.exited,
      seesNotifications,
      notifications,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The environment without our own variables: a browser has no use for a VAPID private key. */
function withoutOurs(env: LaunchOptions["env"]): LaunchOptions["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(?:WEBPUSH|VAPID)_/.test(name)));
}

/** Whether a browser's window has a screen to be on; only Linux can tell. */
export function canShowWindow(env: LaunchOptions["env"]): boolean {
  if (platform() !== "linux") return true;
  return [env["DISPLAY"], env["WAYLAND_DISPLAY"]].some((display) => (display ?? "") !== "");
}

/** A window needs a screen; without one a browser dies with words of its own, which say less. */
function requireDisplay({ name, env }: LaunchOptions): void {
  if (canShowWindow(env)) return;
  throw new UserError("browser-display", `${titleOf(name)} has no screen to open a window on`, {
    kind: "failed",
    hints: ["run it without a window: --headless"],
  });
}

async function writePreferences(
  { name, wiring }: LaunchOptions,
  profile: Profile,
  usesSystemNotifications: boolean,
): Promise<void> {
  if (name === "firefox") {
    const text = firefoxPreferences({ port: wiring.port, usesSystemNotifications });
    await writeProfileFile(profile, firefoxPreferencesFile, text);
  } else {
    const earlier = await readProfileFile(profile, chromiumPreferencesFile);
    await writeProfileFile(profile, chromiumPreferencesFile, chromiumPreferences(earlier));
  }
}

/**
 * Whether we can be the desktop. Only Linux has its notifications on D-Bus, Firefox only with libnotify; and a
 * person with a desktop and a window shall see them there.
 */
function canStandIn({ name, headless, env }: LaunchOptions): boolean {
  if (platform() !== "linux") return false;
  if (!headless && (env["DBUS_SESSION_BUS_ADDRESS"] ?? "") !== "") return false;
  return name === "chromium" || hasLibnotify(env);
}

function openBus(folder: string, notifications: Arrivals<ShownNotification>): Promise<NotificationBus> {
  return openNotificationBus({
    socketPath: join(folder, "bus"),
    busId: randomBytes(16).toString("hex"),
    service: new NotificationService((notification) => {
      notifications.add(notification);
    }),
  });
}

/** A socket's path is at most 107 bytes long, and Chromium puts one of its own 60 below this. */
const maxFolderBytes = 46;

function shortFolder(env: LaunchOptions["env"]): string {
  const folder = temporaryFolder(env);
  return Buffer.byteLength(folder) > maxFolderBytes ? "/tmp" : folder;
}

function argumentsFor(options: LaunchOptions, profile: Profile, url: string): readonly string[] {
  return options.name === "firefox"
    ? firefoxArguments(options, profile.path, url)
    : chromiumArguments({ isRoot: isRootUser(), ...options }, profile.path, url);
}

/** Waits for the first page, the end of the process, the limit or the abort, whichever is first. */
async function cameUp(
  { name, signal }: LaunchOptions,
  child: BrowserProcess,
  opened: Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const limit = AbortSignal.any([signal, stop.signal]);
  const stopped = new Promise<"late">((resolve, reject) => {
    const timer = setTimeout(() => {
      resolve("late");
    }, startLimitMs);
    limit.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(limit.reason as Error);
    });
  });
  stopped.catch(() => undefined);
  try {
    const first = await Promise.race([opened.then(() => "opened" as const), child.exited, stopped]);
    if (first === "opened") return;
    throw notUp(
      first === "late"
        ? `${titleOf(name)} did not open its page within ${startLimitMs / 1000} s`
        : `${titleOf(name)} ended before it opened a page, with code ${first.code ?? "none"}`,
      child,
    );
  } finally {
    stop.abort();
  }
}

function notUp(message: string, child: BrowserProcess): UserError {
  const words = child.lastWords();
  return new UserError("browser-start", message, {
    kind: "failed",
    hints: words.length === 0 ? [] : [`it said: ${words.join(" | ")}`],
  });
}

/** Calls `close` when the signal comes; what it returns stops listening. */
function onAbort(signal: AbortSignal, close: () => Promise<void>): () => Promise<void> {
  const abort = () => {
    close().catch(() => undefined); // Whoever closes it by hand gets the same promise, and its failure.
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return () => {
    signal.removeEventListener("abort", abort);
    return Promise.resolve();
  };
}
