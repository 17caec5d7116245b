/** The page's subscriptions in a database, of which no more is read than they are about. */
import { describe, expect, test } from "vitest";
import type { LocalPushService } from "../../src/server/local-push-service.ts";
import { createPostgresSubscriptionStore } from "../../src/store/postgres/subscription-store.ts";
import type { SubscriptionStore } from "../../src/store/subscriptions.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";
import { sampleEndpoint } from "../support/samples.ts";
import { ask, openTestServer, pageBody } from "./harness.ts";

const subscriptions = "/webpush/subscriptions";

/** A store that answers as it does, and counts the readings of all it has. */
async function openStore() {
  const { database } = await openTestDatabase();
  const store = createPostgresSubscriptionStore(database);
  const readings: string[] = [];
  const watched: SubscriptionStore = {
    ...store,
    list() {
      readings.push("list");
      return store.list();
    },
    stream(filter) {
      readings.push("stream");
      return store.stream(filter);
    },
  };
  return { store, watched, readings };
}

describe.skipIf(!hasPostgres)("in a database", () => {
  test("one is stored, replaced and taken back without reading the others", async () => {
    const { store, watched, readings } = await openStore();
    const server = await openTestServer({ store: watched });
    await ask(server, "POST", subscriptions, { body: pageBody("other") });
    await ask(server, "POST", subscriptions, { body: pageBody("old") });
    await store.relabel([sampleEndpoint("old")], () => ({ name: "me", tags: ["news"] }));
    const oldEndpoint = sampleEndpoint("old");
    await ask(server, "POST", subscriptions, { body: pageBody("new", { oldEndpoint }) });
    expect((await store.list()).map(({ name, subscription }) => [name, subscription.endpoint])).toEqual([
      [undefined, sampleEndpoint("other")],
      ["me", sampleEndpoint("new")],
    ]);
    const taken = { body: { endpoint: sampleEndpoint("new") } };
    expect((await ask(server, "DELETE", subscriptions, taken)).status).toBe(200);
    expect((await store.list()).map(({ subscription }) => subscription.endpoint)).toEqual([
      sampleEndpoint("other"),
    ]);
    expect(readings).toEqual([]);
  });

  test("one of an emulator takes the place of itself at another port", async () => {
    const { store, watched } = await openStore();
    const token = "x".repeat(22);
    const services = [8030, 8031].map((port): LocalPushService => {
      return { origin: `http://127.0.0.1:${port}`, knows: (one) => one === token };
    });
    const endpoint = `https://jmt17.google.com/fcm/send/${token}`;
    for (const localPushService of services) {
      const server = await openTestServer({ store: watched, localPushService });
      expect((await ask(server, "POST", subscriptions, { body: pageBody("me", { endpoint }) })).status).toBe(
        201,
      );
    }
    expect((await store.list()).map(({ subscription }) => subscription.endpoint)).toEqual([
      `http://127.0.0.1:8031/fcm/send/${token}`,
    ]);
  });
});
