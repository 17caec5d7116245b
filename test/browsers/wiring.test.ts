import { describe, expect, test } from "vitest";
import { chromiumArguments, chromiumPreferences } from "../../src/browsers/chromium.ts";
import { firefoxArguments, firefoxPreferences } from "../../src/browsers/firefox.ts";
import { networkProblem } from "../../src/browsers/network.ts";

const wiring = { port: 8030, spkiSha256: "c3BraQ==" };

describe("Chromium", () => {
  const base = { wiring, headless: false, isRoot: false };

  test("is pointed at the emulator for check-in, registration and messages, and trusts its one key", () => {
    expect(chromiumArguments(base, "/tmp/p", "http://127.0.0.1:1/")).toEqual(
      expect.arrayContaining([
        "--user-data-dir=/tmp/p",
        "--gcm-checkin-url=http://127.0.0.1:8030/chromium/checkin",
        "--gcm-registration-url=http://127.0.0.1:8030/chromium/register",
        "--gcm-mcs-endpoint=https://127.0.0.1:8030",
        "--ignore-certificate-errors-spki-list=c3BraQ==",
      ]),
    );
  });

  test("keeps its sandbox, but for root, and its window, unless told otherwise", () => {
    const flags = (over: object) => chromiumArguments({ ...base, ...over }, "/tmp/p", "about:blank");
    expect(flags({}).filter((flag) => /headless|sandbox|debugging/.test(flag))).toEqual([]);
    expect(flags({ isRoot: true })).toContain("--no-sandbox");
    expect(flags({ headless: true })).toContain("--headless=new");
    expect(flags({ remoteDebugging: true })).toContain("--remote-debugging-port=0");
    expect(flags({}).at(-1)).toBe("about:blank");
  });

  test("lets every site notify, and keeps what else an earlier run preferred", () => {
    const allowed = { default_content_setting_values: { notifications: 1 } };
    expect(JSON.parse(chromiumPreferences(undefined))).toEqual({ profile: allowed });
    expect(JSON.parse(chromiumPreferences("damaged {"))).toEqual({ profile: allowed });
    const earlier = {
      gcm: { id: 7 },
      profile: { name: "Ada", default_content_setting_values: { sound: 2 } },
    };
    expect(JSON.parse(chromiumPreferences(JSON.stringify(earlier)))).toEqual({
      gcm: { id: 7 },
      profile: { name: "Ada", default_content_setting_values: { sound: 2, notifications: 1 } },
    });
  });
});

describe("Firefox", () => {
  test("is pointed at the emulator and lets every site notify", () => {
    const lines = firefoxPreferences({ port: 8030, usesSystemNotifications: false }).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'user_pref("dom.push.serverURL", "ws://127.0.0.1:8030/");',
        'user_pref("dom.push.testing.allowInsecureServerURL", true);',
        'user_pref("dom.push.connection.enabled", true);',
        'user_pref("permissions.default.desktop-notification", 1);',
        'user_pref("alerts.useSystemBackend", false);',
      ]),
    );
    expect(lines.slice(0, -1).filter((line) => !/^user_pref\("[\w.-]+", .+\);$/.test(line))).toEqual([]);
  });

  test("opens its own profile, not that of a Firefox that runs already", () => {
    expect(firefoxArguments({ headless: true }, "/tmp/p", "about:blank")).toEqual([
      "--headless",
      "--no-remote",
      "--profile",
      "/tmp/p",
      "about:blank",
    ]);
    expect(firefoxArguments({ headless: false }, "/tmp/p", "about:blank")).not.toContain("--headless");
  });
});

describe("a network of loopback alone", () => {
  const lo = [{ internal: true }, { internal: true }];

  test("is a problem for Chromium", () => {
    expect(networkProblem("chromium", { lo })).toMatch(/only the loopback interface is up/);
    expect(networkProblem("chromium", {})).toMatch(/only the loopback interface is up/);
  });

  test("is none for Firefox, nor for Chromium when anything else is up", () => {
    expect(networkProblem("firefox", { lo })).toBeUndefined();
    expect(networkProblem("chromium", { lo, br0: [{ internal: false }] })).toBeUndefined();
  });
});
