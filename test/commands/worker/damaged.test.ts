/** Rows that somebody else wrote or changed: a worker says what it cannot read, and goes on with the rest. */
import { describe, expect, test } from "vitest";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres } from "../../support/postgres.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { openStage, ours, startWorker, timesOf, type Stage } from "./workers.ts";

/** Another campaign to the same readers, whole. */
async function createWhole({ campaigns, campaign }: Stage): Promise<void> {
  await campaigns.create(campaign, { id: "whole", dueInMs: 0, leaseMs: 60_000 });
}

describe.skipIf(!hasPostgres)("a damaged campaign is paused and told of once, and the others go on:", () => {
  test.each([
    ["campaigns", "urgency = E'high\\r\\nx-injected: 1'", "urgency"],
    ["campaigns", "topic = E'a\\nb'", "topic"],
    ["campaigns", "encoding = 'gzip'", "its encoding is not known"],
    ["campaigns", "ttl_seconds = -1", "its TTL is -1"],
    ["campaigns", "rate = 0", "its rate is 0"],
    ["campaigns", "retries = -5", "its retries are -5"],
    ["campaigns", "public_key = '\\x00'", "public key"],
    ["campaigns", "counts = '[]'", "its counts are no numbers"],
    ["campaigns", 'counts = \'{"accepted:ok": "many"}\'', "its counts are no numbers"],
    ["campaigns", "selection = '{NULL}'", "its selection is no list of texts"],
    ["chunks", "counts = '{\"accepted:ok\": {}}'", "the counts of a chunk are no numbers"],
    ["chunks", "beyond = '{NULL}'", "how far a chunk came is no list of places"],
  ])("%s: %s", async (table, damage, reason) => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3 });
    await createWhole(stage);
    const column = table === "campaigns" ? "id" : "campaign";
    await stage.database.change({ text: `update webpush.${table} set ${damage} where ${column} = 'news'` });
    const { ended, events } = await startWorker(stage.url, { untilIdle: true });
    expect(await ended).toBe(0);
    expect(timesOf(service)).toEqual({ readers: 3, twice: 0 });
    const told = events().filter(({ type }) => type === "campaign.damaged");
    expect(told).toMatchObject([{ campaign: "news", reason: expect.stringContaining(reason) as string }]);
    expect(await stage.campaigns.find("whole")).toMatchObject({ state: "done" });
    expect(
      await stage.database.query({ text: "select state from webpush.campaigns where id = 'news'" }),
    ).toEqual([{ state: "paused" }]);
  });
});

describe.skipIf(!hasPostgres)("values that are odd, and can be worked with:", () => {
  test.each([
    "update webpush.campaigns set lease = interval '-1 hour' where id = 'news'",
    "update webpush.campaigns set lease = interval '10 years', ends_at = now() + interval '50 years' where id = 'news'",
    "update webpush.campaigns set ends_at = 'infinity', created_at = '-infinity' where id = 'news'",
    "update webpush.subscriptions set expiration_time = 'infinity', created_at = '-infinity', tags = '{{a,b},{NULL,d}}'",
    "update webpush.subscriptions set registered_at = '-infinity'",
    "update webpush.subscriptions set registered_at = '280000-01-01'",
    "insert into webpush.origins values ('nonsense', 'infinity', 'x', 'y'), ('file:///etc', 'infinity', 'x', null)",
    `insert into webpush_queue.job (name, data) values ('chunks', null), ('chunks', '"x"'),
      ('chunks', '{"campaign": "news", "chunk": "one"}'), ('chunks', '{"campaign": {}, "chunk": 1e99}')`,
  ])("%s", async (damage) => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3 });
    await stage.database.script(damage);
    const { ended, events } = await startWorker(stage.url, { untilIdle: true });
    expect(await ended).toBe(0);
    expect(events().filter(({ type }) => /lost|damaged/.test(type))).toEqual([]);
    expect(timesOf(service)).toEqual({ readers: 3, twice: 0 });
    expect(await stage.progress()).toMatchObject({ state: "done", counts: { "accepted:ok": 3 } });
  });
});

