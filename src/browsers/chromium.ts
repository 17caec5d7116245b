/**
 * A stock Chromium on the emulator: flags and preferences, nothing else.
 *
 * The switches are for Google's own tests of Chromium and documented nowhere.
 * Each was seen to be needed with 156: without the last one subscribing works
 * and no message ever comes.
 */
import type { BrowserWiring, LaunchOptions } from "./browser.ts";

/** What points a Chromium at an emulator. Every one is needed: without the last no message ever comes. */
export function chromiumSwitches({ port, spkiSha256 }: BrowserWiring): readonly string[] {
  return [
    `--gcm-checkin-url=http://127.0.0.1:${port}/chromium/checkin`,
    `--gcm-registration-url=http://127.0.0.1:${port}/chromium/register`,
    `--gcm-mcs-endpoint=https://127.0.0.1:${port}`,
    // Trusts this one key, wherever it is met, and no other.
    `--ignore-certificate-errors-spki-list=${spkiSha256}`,
  ];
}

type Needs = Pick<LaunchOptions, "headless" | "wiring" | "remoteDebugging"> & { readonly isRoot: boolean };

/** The command line, the page last. */
export function chromiumArguments(
  { headless, isRoot, wiring, remoteDebugging = false }: Needs,
  profileDir: string,
  url: string,
): readonly string[] {
  return [
    ...(headless ? ["--headless=new"] : []),
    ...(isRoot ? ["--no-sandbox"] : []),
    `--user-data-dir=${profileDir}`,
    ...chromiumSwitches(wiring),
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-sync",
    "--disable-component-update",
    // No keyring is asked for a password, none is looked for.
    "--password-store=basic",
    "--use-mock-keychain",
    // Containers give /dev/shm 64 MiB, on which pages crash.
    "--disable-dev-shm-usage",
    ...(remoteDebugging ? ["--remote-debugging-port=0"] : []),
    url,
  ];
}

/** The file of the profile that holds the preferences. */
export const chromiumPreferencesFile = "Default/Preferences";

const allowed = 1;

/** The preferences of a profile, kept as they are but for the permission to notify: every site has it. */
export function chromiumPreferences(earlier: string | undefined): string {
  const preferences = parseObject(earlier);
  const profile = objectIn(preferences, "profile");
  const defaults = objectIn(profile, "default_content_setting_values");
  return JSON.stringify({
    ...preferences,
    profile: { ...profile, default_content_setting_values: { ...defaults, notifications: allowed } },
  });
}

function parseObject(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // Chromium, too, starts afresh with a file it cannot read.
  }
}

function objectIn(holder: object, key: string): object {
  const value: unknown = (holder as Readonly<Record<string, unknown>>)[key];
  return typeof value === "object" && value !== null ? value : {};
}
