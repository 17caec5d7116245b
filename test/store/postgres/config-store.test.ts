import { describe, expect, onTestFinished, test } from "vitest";
import { withCurrentPair, withPairBeside, withoutPair } from "../../../src/store/config.ts";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { createPostgresConfigStore, type KeyStore } from "../../../src/store/postgres/config-store.ts";
import { openDatabase } from "../../../src/store/postgres/database.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { samplePair } from "../../support/samples.ts";

const [monday, friday] = [Date.parse("2026-11-02T08:00:00.000Z"), Date.parse("2026-11-06T08:00:00.123Z")];

type Keys = Awaited<ReturnType<KeyStore["read"]>>;
type Change = (keys: Keys) => Keys;

const none: Keys = { current: undefined, pairs: [], subject: undefined };

const withPair =
  (name: string, createdAt = monday): Change =>
  (keys) =>
    withCurrentPair(keys, { pair: samplePair(name), createdAt }, { replacing: false });
const withBeside =
  (name: string): Change =>
  (keys) =>
    withPairBeside(keys, { pair: samplePair(name), createdAt: friday });
const without =
  (name: string): Change =>
  (keys) =>
    withoutPair(keys, samplePair(name).publicKey);

/** A project's file, in memory. */
function fileWith(keys: Keys): KeyStore {
  let kept = keys;
  return {
    path: ".webpush/config.json",
    isFile: true,
    read: () => Promise.resolve(kept),
    update(change) {
      kept = change(kept);
      return Promise.resolve(kept);
    },
  };
}

describe.skipIf(!hasPostgres)("keys in PostgreSQL", () => {
  test("are read back as they were written, by anybody", async () => {
    const { database, url } = await openTestDatabase();
    const store = createPostgresConfigStore(database, fileWith(none));
    const { subject } = parseSubject("mailto:ops@example.net");
    await store.update((keys) => ({ ...withPair("first")(keys), subject }));
    const written = await store.update((keys) => withBeside("second")(keys));
    await using other = openDatabase(url);
    const read = await createPostgresConfigStore(other, fileWith(none)).read();
    expect(written).toMatchObject(read);
    expect(read).toMatchObject({ current: samplePair("first").publicKey, subject });
    expect(
      read.pairs.map(({ pair, createdAt, currentSince }) => [
        pair.privateKey.reveal(),
        createdAt,
        currentSince,
      ]),
    ).toEqual([
      [samplePair("first").privateKey.reveal(), monday, monday],
      [samplePair("second").privateKey.reveal(), friday, undefined],
    ]);
    expect(store).toMatchObject({ path: database.shown, isFile: false });
  });

  test("that are taken away are gone", async () => {
    const { database } = await openTestDatabase();
    const store = createPostgresConfigStore(database, fileWith(none));
    await store.update((keys) => withBeside("second")(withPair("first")(keys)));
    const left = await store.update(without("second"));
    expect(left.pairs).toHaveLength(1);
    expect(left).toMatchObject(await store.read());
  });

  test("changed by ten at once are all there", async () => {
    const { database, url } = await openTestDatabase();
    const second = openDatabase(url);
    onTestFinished(() => second[Symbol.asyncDispose]());
    const names = Array.from({ length: 10 }, (_, index) => `pair ${index}`);
    await Promise.all(
      names.map((name, index) =>
        createPostgresConfigStore(index % 2 === 0 ? database : second, fileWith(none)).update(withPair(name)),
      ),
    );
    const { pairs, current } = await createPostgresConfigStore(database, fileWith(none)).read();
    expect(pairs).toHaveLength(10);
    expect(pairs.map(({ pair }) => pair.publicKey)).toContain(current);
  });
});

describe.skipIf(!hasPostgres)("keys of the project's file", () => {
  const kept = withPair("file")(none);

  test("count while the database has none, and changes go there", async () => {
    const { database } = await openTestDatabase();
    const file = fileWith(kept);
    const store = createPostgresConfigStore(database, file);
    expect(await store.read()).toEqual(kept);
    expect(store).toMatchObject({ path: file.path, isFile: true });
    const changed = await store.update(withBeside("second"));
    expect(await file.read()).toEqual(changed);
    expect(await database.query({ text: "select from webpush.key_pairs" })).toEqual([]);
  });

  test("do not count when the database has some", async () => {
    const { database } = await openTestDatabase();
    await createPostgresConfigStore(database, fileWith(none)).update(withPair("database"));
    const { current, pairs } = await createPostgresConfigStore(database, fileWith(kept)).read();
    expect(current).toBe(samplePair("database").publicKey);
    expect(pairs).toHaveLength(1);
  });

  test("serve a database that is not migrated; new ones need it to be", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    expect(await createPostgresConfigStore(database, fileWith(kept)).read()).toEqual(kept);
    const empty = createPostgresConfigStore(database, fileWith(none));
    expect(await empty.read()).toEqual(none);
    await expect(empty.update(withPair("new"))).rejects.toMatchObject({ code: "store-not-migrated" });
  });

  test("serve a role that may not read those of the database", async () => {
    const { database, url } = await openTestDatabase();
    await createPostgresConfigStore(database, fileWith(none)).update(withPair("database"));
    const role = `worker_${new URL(url).pathname.slice(1)}`;
    await database.script(`create role ${role} login; grant usage on schema webpush to ${role};
grant select on webpush.subscriptions to ${role}`);
    onTestFinished(async () => {
      await database.script(`drop owned by ${role}; drop role ${role}`);
    });
    const address = new URL(url);
    address.username = role;
    const limited = openDatabase(address.href);
    onTestFinished(() => limited[Symbol.asyncDispose]());
    expect(await createPostgresConfigStore(limited, fileWith(kept)).read()).toEqual(kept);
    await expect(
      createPostgresConfigStore(limited, fileWith(none)).update(withPair("new")),
    ).rejects.toMatchObject({
      code: "store-forbidden",
    });
  });
});
