/** A stock Firefox on the emulator, no driver attached. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { hasLibnotify } from "../../src/browsers/libnotify.ts";
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

function isWritten(file: string, text: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8").includes(text);
}

describe.skipIf(!isInstalled("firefox"))("Firefox", { timeout: 180_000 }, () => {
  test("subscribes at the emulator and shows what `webpush send` sends", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { emulator, open, send, happened, events } = await openEmulated();
    const browser = await open({ name: "firefox", url: `${site.origin}/` });

    const { subscription } = await site.reported("subscribed");
    expect(subscription).toMatchObject({
      endpoint: expect.stringMatching(`^${emulator.origin}/wpush/v2/`) as string,
    });
    expect(await send(subscription, note)).toMatchObject({ outcome: "accepted", status: 201 });
    expect(await site.reported("shown")).toMatchObject({
      notifications: [{ title: "New reply", body: "Ada <b>answered</b> you", data: { id: 7 } }],
    });
    await happened("acknowledged");
    expect(events.find(({ type }) => type === "acknowledged")).toMatchObject({ how: "received" });

    await browser.close();
    expect(await browser.exited).toMatchObject({ why: "closed" });
    expect(existsSync(browser.profileDir)).toBe(false);
  });

  test.skipIf(!hasLibnotify(process.env) && !process.env["CI"])(
    "shows it where it can be seen, and a click on it is a real one",
    async () => {
      await using site = await openPushSite(ourPair.publicKey);
      const { open, send } = await openEmulated();
      const browser = await open({ name: "firefox", url: `${site.origin}/` });
      expect(browser.seesNotifications).toBe(true);
      const { subscription } = await site.reported("subscribed");
      await send(subscription, note);

      const notification = await nextNotification(browser);
      expect(notification).toMatchObject({ title: "New reply", body: "Ada <b>answered</b> you" });
      expect(notification.actions).toMatchObject([{ label: "Read it" }]);
      notification.click(notification.actions[0]?.key);
      expect(await site.reported("clicked")).toMatchObject({
        action: "read",
        data: { id: 7 },
        failure: null,
      });
      expect(await site.reported("opened")).toMatchObject({ path: "/opened/?action=read" });
      expect(await notification.ended).toBe("withdrawn");
    },
  );

  test("shows, when it is opened again, what was sent while it was closed", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { open, send } = await openEmulated();
    const profileDir = join(tempFolder(), "profile");
    const first = await open({ name: "firefox", url: `${site.origin}/`, profileDir });
    const { subscription } = await site.reported("subscribed");
    // Who it is to the push service, Firefox writes down a moment after it has subscribed.
    await vi.waitUntil(() => isWritten(join(profileDir, "prefs.js"), "dom.push.userAgentID"), {
      timeout: 60_000,
    });
    await first.close();

    await send(subscription, { title: "While you were away" });
    await open({ name: "firefox", url: "about:blank", profileDir });
    expect(await site.reported("shown")).toMatchObject({ notifications: [{ title: "While you were away" }] });
  });
});
