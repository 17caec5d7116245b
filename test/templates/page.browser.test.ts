/**
 * The page in a real Chromium, served from the template's own folder.
 *
 * No push service is reachable from here, so subscribing ends in words, and pushes come in through the DevTools
 * protocol, which hands the worker a plain payload. Everything between, the browser does for real.
 */
import { describe, expect, test } from "vitest";
import { examplePublicKey } from "./client.ts";
import { executablePath, openPage } from "./visit.ts";

if (!executablePath && process.env["CI"] && process.platform === "linux")
  throw new Error("CI is set, but there is no chromium on PATH");

describe.skipIf(!executablePath)("the page in Chromium", { timeout: 60_000 }, () => {
  test("loads without an error or a breach of its content security policy, and asks for nothing", async () => {
    await using visit = await openPage();
    await visit.page.addInitScript(
      `window.asked = 0; Notification.requestPermission = async () => { asked += 1; }`,
    );
    await visit.load();

    expect(await visit.page.getByRole("heading", { level: 1 }).textContent()).toBe(
      "Hear from Harbour when it matters",
    );
    expect(await visit.page.getByRole("button", { name: "Turn on notifications" }).isVisible()).toBe(true);
    expect(await visit.page.evaluate("asked")).toBe(0);
    expect(visit.complaints).toEqual([]);
  });

  test("its service worker is registered for the folder and runs", async () => {
    await using visit = await openPage();
    await visit.load();
    const found = await visit.page.evaluate(
      `navigator.serviceWorker.ready.then(({ scope, active }) => ({ scope, script: active.scriptURL }))`,
    );
    expect(found).toEqual({ scope: `${visit.origin}/`, script: `${visit.origin}/sw.js` });
  });

  test("a press asks, and a push service that does not answer is said in plain words", async () => {
    await using visit = await openPage({ permission: "granted", subscribeTimeoutMs: 500 });
    await visit.load();
    await visit.press("Turn on notifications");

    const title = await visit.page.getByRole("heading", { level: 1 }).textContent();
    expect(["No answer from the push service", "Your browser cannot reach its push service"]).toContain(
      title,
    );
    expect(await visit.page.getByRole("button", { name: "Try again" }).isVisible()).toBe(true);
    expect(visit.complaints).toEqual([]);
  });

  test("a blocked page says how to unblock it", async () => {
    await using visit = await openPage({ permission: "denied" });
    await visit.load();
    expect(await visit.state()).toBe("denied");
    expect(
      await visit.page.getByRole("listitem").filter({ hasText: "Chrome, Edge, Brave" }).isVisible(),
    ).toBe(true);
  });

  test("a change in the browser's settings shows at once", async () => {
    await using visit = await openPage({ permission: "real" });
    await visit.load();
    await visit.setPermission("denied");
    await visit.page.locator("#main[data-state=denied]").waitFor();
    await visit.setPermission("granted");
    await visit.page.locator("#main[data-state=off]").waitFor();
  });

  test("without a server, the subscription is handed over with commands to copy", async () => {
    await using visit = await openPage({ permission: "granted", stubSubscribe: true });
    await visit.load();
    await visit.press("Turn on notifications");

    expect(await visit.state()).toBe("on");
    const json = await visit.page.getByLabel("The subscription, with the key").inputValue();
    expect(JSON.parse(json)).toEqual({
      endpoint: "https://push.example/o'neill",
      expirationTime: null,
      keys: { p256dh: "p", auth: "a" },
      applicationServerKey: examplePublicKey,
    });
    expect(await visit.page.getByLabel("from your terminal").inputValue()).toMatch(
      /^npx webpush subscriptions add '\{.*o'\\''neill.*\}'$/,
    );
    await visit.page.getByRole("button", { name: "Copy the command" }).click();
    await visit.page.getByRole("button", { name: /^Copied/ }).waitFor();
    expect(await visit.page.evaluate("navigator.clipboard.readText()")).toContain(
      "npx webpush subscriptions add",
    );
    expect(visit.complaints).toEqual([]);
  });

  test("plain file hosting, which answers 405, leads to the same panel", async () => {
    await using visit = await openPage({ permission: "granted", stubSubscribe: true, server: "/webpush" });
    await visit.load();
    await visit.press("Turn on notifications");
    expect(await visit.page.getByRole("heading", { name: "Hand this subscription" }).isVisible()).toBe(true);
    expect(await visit.page.getByText("only hands out files").isVisible()).toBe(true);
  });

  test("with a server: on, test, on again, off, by keyboard alone", async () => {
    await using visit = await openPage({
      permission: "granted",
      stubSubscribe: true,
      server: "/webpush",
      answer: ({ path }) => ({
        status: path.endsWith("/key") ? 200 : 201,
        json: path.endsWith("/key") ? { publicKey: examplePublicKey } : {},
      }),
    });
    await visit.load();

    await visit.tabTo("Turn on notifications");
    await visit.enter();
    expect(await visit.state()).toBe("on");
    expect(await visit.page.getByRole("heading", { name: "Hand this subscription" }).isVisible()).toBe(false);

    await visit.tabTo("Send me a test");
    await visit.enter();
    await visit.page.getByRole("log").getByText("Test sent.").waitFor();

    await visit.tabTo("Turn on again");
    await visit.enter();
    await visit.page.getByRole("log").getByText("Turned on again.").waitFor();

    await visit.tabTo("Turn off");
    await visit.enter();
    expect(await visit.state()).toBe("off");
    // The pressed button has gone; the focus is on the new heading, not lost.
    expect(await visit.page.evaluate("document.activeElement.id")).toBe("title");

    expect(visit.requests().filter((line) => !line.startsWith("GET"))).toEqual([
      "POST /webpush/subscriptions",
      "POST /webpush/test",
      "POST /webpush/subscriptions",
      "DELETE /webpush/subscriptions",
    ]);
    expect(visit.complaints).toEqual([]);
  });

  test("a push becomes a notification with its title, body and data, and the open page says so", async () => {
    await using visit = await openPage({ permission: "granted" });
    await visit.load();
    await visit.push({
      web_push: 8030,
      notification: {
        title: "New reply",
        body: "Ada answered you",
        navigate: "/threads/7",
        data: { id: "01J" },
      },
    });
    await visit.page.getByRole("log").getByText("Received: New reply. Ada answered you").waitFor();
    expect(await visit.notifications()).toEqual([
      { title: "New reply", body: "Ada answered you", tag: "01J", data: { id: "01J", url: "/threads/7" } },
    ]);
  });

  test.each([
    ["plain text", "Hello", "Hello"],
    ["nothing", "", "Open to see what is new."],
    ["options that would throw", `{"body":"x","silent":true,"vibrate":[1],"renotify":true,"dir":"up"}`, "x"],
  ])("a push of %s is shown as well", async (_name, payload, body) => {
    await using visit = await openPage({ permission: "granted" });
    await visit.load();
    await visit.push(payload);
    await visit.page.getByRole("log").getByText("Received: New message.").waitFor();
    expect(await visit.notifications()).toMatchObject([{ title: "New message", body }]);
  });

  test("a push delivered twice is shown once", async () => {
    await using visit = await openPage({ permission: "granted" });
    await visit.load();
    for (const title of ["First", "Again"]) {
      await visit.push({ title, data: { id: "m1" } });
      await visit.page.getByRole("log").getByText(`Received: ${title}`).waitFor();
    }
    expect(await visit.notifications()).toMatchObject([{ title: "Again" }]);
  });

  test("nothing is wider than a window of 320 pixels", async () => {
    await using visit = await openPage({ permission: "granted", stubSubscribe: true });
    await visit.page.setViewportSize({ width: 320, height: 640 });
    await visit.load();
    await visit.press("Turn on notifications");
    expect(await visit.page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
  });
});
