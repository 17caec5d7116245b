/**
 * A stock Chromium with our stand-in for the desktop.
 *
 * Messages come in through the DevTools protocol here: what is tested is the launch, the permission, and that a
 * notification is shown and clicked as on a desktop.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { chromium } from "playwright-core";
import type { RunningBrowser } from "../../src/browsers/browser.ts";
import { ourPair } from "../commands/send/sending.ts";
import { isInstalled, nextNotification, openEmulated } from "./emulated.ts";
import { openPushSite } from "./push-site.ts";

describe.skipIf(!isInstalled("chromium"))("Chromium", { timeout: 120_000 }, () => {
  test("shows a notification where it can be seen, and a click on it is a real one", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { open } = await openEmulated();
    const browser = await open({ name: "chromium", url: `${site.origin}/`, remoteDebugging: true });
    await deliver(browser, site.origin, {
      title: "New reply",
      body: "Ada answered <b>you</b>",
      data: { id: 7 },
      actions: [{ action: "read", title: "Read it" }],
    });

    const notification = await nextNotification(browser);
    expect(notification).toMatchObject({
      title: "New reply",
      body: "Ada answered <b>you</b>",
      origin: site.origin.replace("http://", ""),
      isReplacement: false,
    });
    expect(notification.actions[0]).toEqual({ key: "0", label: "Read it" });

    notification.click("0");
    expect(await site.reported("clicked")).toMatchObject({ action: "read", data: { id: 7 }, failure: null });
    expect(await site.reported("opened")).toMatchObject({ path: "/opened/?action=read" });
    expect(await notification.ended).toBe("withdrawn");

    await browser.close();
    expect(await browser.exited).toMatchObject({ why: "closed" });
    expect(existsSync(browser.profileDir)).toBe(false);
  });

  test("tells the worker of a notification that was clicked as a whole, replaced or dismissed", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { open } = await openEmulated();
    const browser = await open({ name: "chromium", url: `${site.origin}/`, remoteDebugging: true });
    await deliver(browser, site.origin, { title: "First", tag: "chat" });
    const first = await nextNotification(browser);
    await deliver(browser, site.origin, { title: "Second", tag: "chat" });
    const second = await nextNotification(browser);
    expect(second).toMatchObject({ id: first.id, title: "Second", isReplacement: true });
    expect(await first.ended).toBe("replaced");

    second.dismiss();
    expect(await site.reported("closed")).toMatchObject({ title: "Second" });
    expect(await second.ended).toBe("dismissed");

    await deliver(browser, site.origin, { title: "Third" });
    (await nextNotification(browser)).click();
    expect(await site.reported("clicked")).toMatchObject({ title: "Third", action: "", failure: null });
    expect(await site.reported("opened")).toMatchObject({ path: "/opened/?action=" });
  });
});

/** Pushes to the worker of the page at `origin`, past any push service. */
async function deliver({ profileDir }: RunningBrowser, origin: string, data: unknown): Promise<void> {
  const [port = ""] = (await readFile(join(profileDir, "DevToolsActivePort"), "utf8")).split("\n");
  const driver = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  onTestFinished(() => driver.close());
  const page = driver.contexts()[0]?.pages()[0];
  if (page === undefined) throw new Error("no page is open");
  await page.waitForURL(`${origin}/`);
  await page.evaluate("navigator.serviceWorker.ready");
  const devtools = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      for (const { scopeURL, registrationId } of registrations)
        if (scopeURL === `${origin}/`) resolve(registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  await devtools.send("ServiceWorker.deliverPushMessage", {
    origin,
    registrationId,
    data: JSON.stringify(data),
  });
}
