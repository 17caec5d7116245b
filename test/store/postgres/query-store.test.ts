import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { createQueryStore } from "../../../src/store/postgres/query-store.ts";
import type { Database, Statement } from "../../../src/store/postgres/database.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { sampleEndpoint, sampleJson, sampleSubscription } from "../../support/samples.ts";

const monday = "2026-11-02T08:00:00.000Z";
const tuesday = Date.parse("2026-11-03T08:00:00.000Z");

/** A database with the application's own table of the readers `names`. */
async function openApplication(names: readonly string[], { migrated = true } = {}) {
  const { database } = await openTestDatabase({ migrated });
  await database.change({
    text: `create table readers (
      user_id integer generated always as identity, endpoint text, p256dh text, auth text,
      groups text, joined timestamp default '2026-11-02 08:00')`,
  });
  for (const name of names) {
    const { endpoint, keys } = sampleJson(name);
    await database.change({
      text: "insert into readers (endpoint, p256dh, auth, groups) values ($1, $2, $3, 'news, beta')",
      values: [endpoint, keys.p256dh, keys.auth],
    });
  }
  return database;
}

const usual =
  "select user_id as id, endpoint, p256dh, auth, groups as tags, joined as created_at from readers order by user_id";

function endpointsIn(records: readonly { readonly subscription: { readonly endpoint: string } }[]) {
  return records.map(({ subscription }) => subscription.endpoint);
}

