/** `webpush emulator --open`: flags, failures, and a whole run with each browser. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  browserEventJson,
  browserEventText,
  type BrowserEvent,
} from "../../../src/commands/browser/render.ts";
import { mayUsePush, parsePageUrl } from "../../../src/commands/browser/page-url.ts";
import { plainPaint } from "../../../src/terminal/paint.ts";
import { isInstalled } from "../../browsers/emulated.ts";
import { openPushSite } from "../../browsers/push-site.ts";
import { parseCommand } from "../../support/parse-command.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { openProject, ourPair, sendJson, startCli } from "../send/sending.ts";

const defaults = {
  port: 8030,
  host: "127.0.0.1",
  allowRemote: false,
  fault: [],
  headless: false,
  page: "about:blank",
};

test.each<[readonly string[], object]>([
  [[], defaults],
  [["--open", "firefox"], { ...defaults, open: "firefox" }],
  [
    ["--open", "chromium", "--headless", "localhost:3000"],
    { ...defaults, open: "chromium", headless: true, page: "http://localhost:3000/" },
  ],
  [
    ["https://a.example/x?y", "--open=firefox", "--executable", "/opt/firefox"],
    { ...defaults, open: "firefox", executable: "/opt/firefox", page: "https://a.example/x?y" },
  ],
])("emulator %j", async (argv, options) => {
  expect(await parseCommand(["emulator", ...argv])).toEqual(options);
});

describe("refused, each with what was meant:", () => {
  test.each<[readonly string[], readonly string[]]>([
    [
      ["--open", "chrome"],
      ['error: open cannot be "chrome"', "hint: use one of chromium, firefox"],
    ],
    [
      ["http://localhost:3000/"],
      ['error: nothing opens "http://localhost:3000/"', "hint: say which browser"],
    ],
    [["--open", "firefox", "ftp://a"], ['error: "ftp://a" is not the address of a page']],
    [["--open", "firefox", "--executable", "/missing"], ['error: no program is at "/missing"']],
  ])("%j", async (argv, said) => {
    const { exitCode, stdout, stderr } = await runMain(["emulator", "--port", "0", ...argv]);
    for (const part of said) expect(stderr).toContain(part);
    expect(stdout).toBe("");
    expect(exitCode).not.toBe(0);
  });

  test("a machine without that browser, before anything is started", async () => {
    const { exitCode, stderr } = await runMain(["emulator", "--port", "0", "--open", "firefox"]);
    expect(linesOf(stderr)).toEqual([
      "error: no Firefox is installed here",
      "hint: install it: apt-get install firefox-esr (Debian), dnf install firefox (Fedora)",
      "hint: if it is installed elsewhere, name its program with --executable PATH",
    ]);
    expect(exitCode).toBe(1);
  });

  test("no screen to open a window on", async () => {
    const argv = ["emulator", "--port", "0", "--open", "firefox", "--executable", process.execPath];
    const { exitCode, stderr } = await runMain(argv);
    expect(stderr).toContain(
      "error: Firefox has no screen to open a window on\nhint: run it without a window",
    );
    expect(exitCode).toBe(1);
  });

  test("a browser that ends at once, with its own words made harmless", async () => {
    const fake = join(tempFolder(), "browser");
    writeFileSync(fake, "#!/bin/sh\nprintf 'no \\033[2Jscreen\\n' >&2\nexit 3\n", { mode: 0o700 });
    const argv = ["emulator", "--port", "0", "--open", "firefox", "--headless", "--executable", fake];
    const { exitCode, stderr } = await runMain(argv, { env: { TMPDIR: tempFolder() } });
    expect(stderr).toContain("error: Firefox ended before it opened a page, with code 3\n");
    expect(stderr).toContain("hint: it said: no \\u{1b}[2Jscreen\n");
    expect(exitCode).toBe(1);
  });
});

test.each([
  ["localhost:3000", "http://localhost:3000/", true],
  ["127.0.0.1:8040/a?b", "http://127.0.0.1:8040/a?b", true],
  ["http://[::1]:1/", "http://[::1]:1/", true],
  ["http://app.localhost", "http://app.localhost/", true],
  ["https://a.example", "https://a.example/", true],
  ["a.example", "http://a.example/", false],
  ["http://192.168.1.5:8040", "http://192.168.1.5:8040/", false],
  ["about:blank", "about:blank", true],
])("the page %s is opened as %s; it may use push: %s", (text, url, may) => {
  expect(parsePageUrl(text)).toBe(url);
  expect(mayUsePush(url)).toBe(may);
});

describe("what a browser does", () => {
  const base = { at: Date.parse("2026-11-02T12:00:00.000Z"), browser: "firefox" } as const;
  const shown = {
    ...base,
    type: "notification",
    title: "Hi",
    body: "",
    origin: undefined,
    actions: [],
  } as const;
  const opened = {
    ...base,
    type: "browser-opened",
    url: "http://localhost/",
    executable: "/usr/bin/firefox",
  } as const;
  const ended = { ...base, type: "browser-ended", code: 0, lastWords: ["so long"] } as const;

  test.each<[BrowserEvent, string]>([
    [{ ...opened, seesNotifications: true }, "Firefox opened http://localhost/"],
    [
      { ...opened, seesNotifications: false },
      "Firefox opened http://localhost/; what it shows is not seen here",
    ],
    [shown, 'notification "Hi"'],
    [{ ...shown, body: "Ada", actions: ["Read", "Later"] }, 'notification "Hi" · Ada [Read] [Later]'],
    [{ ...shown, body: "two\nlines\u001b[2J" }, 'notification "Hi" · two\\u{a}lines\\u{1b}[2J'],
    [{ ...ended, why: "closed" }, "Firefox was closed"],
    [{ ...ended, why: "crashed", code: 11 }, "Firefox crashed with code 11: so long"],
    [{ ...ended, why: "crashed", code: null }, "Firefox crashed: so long"],
  ])("is a line: %#", (event, line) => {
    const text = browserEventText(event, { paint: { out: plainPaint, err: plainPaint } });
    expect(text).toBe(`12:00:00.000           ${line}`);
  });

  test("is a record of one shape", () => {
    const fields = ["type", "at", "browser", "url", "title", "body", "origin", "actions", "reason"];
    const events: readonly BrowserEvent[] = [
      { ...opened, seesNotifications: true },
      shown,
      { ...ended, why: "closed" },
    ];
    for (const event of events)
      expect(Object.keys(JSON.parse(browserEventJson(event)) as object)).toEqual(fields);
  });
});

for (const name of ["chromium", "firefox"] as const) {
  test.skipIf(!isInstalled(name))(
    `${name}: opens the page, logs the notification, and is gone when the emulator is`,
    { timeout: 180_000 },
    async () => {
      await using site = await openPushSite(ourPair.publicKey);
      const temporary = tempFolder();
      const argv = ["emulator", "--port", "0", "--json", "--open", name, "--headless", `${site.origin}/`];
      const { child, ended } = startCli(argv, { env: { HOME: tempFolder(), TMPDIR: temporary } });
      onTestFinished(async () => {
        child.kill("SIGINT");
        await ended;
      });
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const { subscription } = await site.reported("subscribed");
      const { url } = JSON.parse(linesOf(text)[0] ?? "{}") as { url: string };

      const { endpoint, ...rest } = subscription as { endpoint: string };
      const local = { ...rest, endpoint: new URL(new URL(endpoint).pathname, url).href };
      const send = ["--subscription", JSON.stringify(local), "--title", "New reply", "--body", "Ada"];
      const { records } = await sendJson(send, { cwd: await openProject() });
      expect(records).toMatchObject([{ outcome: "accepted" }]);
      await site.reported("shown");
      await expect.poll(() => text, { timeout: 30_000 }).toContain('"type":"notification"');

      child.kill("SIGINT");
      expect(await ended).toMatchObject({ exitCode: 0 });
      const said = linesOf(text).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      expect(said.find(({ type }) => type === "browser-opened")).toMatchObject({ browser: name });
      expect(said.find(({ type }) => type === "notification")).toMatchObject({
        browser: name,
        title: "New reply",
        body: "Ada",
      });
      expect(readdirSync(temporary).filter((left) => left.startsWith("webpush-"))).toEqual([]);
    },
  );
}
