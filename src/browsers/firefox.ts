/**
 * A stock Firefox on the emulator: preferences in `user.js`, which Firefox reads at every start.
 */
import type { LaunchOptions } from "./browser.ts";

/** The file of the profile that holds the preferences. */
export const firefoxPreferencesFile = "user.js";

type Preference = readonly [name: string, value: string | number | boolean];

/** What push needs; each was seen to be needed (ESR 153). */
function pushPreferences(port: number): readonly Preference[] {
  return [
    ["dom.push.serverURL", `ws://127.0.0.1:${port}/`],
    ["dom.push.testing.allowInsecureServerURL", true],
    // A remote agent's own preferences would switch it off.
    ["dom.push.connection.enabled", true],
    // 200 ms instead of 5 s, doubling: the emulator is restarted now and then.
    ["dom.push.retryBaseInterval", 200],
    // 1 = allow, for every site.
    ["permissions.default.desktop-notification", 1],
  ];
}

/** No first-run pages, no reports, no updates: a throw-away profile has nothing to tell and nobody to welcome. */
const quietPreferences: readonly Preference[] = [
  ["app.normandy.enabled", false],
  ["app.update.disabledForTesting", true],
  ["browser.aboutwelcome.enabled", false],
  ["browser.preonboarding.enabled", false],
  ["browser.shell.checkDefaultBrowser", false],
  ["browser.startup.homepage_override.mstone", "ignore"],
  ["browser.tabs.warnOnClose", false],
  ["browser.warnOnQuit", false],
  ["datareporting.healthreport.uploadEnabled", false],
  ["datareporting.policy.dataSubmissionEnabled", false],
  ["toolkit.telemetry.reportingpolicy.firstRun", false],
  ["toolkit.telemetry.server", ""],
];

export interface FirefoxPreferenceOptions {
  readonly port: number;
  /**
   * Whether notifications go through the system's service. Where there is none, `showNotification()` would be
   * rejected; Firefox's own pop-ups always work.
   */
  readonly usesSystemNotifications: boolean;
}

/** The text of `user.js`. */
export function firefoxPreferences({ port, usesSystemNotifications }: FirefoxPreferenceOptions): string {
  const preferences: readonly Preference[] = [
    ...pushPreferences(port),
    ["alerts.useSystemBackend", usesSystemNotifications],
    ...quietPreferences,
  ];
  return preferences
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join("");
}

/** The command line, the page last. */
export function firefoxArguments(
  { headless, remoteDebugging = false }: Pick<LaunchOptions, "headless" | "remoteDebugging">,
  profileDir: string,
  url: string,
): readonly string[] {
  return [
    ...(headless ? ["--headless"] : []),
    // Else a Firefox that runs already would take the page.
    "--no-remote",
    "--profile",
    profileDir,
    ...(remoteDebugging ? ["--remote-debugging-port=0"] : []),
    url,
  ];
}