describe.skipIf(!hasPostgres)("strangers' text in the database drives no terminal:", () => {
  test.each([
    ["campaigns", "list"],
    ["campaigns", "show", "news"],
    ["store", "status"],
    ["subscriptions", "list"],
    ["subscriptions", "check"],
    ["send", "Hello", "--to", "all", "--dry-run"],
    ["doctor"],
  ])("%s %s", async (...argv) => {
    const escapes = "E'\\u001b]0;owned\\u0007\\u001b[2J\\u202e\\u009b31m'";
    await using service = await AcceptingPushService.start();
    const stage = await openStage({
      service,
      count: 2,
      plan: { message: messageOf("\u001b[2J\u202eread me") },
    });
    await stage.database
      .script(`update webpush.subscriptions set name = ${escapes} || seq, tags = array[${escapes}];
insert into webpush.results (seq, registered_at, at, outcome, cause, gone_at, gone_cause)
  values (1, now(), now(), ${escapes}, ${escapes}, null, null), (2, now(), now(), ${escapes}, ${escapes}, now(), ${escapes});
update webpush.campaigns set selection = array[${escapes}], counts = jsonb_build_object(${escapes}, 1);
update webpush.chunks set worker = ${escapes}, leased_until = now() + interval '1 hour';
insert into webpush.workers (name, version) values (${escapes}, ${escapes});
insert into webpush.origins values ('https://push.example.net', now() + interval '1 hour', ${escapes}, ${escapes}),
  (${escapes}, now() + interval '1 hour', ${escapes}, ${escapes});
insert into webpush.campaigns select (jsonb_populate_record(k, jsonb_build_object('id', ${escapes}))).* from webpush.campaigns k`);
    const env = {
      WEBPUSH_STORE: stage.url,
      VAPID_PUBLIC_KEY: ours.publicKey,
      VAPID_PRIVATE_KEY: ours.privateKey.reveal(),
      VAPID_SUBJECT: "mailto:ops@harbour.shop",
      NO_COLOR: "1",
    };
    for (const json of [[], ["--json"]]) {
      const { stdout, stderr, exitCode } = await runMain([...argv, ...json], { env, stdin: "" });
      expect(exitCode).not.toBe(70);
      for (const line of linesOf(stdout + stderr)) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(stdout + stderr).not.toBe("");
    }
  });
});

describe.skipIf(!hasPostgres)("what people and queries say to the database", () => {
  const drop = "'; drop table webpush.subscriptions; --";

  test("SQL in a name, a tag or a selection is text", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 2 });
    const run = (...argv: string[]) => runMain(argv, { env: { WEBPUSH_STORE: stage.url }, stdin: "" });
    await stage.database.change({
      text: "update webpush.subscriptions set name = $1, tags = array[$1] where seq = 1",
      values: [drop],
    });
    expect((await run("subscriptions", "list", "--json")).stdout).toContain(drop);
    for (const to of [drop, `tag:${drop}`, "%", "reader-_"])
      expect((await run("subscriptions", "show", to)).exitCode).toBe(to.endsWith(drop) ? 0 : 2);
    expect((await run("campaigns", "show", drop)).exitCode).toBe(2);
    const plan = { ...stage.campaign, selection: [drop, `tag:${drop}`] };
    await stage.campaigns.create(plan, { id: "odd", dueInMs: 0 });
    expect(await stage.campaigns.find("odd")).toMatchObject({ recipients: 1, selection: plan.selection });
    expect(
      await stage.database.query({ text: "select name from webpush.subscriptions order by seq" }),
    ).toEqual([{ name: drop }, { name: "reader-2" }]);
  });

  test.each([
    "delete from webpush.subscriptions returning endpoint, p256dh, auth",
    "with d as (delete from webpush.subscriptions returning *) select endpoint, p256dh, auth from d",
    "select endpoint, p256dh, auth from webpush.subscriptions; drop table webpush.subscriptions",
    "select endpoint, p256dh, auth from webpush.subscriptions) as x; commit; drop table webpush.subscriptions; --",
    "select endpoint, p256dh, auth, setval('webpush.subscriptions_seq_seq', 99) as id from webpush.subscriptions",
  ])("a query that would change something is refused by the database: %s", async (query) => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 2 });
    const env = { WEBPUSH_STORE: stage.url, WEBPUSH_QUERY: query };
    const { exitCode, stderr } = await runMain(["subscriptions", "list"], { env, stdin: "" });
    expect([1, 2]).toContain(exitCode);
    expect(stderr).toMatch(/^error: /);
    const left = { text: "select count(*)::int as count from webpush.subscriptions" };
    expect(await stage.database.query(left)).toEqual([{ count: 2 }]);
  });
});

function messageOf(title: string) {
  const payload = Buffer.from(JSON.stringify({ title }));
  return { payload, ttlSeconds: 86_400, urgency: undefined, topic: undefined };
}
