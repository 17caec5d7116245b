/** A stock Chromium on the emulator, no driver attached. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ourPair } from "../commands/send/sending.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { isInstalled, nextNotification, openEmulated } from "./emulated.ts";
import { openPushSite } from "./push-site.ts";

const note = {
  title: "New reply",
  body: "Ada <b>answered</b> you",
  data: { id: 7 },
  actions: [{ action: "read", title: "Read it" }],
};

describe.skipIf(!isInstalled("chromium"))("Chromium", { timeout: 180_000 }, () => {
  test("subscribes at the emulator, shows what `webpush send` sends, and a click on it is a real one", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { open, send, happened, events } = await openEmulated();
    const browser = await open({ name: "chromium", url: `${site.origin}/` });
    expect(browser.seesNotifications).toBe(true);
    const { subscription } = await site.reported("subscribed");
    expect(subscription).toMatchObject({
      endpoint: expect.stringMatching(/^https:\/\/.+\/fcm\/send\//) as string,
    });

    expect(await send(subscription, note)).toMatchObject({ outcome: "accepted", status: 201 });
    const notification = await nextNotification(browser);
    expect(notification).toMatchObject({
      title: "New reply",
      body: "Ada <b>answered</b> you",
      origin: site.origin.replace("http://", ""),
      actions: [{ key: "0", label: "Read it" }],
      isReplacement: false,
    });
    await happened("acknowledged");
    expect(events.find(({ type }) => type === "acknowledged")).toMatchObject({ how: "received" });

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
    const { open, send } = await openEmulated();
    const browser = await open({ name: "chromium", url: `${site.origin}/` });
    const { subscription } = await site.reported("subscribed");
    await send(subscription, { title: "First", tag: "chat" });
    const first = await nextNotification(browser);
    await send(subscription, { title: "Second", tag: "chat" });
    const second = await nextNotification(browser);
    expect(second).toMatchObject({ id: first.id, title: "Second", isReplacement: true });
    expect(await first.ended).toBe("replaced");

    second.dismiss();
    expect(await site.reported("closed")).toMatchObject({ title: "Second" });
    expect(await second.ended).toBe("dismissed");

    await send(subscription, { title: "Third" });
    (await nextNotification(browser)).click();
    expect(await site.reported("clicked")).toMatchObject({ title: "Third", action: "", failure: null });
    expect(await site.reported("opened")).toMatchObject({ path: "/opened/?action=" });
  });

  test("shows, when it is opened again, what was sent while it was closed", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { open, send } = await openEmulated();
    const profileDir = join(tempFolder(), "profile");
    const first = await open({ name: "chromium", url: `${site.origin}/`, profileDir });
    const { subscription } = await site.reported("subscribed");
    await first.close();

    await send(subscription, { title: "While you were away" });
    const second = await open({ name: "chromium", url: "about:blank", profileDir });
    expect(await nextNotification(second)).toMatchObject({ title: "While you were away" });
  });
});
