/**
 * The scaffold proven end to end: `webpush scaffold`, `serve --emulator` and `send`, each in its own process, and a
 * stock browser whose page is used with the mouse. No internet, no stand-in but that for the desktop.
 */
import { describe, expect, test } from "vitest";
import { browserNames } from "../../src/browsers/browser.ts";
import { isInstalled, nextNotification } from "../browsers/emulated.ts";
import { sendJson, storedIn } from "../commands/send/sending.ts";
import { runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { isIn, openPage, openSite, openSiteIn, titleShownBy, turnOn } from "./served-page.ts";

describe.each(browserNames)("the scaffolded page in %s", { timeout: 240_000 }, (name) => {
  test.skipIf(!isInstalled(name))(
    "subscribes at a click, shows what is sent, leads where it should; unsubscribed, it is gone and pruned",
    async () => {
      const site = await openSite();
      const { cwd, serve } = site;
      const { browser, visitor } = await openPage(name, site);
      await turnOn(visitor, serve);
      expect((await storedIn(cwd)).size).toBe(1);

      const note = [
        "--title",
        "New reply",
        "--body",
        "Ada answered you",
        "--url",
        "/?reply=7",
        "--data",
        '{"id":"r7"}',
      ];
      const sent = await sendJson(note, { cwd });
      expect(sent.records).toMatchObject([{ outcome: "accepted", status: 201 }]);
      const notification = await nextNotification(browser);
      expect(notification).toMatchObject({ title: "New reply", body: "Ada answered you" });
      await serve.record({ type: "beacon", what: "shown", messageId: "r7" });

      notification.click();
      await serve.record({ type: "beacon", what: "clicked", messageId: "r7" });
      await visitor.until(`location.search === "?reply=7"`);

      // The page is still subscribed after the visit that the click was; then its browser alone forgets.
      await visitor.until(isIn("on"));
      await visitor.evaluate(
        `navigator.serviceWorker.getRegistration().then((r) => r.pushManager.getSubscription()).then((s) => s.unsubscribe())`,
      );
      await serve.record({ type: "unsubscribed" });
      const gone = await sendJson(["Are you there?"], { cwd });
      expect(gone).toMatchObject({ exitCode: 5, records: [{ outcome: "gone", status: 410 }] });
      expect([...(await storedIn(cwd)).values()]).toMatchObject([{ gone: expect.anything() as unknown }]);
      expect((await sendJson(["And now?"], { cwd })).exitCode).toBe(2);
      expect(visitor.log.filter((line) => line.startsWith("error"))).toEqual([]);
      expect((await serve.stop()).exitCode).toBe(0);
    },
  );

  test.skipIf(!isInstalled(name))(
    "turned off in the page, the server forgets it; with another key it subscribes again at the next visit",
    async () => {
      const site = await openSite();
      const { cwd, serve } = site;
      const { browser, visitor } = await openPage(name, site);
      await turnOn(visitor, serve);
      const [first] = (await storedIn(cwd)).values();

      expect((await runMain(["keys", "--force", "--yes"], { cwd })).exitCode).toBe(0);
      await visitor.goto(`${serve.origin}/`);
      await serve.record({ type: "stored", replaced: first?.id });
      await visitor.until(isIn("on"));
      expect((await storedIn(cwd)).size).toBe(1);
      expect((await sendJson(["With the new key"], { cwd })).records).toMatchObject([
        { outcome: "accepted" },
      ]);
      expect(await titleShownBy(browser)).toBe("With the new key");

      await visitor.click("#off");
      await visitor.until(isIn("off"));
      await serve.record({ type: "removed" });
      expect((await storedIn(cwd)).size).toBe(0);
    },
  );

  test.skipIf(!isInstalled(name))("a message sent while it is closed arrives when it opens", async () => {
    const site = await openSite();
    const { cwd, serve } = site;
    const profileDir = tempFolder();
    const first = await openPage(name, site, profileDir);
    await turnOn(first.visitor, serve);
    await first.visitor[Symbol.asyncDispose]();
    await first.browser.close();
    await serve.record({ type: "user-agent-disconnected" });

    expect((await sendJson(["While you were away"], { cwd })).records).toMatchObject([
      { outcome: "accepted" },
    ]);
    // Nobody looks into it this time: the message starts the worker while the browser comes up.
    const browser = await openSiteIn(name, site, profileDir);
    expect(await titleShownBy(browser)).toBe("While you were away");
  });
});