describe.skipIf(!hasPostgres)("subscriptions of a query", () => {
  test("are records with the names, groups and times of the table", async () => {
    const store = createQueryStore(await openApplication(["alice", "bob"]), usual);
    expect(await store.list()).toMatchObject([
      {
        name: "1",
        tags: ["news", "beta"],
        createdAt: Date.parse(monday),
        registeredAt: Date.parse(monday),
        gone: undefined,
      },
      { name: "2" },
    ]);
    expect((await store.list())[0]?.subscription).toEqual(sampleSubscription("alice"));
    expect(await store.count()).toEqual({ total: 2, gone: 0 });
    expect(endpointsIn(await store.named("2"))).toEqual([sampleJson("bob").endpoint]);
    const [alice] = await store.named("1");
    expect(await store.named(alice?.id.slice(0, 5) ?? "")).toEqual([alice]);
    expect(await store.named("nobody")).toEqual([]);
  });

  test.each(["7", "https://push.example.net/7"])(
    "only the row of %s is read when that is asked for",
    async (text) => {
      const { database } = await openTestDatabase({ migrated: false });
      const { keys } = sampleJson("alice");
      const query = `select n as id, 'https://push.example.net/' || n as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth
      from generate_series(1, 50) as n`;
      let rows = 0;
      const counting: Database = {
        ...database,
        async *batches<Row>(statement: Statement, size: number) {
          for await (const batch of database.batches<Row>(statement, size)) {
            rows += batch.length;
            yield batch;
          }
        },
      };
      expect(endpointsIn(await createQueryStore(counting, query).named(text))).toEqual([
        "https://push.example.net/7",
      ]);
      expect(rows).toBe(1);
    },
  );

  test("more than a batch come in the query's order", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    const { keys } = sampleJson("alice");
    const query = `select 'https://push.example.net/' || n as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth
      from generate_series(1, 2500) as n`;
    const records = await createQueryStore(database, query).list();
    expect(records).toHaveLength(2500);
    expect(records.at(-1)?.subscription.endpoint).toBe("https://push.example.net/2500");
  });

  describe("are read from any columns that people have", () => {
    const { endpoint, keys } = sampleJson("alice");
    const hex = (text: string): string => `'\\x${Buffer.from(text, "base64url").toString("hex")}'::bytea`;
    test.each([
      [
        "camelCase names",
        `select '${endpoint}' as "endpointUrl", '${keys.p256dh}' as "p256dhKey", '${keys.auth}' as "authKey"`,
      ],
      ["bytes", `select '${endpoint}' as endpoint, ${hex(keys.p256dh)} as p256dh, ${hex(keys.auth)} as auth`],
      [
        "padded base64",
        `select '${endpoint}' as endpoint, '${Buffer.from(keys.p256dh, "base64url").toString("base64")}' as p256dh, '${keys.auth}==' as auth`,
      ],
      [
        "base64 in lines",
        `select '${endpoint}' as endpoint, encode(${hex(keys.p256dh)}, 'base64') as p256dh, encode(${hex(keys.auth)}, 'base64') as auth`,
      ],
      ["json", `select 7 as id, '${JSON.stringify(sampleJson("alice"))}'::json as subscription`],
      ["jsonb", `select '${JSON.stringify(sampleJson("alice"))}'::jsonb as push_subscription`],
      ["the text of JSON", `select '${JSON.stringify(sampleJson("alice"))}' as subscription`],
      ["keys as JSON", `select '${endpoint}' as endpoint, '${JSON.stringify(keys)}'::jsonb as keys`],
      [
        "two of one name",
        `select '${endpoint}' as endpoint, 'x' as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth`,
      ],
      [
        "a semicolon behind",
        `select '${endpoint}' as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth ; `,
      ],
      [
        "a comment behind",
        `select '${endpoint}' as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth -- all`,
      ],
      [
        "with in front",
        `with r as (select '${endpoint}' as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth) select * from r`,
      ],
      [
        "values",
        `select * from (values ('${endpoint}', '${keys.p256dh}', '${keys.auth}')) as v (endpoint, p256dh, auth)`,
      ],
    ])("%s", async (_what, query) => {
      const { database } = await openTestDatabase({ migrated: false });
      expect(
        (await createQueryStore(database, query).list()).map(({ subscription }) => subscription),
      ).toEqual([sampleSubscription("alice")]);
    });
  });

  test("lists, odd times and odd ends are understood", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    const { endpoint, keys } = sampleJson("alice");
    const query = `select '${endpoint}' as endpoint, '${keys.p256dh}' as p256dh, '${keys.auth}' as auth,
      array['a', 'b', 'a']::varchar[] as tags, 'infinity'::timestamptz as expiration_time,
      1793952000 as created_at, '2026-11-07T08:00:00+01:00' as "registeredAt"`;
    expect(await createQueryStore(database, query).list()).toMatchObject([
      {
        tags: ["a", "b"],
        subscription: { expirationTime: null },
        createdAt: 1_793_952_000_000,
        registeredAt: Date.parse("2026-11-07T07:00:00Z"),
      },
    ]);
  });

  test("rows that are none are left out and counted once", async () => {
    const database = await openApplication(["alice", "bob"]);
    await database.change({ text: "update readers set auth = 'abc' where user_id = 1" });
    const store = createQueryStore(database, usual);
    expect(endpointsIn(await store.list())).toEqual([sampleJson("bob").endpoint]);
    await store.list();
    expect(store.damaged()).toEqual({ count: 1, first: "row 1: auth is 2 bytes, expected 16" });
  });

  test("a query without what is needed is refused with what it has", async () => {
    const database = await openApplication([]);
    await expect(
      createQueryStore(database, "select user_id, endpoint from readers").list(),
    ).rejects.toMatchObject({
      code: "query-columns",
      message: "the query has no column p256dh, auth; it has user_id, endpoint",
    });
  });

  test.each([
    ["selct 1", 'syntax error at or near "1" (at character 7)'],
    ["select * from nowhere", 'relation "nowhere" does not exist (at character 15)'],
    [
      "select endpoint, p256dh, auth, nothing from readers",
      'column "nothing" does not exist (at character 32)',
    ],
    ["select endpoint, p256dh, auth, 1 / (user_id - 1) as id from readers", "division by zero"],
    ["", "it is empty"],
    [";", "it is empty"],
  ])("%s: the database's words and place are told", async (query, words) => {
    const database = await openApplication(["alice"]);
    await expect(createQueryStore(database, query).list()).rejects.toMatchObject({
      code: "query-malformed",
      message: `the database does not take the query: ${words}`,
    });
  });
});

