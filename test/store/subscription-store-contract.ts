/**
 * What every SubscriptionStore promises, whatever it keeps its records in.
 *
 * A store's own test calls this with a way to open an empty one.
 */
import { describe, expect, test } from "vitest";
import { subscriptionId } from "../../src/protocol/subscription.ts";
import type {
  Addition,
  LastResult,
  RestoringStore,
  StreamFilter,
  SubscriptionRecord,
  SubscriptionStore,
} from "../../src/store/subscriptions.ts";
import { sampleEndpoint, samplePair, sampleSubscription } from "../support/samples.ts";

const [monday, tuesday, friday] = [
  Date.parse("2026-11-02T08:00:00.000Z"),
  Date.parse("2026-11-03T08:00:00.000Z"),
  Date.parse("2026-11-06T08:00:00.000Z"),
];

const [alice, bob, nobody] = [sampleEndpoint("alice"), sampleEndpoint("bob"), sampleEndpoint("nobody")];

function addition(who: string, labels: Partial<Addition> = {}): Addition {
  return { subscription: sampleSubscription(who), name: undefined, tags: [], ...labels };
}

function result(at: number, outcome = "accepted", cause = "ok"): LastResult {
  return { at, outcome, cause, status: outcome === "accepted" ? 201 : undefined };
}

/** Two ways to the same stored records, as two processes have them. */
export interface OpenedStores {
  readonly store: SubscriptionStore & RestoringStore;
  readonly other: SubscriptionStore;
}

