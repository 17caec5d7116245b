/**
 * What a browser does with a probe, measured: `subscriptions check --online` and then a message, at a page whose
 * service worker reports every push it is started for. Only the message may come there.
 */
import { describe, expect, test } from "vitest";
import { browserNames, type BrowserName } from "../../src/browsers/browser.ts";
import type { Acknowledgement, PushServiceEvent } from "../../src/emulator/events.ts";
import { isInstalled, openEmulated } from "../browsers/emulated.ts";
import { openPushSite } from "../browsers/push-site.ts";
import { openProject, ourPair, storedIn } from "../commands/send/sending.ts";
import { runJson, runMain } from "../support/run-cli.ts";

type Accepted = Extract<PushServiceEvent, { readonly type: "accepted" }>;

/** How each browser answers its push service for what it cannot decrypt. */
const answers: Readonly<Record<BrowserName, Acknowledgement>> = {
  chromium: "received",
  firefox: "undecryptable",
};

describe.each(browserNames)("a probe in %s", { timeout: 240_000 }, (name) => {
  test.skipIf(!isInstalled(name))(
    "is dropped before the worker is started; the next message is shown",
    async () => {
      await using site = await openPushSite(ourPair.publicKey);
      const { emulator, open, send, events } = await openEmulated();
      await open({ name, url: `${site.origin}/` });
      const { subscription } = await site.reported("subscribed");
      const given = subscription as { readonly endpoint: string };
      const endpoint = new URL(new URL(given.endpoint).pathname, emulator.origin).href;
      const json = JSON.stringify({ ...given, endpoint });
      const cwd = await openProject();
      await runMain(["subscriptions", "add", json, "--name", "desk"], { cwd });

      // Four in a row: nothing about the subscription may have changed after them.
      for (let count = 1; count <= 4; count += 1) {
        const probed = await runJson(["subscriptions", "check", "--online", "--yes"], { cwd });
        expect(probed).toMatchObject({ exitCode: 0, records: [{ name: "desk", probe: "accepted" }] });
      }
      expect(await send({ ...given, endpoint }, { title: "A real one" })).toMatchObject({ status: 201 });

      expect(await site.reported("shown")).toMatchObject({ notifications: [{ title: "A real one" }] });
      // The worker says of each push that it comes, before it looks what is in it: there was one.
      expect(site.waiting("pushed")).toEqual([{ what: "pushed", hasData: true }]);
      const accepted = events.filter((event): event is Accepted => event.type === "accepted");
      expect(accepted.map(({ ttlSeconds }) => ttlSeconds).slice(0, 4)).toEqual([0, 0, 0, 0]);
      const [, , , , message, ...others] = accepted;
      expect([message?.ttlSeconds, others]).toEqual([2_419_200, []]);
      const acknowledged = accepted
        .slice(0, 4)
        .map(({ messageId }) =>
          events.flatMap((event) =>
            event.type === "acknowledged" && event.messageId === messageId ? [event.how] : [],
          ),
        );
      expect(acknowledged).toEqual(Array.from({ length: 4 }, () => [answers[name]]));
      expect((await storedIn(cwd)).get("desk")).toMatchObject({ lastResult: undefined, gone: undefined });
    },
  );
});