describe.skipIf(!hasPostgres)("a query cannot write", () => {
  const columns = "endpoint, p256dh, auth";
  const attempts = [
    "update readers set endpoint = '' returning *",
    "delete from readers returning *",
    `with gone as (delete from readers returning *) select ${columns} from gone`,
    `with more as (insert into readers (endpoint) values ('x') returning *) select ${columns} from more`,
    `select ${columns} into copied from readers`,
    `create table copied as select ${columns} from readers`,
    `select ${columns}, nextval('counter') as id from readers`,
    `select ${columns}, setval('counter', 100) as id from readers`,
    `select ${columns}, sneak() as id from readers`,
    `select ${columns}, sneaky_constant() as id from readers`,
    `select ${columns}, loosen() as id from readers`,
    `select ${columns} from readers; drop table readers`,
    `select ${columns} from readers) as q; drop table readers; --`,
    `select ${columns} from readers) as webpush limit 0; commit; drop table readers; --`,
    "commit; drop table readers",
    "commit",
    `select ${columns}, set_config('transaction_read_only', 'off', true) as id, sneak() as name from readers`,
    `select ${columns} from readers where set_config('transaction_read_only', 'off', false) = 'off' and sneak() > 0`,
    `select ${columns} from readers /* ; */ ; /* */ drop table readers`,
    `select ${columns} from readers --\n) as q; drop table readers --`,
    `select ${columns} from readers for update`,
    "copy readers to '/tmp/webpush-copied-readers'",
    "copy (select 1) to program 'true'",
    "do $$ begin delete from readers; end $$",
    "call nothing()",
    "lock table readers",
    "truncate readers",
    "explain analyze delete from readers",
    "prepare p as delete from readers",
  ];

  async function stateOf(database: Database) {
    const [state] = await database.query({
      text: `select (select count(*) from readers)::int as readers, (select md5(string_agg(r::text, ',')) from readers r) as rows,
  (select last_value from counter)::int as counted, to_regclass('copied') as copied`,
    });
    return state;
  }

  test.each(attempts)("%s", async (query) => {
    const database = await openApplication(["alice", "bob"]);
    await database.script(`create sequence counter;
create function sneak() returns integer language sql volatile as $$ insert into readers (endpoint) values ('x') returning 1 $$;
create function sneaky_constant() returns integer language plpgsql immutable as $$ begin insert into readers (endpoint) values ('x'); return 1; end $$;
create function loosen() returns integer language plpgsql volatile security definer as $$ begin set transaction read write; return sneak(); end $$;`);
    const before = await stateOf(database);
    await expect(createQueryStore(database, query).list()).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:query-malformed|store-read-only)$/) as string,
    });
    expect(await stateOf(database)).toEqual(before);
  });

  test("nor change a setting for whoever comes next", async () => {
    const database = await openApplication(["alice"]);
    const query = `select ${columns} from readers where set_config('search_path', 'nowhere', false) = 'nowhere'`;
    await createQueryStore(database, query).list();
    expect(await database.query({ text: "select current_setting('search_path') as path" })).toEqual([
      { path: '"$user", public' },
    ]);
  });

  test("nor is anything else of the store", async () => {
    const store = createQueryStore(await openApplication(["alice"]), usual);
    const alice = sampleEndpoint("alice");
    const changes = [store.add([], 0), store.remove([alice]), store.relabel([alice], (labels) => labels)];
    for (const change of changes)
      await expect(change).rejects.toMatchObject({ code: "store-read-only-query" });
  });
});

describe.skipIf(!hasPostgres)("results of messages to a foreign table", () => {
  async function noteGone(database: Database) {
    const store = createQueryStore(database, usual);
    const [alice] = await store.list();
    if (alice === undefined) throw new Error("nobody is there");
    const gone = { at: tuesday, cause: "fcm.gone" };
    await store.note([
      {
        endpoint: alice.subscription.endpoint,
        registeredAt: alice.registeredAt,
        result: { at: tuesday, outcome: "gone", cause: "fcm.gone", status: 410 },
        gone,
        wrongKey: undefined,
      },
    ]);
    return { store, gone };
  }

  test("are kept beside it, and read back", async () => {
    const { store, gone } = await noteGone(await openApplication(["alice", "bob"]));
    expect(await store.list()).toMatchObject([
      { gone, lastResult: { at: tuesday, outcome: "gone", status: 410 } },
      { gone: undefined, lastResult: undefined },
    ]);
    expect(await store.count()).toEqual({ total: 2, gone: 1 });
    const living: string[] = [];
    for await (const { name } of store.stream({ living: true, tag: "news" })) living.push(name ?? "");
    expect(living).toEqual(["2"]);
  });

  test("of an older registration do not count", async () => {
    const database = await openApplication(["alice"]);
    const { store } = await noteGone(database);
    await database.change({ text: "update readers set joined = '2026-11-04'" });
    expect(await store.list()).toMatchObject([{ gone: undefined, lastResult: undefined }]);
  });

  test("are kept nowhere without the schema webpush", async () => {
    const { store } = await noteGone(await openApplication(["alice"], { migrated: false }));
    expect(await store.list()).toMatchObject([{ gone: undefined, lastResult: undefined }]);
  });
});