/** Declares the tests; `open` answers an empty store, opened twice. */
export function describeSubscriptionStore(name: string, open: () => Promise<OpenedStores>): void {
  describe(`${name}: adding`, () => {
    test("stores a subscription with all it came with, and reads it back the same", async () => {
      const { store, other } = await open();
      const subscription = sampleSubscription("alice", {
        expirationTime: friday,
        applicationServerKey: samplePair("own").publicKey,
        contentEncoding: "aesgcm",
      });
      const [added] = await store.add([{ subscription, name: "phone", tags: ["news", "beta"] }], monday);
      expect(added?.outcome).toBe("added");
      expect(await other.list()).toEqual([
        {
          id: subscriptionId(subscription.endpoint),
          name: "phone",
          tags: ["news", "beta"],
          subscription,
          createdAt: monday,
          registeredAt: monday,
          lastResult: undefined,
          gone: undefined,
          wrongKey: undefined,
        },
      ]);
      const [read] = await other.list();
      expect(read?.subscription.auth.reveal()).toBe(subscription.auth.reveal());
    });

    test("keeps the order in which they were first stored", async () => {
      const { store } = await open();
      await store.add([addition("carol"), addition("alice")], monday);
      await store.add([addition("bob"), addition("carol", { name: "first" })], tuesday);
      const ids = ["carol", "alice", "bob"].map((who) => subscriptionId(sampleSubscription(who).endpoint));
      expect((await store.list()).map(({ id }) => id)).toEqual(ids);
    });

    test("of the same again changes nothing", async () => {
      const { store } = await open();
      await store.add([addition("alice", { name: "phone" })], monday);
      const [again] = await store.add([addition("alice")], tuesday);
      expect(again).toMatchObject({ outcome: "unchanged", record: { name: "phone", registeredAt: monday } });
    });

    test("of a known endpoint with new keys registers it anew, and keeps its name and tags", async () => {
      const { store } = await open();
      await store.add([addition("alice", { name: "phone", tags: ["news"] })], monday);
      const renewed = sampleSubscription("bob", { endpoint: sampleSubscription("alice").endpoint });
      const [added] = await store.add([{ subscription: renewed, name: undefined, tags: ["beta"] }], tuesday);
      expect(added).toMatchObject({
        outcome: "updated",
        record: { name: "phone", tags: ["news", "beta"], createdAt: monday, registeredAt: tuesday },
      });
      expect(await store.list()).toHaveLength(1);
    });

    test("of one that was gone brings it back", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      const gone = { at: tuesday, cause: "fcm.gone" };
      await store.note([
        {
          endpoint: alice,
          registeredAt: monday,
          result: result(tuesday, "gone", "fcm.gone"),
          gone,
          wrongKey: undefined,
        },
      ]);
      const [again] = await store.add([addition("alice")], friday);
      expect(again).toMatchObject({
        outcome: "updated",
        record: { gone: undefined, wrongKey: undefined, registeredAt: friday },
      });
    });

    test("of one that was called gone and not marked registers it anew", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      const about = {
        endpoint: alice,
        registeredAt: monday,
        gone: undefined,
        wrongKey: undefined,
      };
      await store.note([{ ...about, result: result(tuesday, "gone", "fcm.gone") }]);
      const again = [
        await store.add([addition("alice")], friday),
        await store.add([addition("alice")], friday),
      ];
      expect(again.flat().map(({ outcome }) => outcome)).toEqual(["updated", "unchanged"]);
      expect(await store.list()).toMatchObject([{ registeredAt: friday }]);
    });

    test("of a name that another has is refused, and stores none of the batch", async () => {
      const { store } = await open();
      await store.add([addition("alice", { name: "phone" })], monday);
      const batch = [addition("bob"), addition("carol", { name: "phone" })];
      await expect(store.add(batch, tuesday)).rejects.toMatchObject({ code: "name-taken" });
      expect(await store.list()).toHaveLength(1);
    });

    test("of the same endpoint twice in a batch merges both", async () => {
      const { store } = await open();
      const added = await store.add(
        [addition("alice", { tags: ["a"] }), addition("alice", { tags: ["b"] })],
        monday,
      );
      expect(added.map(({ outcome }) => outcome)).toEqual(["added", "updated"]);
      expect(await store.list()).toMatchObject([{ tags: ["a", "b"] }]);
    });

    test("answers in the order it was given", async () => {
      const { store } = await open();
      const added = await store.add(
        ["bob", "alice", "carol"].map((who) => addition(who, { name: who })),
        monday,
      );
      expect(added.map(({ record }) => record.name)).toEqual(["bob", "alice", "carol"]);
    });
  });

  describe(`${name}: removing`, () => {
    test("answers what was removed, and leaves the rest", async () => {
      const { store, other } = await open();
      const added = await store.add([addition("alice"), addition("bob")], monday);
      const [removed, kept] = added.map(({ record }) => record);
      expect(await store.remove([alice, nobody])).toEqual([removed]);
      expect(await other.list()).toEqual([kept]);
    });

    test("of nothing that is there answers nothing", async () => {
      const { store } = await open();
      expect(await store.remove([nobody])).toEqual([]);
    });
  });

  describe(`${name}: removing what is doomed`, () => {
    test("leaves those that it does not hold for at that moment", async () => {
      const { store, other } = await open();
      const added = await store.add([addition("alice"), addition("bob")], monday);
      const ids = added.map(({ record }) => record.id);
      const renewed = sampleSubscription("alice", { expirationTime: friday });
      await other.add([{ subscription: renewed, name: undefined, tags: [] }], tuesday);
      const removed = await store.remove([alice, bob], ({ registeredAt }) => registeredAt === monday);
      expect(removed.map(({ id }) => id)).toEqual(ids.slice(1));
      expect(await other.list()).toMatchObject([{ id: ids[0], registeredAt: tuesday }]);
    });

    test("takes none that was not named", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      expect(await store.remove([nobody], () => true)).toEqual([]);
      expect(await store.list()).toHaveLength(1);
    });
  });

  describe(`${name}: relabelling`, () => {
    test("changes name and tags of the chosen ones", async () => {
      const { store, other } = await open();
      const [added] = await store.add([addition("alice"), addition("bob")], monday);
      const changed = await store.relabel([alice], ({ tags }) => ({
        name: "phone",
        tags: [...tags, "news"],
      }));
      expect(changed).toMatchObject([{ id: added?.record.id, name: "phone", tags: ["news"] }]);
      expect(await other.list()).toMatchObject([
        { name: "phone", tags: ["news"] },
        { name: undefined, tags: [] },
      ]);
    });

    test("to a name that another has is refused", async () => {
      const { store } = await open();
      await store.add([addition("alice", { name: "phone" }), addition("bob")], monday);
      await expect(store.relabel([bob], ({ tags }) => ({ name: "phone", tags }))).rejects.toMatchObject({
        code: "name-taken",
      });
      expect((await store.list())[1]?.name).toBeUndefined();
    });
  });

  describe(`${name}: noting results`, () => {
    test("keeps the last one, and marks what is gone", async () => {
      const { store, other } = await open();
      await store.add([addition("alice"), addition("bob")], monday);
      const gone = { at: friday, cause: "fcm.gone" };
      await store.note([
        {
          endpoint: alice,
          registeredAt: monday,
          result: result(tuesday),
          gone: undefined,
          wrongKey: undefined,
        },
        {
          endpoint: bob,
          registeredAt: monday,
          result: result(friday, "gone", "fcm.gone"),
          gone,
          wrongKey: undefined,
        },
      ]);
      expect(await other.list()).toMatchObject([
        {
          lastResult: { at: tuesday, outcome: "accepted", cause: "ok", status: 201 },
          gone: undefined,
          wrongKey: undefined,
        },
        { lastResult: { at: friday, outcome: "gone", cause: "fcm.gone", status: undefined }, gone },
      ]);
    });

    test("of a message accepted takes the mark away again", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      const gone = { at: tuesday, cause: "fcm.gone" };
      await store.note([
        {
          endpoint: alice,
          registeredAt: monday,
          result: result(tuesday, "gone", "fcm.gone"),
          gone,
          wrongKey: undefined,
        },
      ]);
      await store.note([
        {
          endpoint: alice,
          registeredAt: monday,
          result: result(friday),
          gone: undefined,
          wrongKey: undefined,
        },
      ]);
      expect(await store.list()).toMatchObject([
        { lastResult: { outcome: "accepted" }, gone: undefined, wrongKey: undefined },
      ]);
    });

    test("keeps the mark of a refused key until a message is accepted or the page is back", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      const wrongKey = { at: tuesday, cause: "fcm.key-mismatch", publicKey: samplePair("own").publicKey };
      const refused = result(tuesday, "wrong-key", "fcm.key-mismatch");
      const about = { endpoint: alice, registeredAt: monday, gone: undefined };
      await store.note([{ ...about, result: refused, wrongKey }]);
      await store.note([{ ...about, result: result(friday, "throttled", "http.429"), wrongKey: undefined }]);
      expect(await store.list()).toMatchObject([{ wrongKey, lastResult: { outcome: "throttled" } }]);
      await store.note([{ ...about, result: result(friday), wrongKey: undefined }]);
      expect(await store.list()).toMatchObject([{ wrongKey: undefined }]);
      await store.note([{ ...about, result: refused, wrongKey }]);
      const renewed = sampleSubscription("alice", { applicationServerKey: samplePair("new").publicKey });
      await store.add([{ subscription: renewed, name: undefined, tags: [] }], friday);
      expect(await store.list()).toMatchObject([{ wrongKey: undefined, registeredAt: friday }]);
    });

    test("stores the key that one turned out to be made with, and keeps it when it is added without again", async () => {
      const { store, other } = await open();
      await store.add([addition("alice")], monday);
      const madeWith = samplePair("own").publicKey;
      const note = {
        endpoint: alice,
        registeredAt: monday,
        result: result(tuesday),
        gone: undefined,
        wrongKey: undefined,
      };
      await store.note([{ ...note, madeWith }]);
      expect((await other.list())[0]?.subscription.applicationServerKey).toBe(madeWith);
      const [again] = await store.add([addition("alice")], friday);
      expect(again).toMatchObject({ outcome: "unchanged", record: { registeredAt: monday } });
      expect(again?.record.subscription.applicationServerKey).toBe(madeWith);
    });

    test("does not overrule what a subscription says of its own key", async () => {
      const { store } = await open();
      const own = samplePair("own").publicKey;
      const subscription = sampleSubscription("alice", { applicationServerKey: own });
      await store.add([{ subscription, name: undefined, tags: [] }], monday);
      const about = {
        endpoint: alice,
        registeredAt: monday,
        gone: undefined,
        wrongKey: undefined,
      };
      await store.note([{ ...about, result: result(tuesday), madeWith: samplePair("other").publicKey }]);
      expect((await store.list())[0]?.subscription.applicationServerKey).toBe(own);
    });

    test("of a registration that was renewed since is ignored", async () => {
      const { store } = await open();
      await store.add([addition("alice")], monday);
      const renewed = sampleSubscription("bob", { endpoint: sampleSubscription("alice").endpoint });
      await store.add([{ subscription: renewed, name: undefined, tags: [] }], tuesday);
      const gone = { at: friday, cause: "fcm.gone" };
      await store.note([
        {
          endpoint: alice,
          registeredAt: monday,
          result: result(friday, "gone", "fcm.gone"),
          gone,
          wrongKey: undefined,
        },
      ]);
      expect(await store.list()).toMatchObject([
        { lastResult: undefined, gone: undefined, wrongKey: undefined },
      ]);
    });

    test("of one that was removed since is ignored", async () => {
      const { store } = await open();
      await store.note([
        {
          endpoint: nobody,
          registeredAt: monday,
          result: result(friday),
          gone: undefined,
          wrongKey: undefined,
        },
      ]);
      expect(await store.list()).toEqual([]);
    });
  });

  describe(`${name}: reading`, () => {
    async function openCrowd(): Promise<OpenedStores & { readonly ids: readonly string[] }> {
      const stores = await open();
      const added = await stores.store.add(
        [
          addition("carol", { tags: ["news"] }),
          addition("alice", { name: "phone", tags: ["news", "beta"] }),
          addition("bob"),
        ],
        monday,
      );
      const ids = added.map(({ record }) => record.id);
      const gone = { at: tuesday, cause: "fcm.gone" };
      const about = { endpoint: sampleEndpoint("carol"), registeredAt: monday, gone, wrongKey: undefined };
      await stores.store.note([{ ...about, result: result(tuesday, "gone", "fcm.gone") }]);
      return { ...stores, ids };
    }

    async function streamed(store: SubscriptionStore, filter?: StreamFilter): Promise<readonly string[]> {
      const ids: string[] = [];
      for await (const { id } of store.stream(filter)) ids.push(id);
      return ids;
    }

    test("streams the same as it lists, all or those of a group, living or not", async () => {
      const { other, ids } = await openCrowd();
      const [carol, alice, bob] = ids;
      expect(await streamed(other)).toEqual(ids);
      expect(await streamed(other, { living: true })).toEqual([alice, bob]);
      expect(await streamed(other, { tag: "news" })).toEqual([carol, alice]);
      expect(await streamed(other, { tag: "news", living: true })).toEqual([alice]);
      expect(await streamed(other, { tag: "nobody" })).toEqual([]);
    });

    test("counts", async () => {
      const { other } = await openCrowd();
      expect(await other.count()).toEqual({ total: 3, gone: 1 });
    });

    test("groups them by key, and those that name none by when they were registered", async () => {
      const { store, other } = await open();
      const [old, own] = [samplePair("old").publicKey, samplePair("own").publicKey];
      const madeWith = (who: string, applicationServerKey: string): Addition =>
        addition(who, { subscription: sampleSubscription(who, { applicationServerKey }) });
      await store.add([addition("alice"), madeWith("bob", own), madeWith("carol", old)], monday);
      await store.add([addition("dave"), madeWith("erin", own), madeWith("frank", own)], tuesday);
      await store.add([addition("grace")], friday);
      const about = { gone: undefined, wrongKey: undefined, result: result(friday, "wrong-key", "x") };
      await store.note([
        { ...about, endpoint: bob, registeredAt: monday, gone: { at: friday, cause: "x" } },
        {
          ...about,
          endpoint: sampleEndpoint("erin"),
          registeredAt: tuesday,
          wrongKey: { at: friday, cause: "x", publicKey: old },
        },
        { ...about, endpoint: alice, registeredAt: monday, result: result(friday) },
      ]);
      const one = { living: 1, gone: 0, refused: 0 };
      expect(await other.groupByKey([tuesday, friday + 1])).toEqual([
        { publicKey: undefined, registeredAt: monday, use: { ...one, lastSeenAt: friday } },
        {
          publicKey: own,
          registeredAt: monday,
          use: { living: 2, gone: 1, refused: 1, lastSeenAt: tuesday },
        },
        { publicKey: old, registeredAt: monday, use: { ...one, lastSeenAt: monday } },
        { publicKey: undefined, registeredAt: tuesday, use: { ...one, living: 2, lastSeenAt: friday } },
      ]);
      const silent = (await other.groupByKey([])).filter(({ publicKey }) => publicKey === undefined);
      expect(silent.map(({ use }) => use.living)).toEqual([3]);
    });

    test("finds one by name, id, or the beginning of an id", async () => {
      const { other, ids } = await openCrowd();
      const [, alice = "", bob = ""] = ids;
      for (const [text, id] of [
        ["phone", alice],
        [alice, alice],
        [bob.slice(0, 4), bob],
      ] as const)
        expect((await other.named(text)).map((record) => record.id)).toEqual([id]);
    });

    test("finds nobody by what is too short, unknown, or a pattern", async () => {
      const { other, ids } = await openCrowd();
      for (const text of [ids[1]?.slice(0, 3) ?? "", "nobody", "____", "%%%%", ""])
        expect(await other.named(text)).toEqual([]);
    });
  });

  describe(`${name}: of two whose endpoints have the same short id`, () => {
    // Found by trying a hundred million: the first 50 bits of their SHA-256 are the same.
    const [one, two] = ["4nn9qzzge8", "8r6595cdgm"];
    const id = "rf75q83btt";

    async function openTwins(): Promise<OpenedStores> {
      const stores = await open();
      const added = await stores.store.add([addition(one), addition(two, { name: "phone" })], monday);
      expect(added.map(({ record }) => record.id)).toEqual([id, id]);
      return stores;
    }

    test("only the one that is meant is removed, relabelled or noted", async () => {
      const { store, other } = await openTwins();
      await store.relabel([sampleEndpoint(one)], ({ tags }) => ({ name: "laptop", tags }));
      expect((await other.list()).map((record) => record.name)).toEqual(["laptop", "phone"]);
      const about = { registeredAt: monday, gone: undefined, wrongKey: undefined };
      await store.note([{ ...about, endpoint: sampleEndpoint(two), result: result(friday) }]);
      expect((await other.list()).map(({ lastResult }) => lastResult?.at)).toEqual([undefined, friday]);
      await store.remove([sampleEndpoint(two)]);
      expect((await other.list()).map((record) => record.name)).toEqual(["laptop"]);
    });

    test("the id means neither, and both are named; a name or an endpoint means one", async () => {
      const { other } = await openTwins();
      await expect(other.named(id)).rejects.toMatchObject({
        code: "subscription-ambiguous",
        message: `${id} stands for 2 subscriptions`,
        hints: ["they are push.example.net/…qzzge8, phone", expect.stringContaining("rename")],
      });
      await expect(other.named(id.slice(0, 5))).rejects.toMatchObject({
        code: "subscription-ambiguous",
        message: `${id.slice(0, 5)} stands for 2 subscriptions`,
      });
      expect(await other.named("phone")).toMatchObject([{ subscription: { endpoint: sampleEndpoint(two) } }]);
      expect(await other.named(sampleEndpoint(one))).toMatchObject([{ name: undefined }]);
    });
  });

  describe(`${name}: restoring whole records`, () => {
    /** A record as another store has it. */
    function record(who: string, over: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
      const subscription = sampleSubscription(who);
      return {
        id: subscriptionId(subscription.endpoint),
        name: undefined,
        tags: [],
        subscription,
        createdAt: monday,
        registeredAt: monday,
        lastResult: undefined,
        gone: undefined,
        wrongKey: undefined,
        ...over,
      };
    }

    test("keeps all that there is of them, and their order", async () => {
      const { store, other } = await open();
      const records = [
        record("carol", {
          name: "phone",
          tags: ["news"],
          registeredAt: tuesday,
          lastResult: result(friday, "gone", "fcm.gone"),
          gone: { at: friday, cause: "fcm.gone" },
        }),
        record("alice", {
          lastResult: result(friday, "wrong-key", "fcm.key-mismatch"),
          wrongKey: { at: friday, cause: "fcm.key-mismatch", publicKey: samplePair("own").publicKey },
        }),
        record("bob"),
      ];
      const counts = { added: 3, updated: 0, unchanged: 0, unnamed: 0 };
      expect(await store.restore(records)).toEqual(counts);
      expect(await other.list()).toEqual(records);
      expect(await store.restore(records)).toEqual({ ...counts, added: 0, unchanged: 3 });
    });

    test("of a known endpoint keeps the later registration, and of one registration the later result", async () => {
      const { store } = await open();
      const [old, young] = [
        record("alice", { tags: ["a"] }),
        record("alice", { tags: ["b"], registeredAt: friday }),
      ];
      await store.restore([old]);
      const counts = { added: 0, updated: 1, unchanged: 0, unnamed: 0 };
      expect(await store.restore([young])).toEqual(counts);
      expect(await store.restore([old])).toEqual({ ...counts, updated: 0, unchanged: 1 });
      expect(await store.list()).toEqual([{ ...young, tags: ["a", "b"] }]);
      const answered = { ...young, lastResult: result(friday) };
      expect(await store.restore([answered])).toEqual(counts);
      expect(await store.list()).toMatchObject([{ lastResult: result(friday) }]);
    });

    test("leaves out a name that another has", async () => {
      const { store } = await open();
      await store.restore([record("alice", { name: "phone" })]);
      expect(await store.restore([record("bob", { name: "phone" })])).toMatchObject({ added: 1, unnamed: 1 });
      expect((await store.list()).map((one) => one.name)).toEqual(["phone", undefined]);
    });
  });

  test(`${name}: changes made at once lose none`, async () => {
    const { store, other } = await open();
    const names = Array.from({ length: 10 }, (_, index) => `reader-${index}`);
    await Promise.all(
      names.map((who, index) =>
        (index % 2 === 0 ? store : other).add([addition(who, { name: who })], monday),
      ),
    );
    expect((await store.list()).map((record) => record.name).sort()).toEqual(names);
  });
}
