/** A stock Firefox on the emulator, no driver attached. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openProject, ourPair, sendJson } from "../commands/send/sending.ts";
import { isInstalled, openEmulated } from "./emulated.ts";
import { openPushSite } from "./push-site.ts";

describe.skipIf(!isInstalled("firefox"))("Firefox", { timeout: 180_000 }, () => {
  test("subscribes at the emulator, and shows what `webpush send` sends", async () => {
    await using site = await openPushSite(ourPair.publicKey);
    const { emulator, open, happened, events } = await openEmulated();
    const browser = await open({ name: "firefox", url: `${site.origin}/` });

    const { subscription } = await site.reported("subscribed");
    expect(subscription).toMatchObject({
      endpoint: expect.stringMatching(`^${emulator.origin}/wpush/v2/`) as string,
    });

    const note = JSON.stringify({ title: "New reply", body: "Ada answered you", data: { id: 7 } });
    const argv = ["--subscription", JSON.stringify(subscription), "--payload", note];
    const { records } = await sendJson(argv, { cwd: await openProject() });
    expect(records).toMatchObject([{ outcome: "accepted", status: 201 }]);
    expect(await site.reported("shown")).toMatchObject({
      notifications: [{ title: "New reply", body: "Ada answered you", data: { id: 7 } }],
    });
    await happened("acknowledged");
    expect(events.find(({ type }) => type === "acknowledged")).toMatchObject({ how: "received" });

    await browser.close();
    expect(await browser.exited).toMatchObject({ why: "closed" });
    expect(existsSync(browser.profileDir)).toBe(false);
  });
});
