import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../src/store/postgres/database.ts";
import { schemaStatus } from "../../../src/store/postgres/migrate.ts";
import { withoutPassword } from "../../../src/store/postgres/address.ts";
import { isQueueInstalled } from "../../../src/campaigns/queue.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runJson, runMain } from "../../support/run-cli.ts";
import { sampleJson } from "../../support/samples.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A project's folder with keys and the readers `names`, in its files. */
async function project(names: readonly string[]): Promise<string> {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  for (const name of names) {
    await runMain(
      ["subscriptions", "add", JSON.stringify(sampleJson(name)), "--name", name, "--tag", "news"],
      {
        cwd,
      },
    );
  }
  return cwd;
}

describe("webpush store without a database", () => {
  test("status tells of the project's files", async () => {
    const cwd = await project(["alice"]);
    const { exitCode, records } = await runJson(["store", "status"], { cwd });
    expect(exitCode).toBe(0);
    const bytes = ["config.json", "subscriptions.json"]
      .map((name) => statSync(join(cwd, ".webpush", name)).size)
      .reduce((sum, size) => sum + size);
    expect(records).toEqual([
      {
        store: ".webpush/subscriptions.json",
        kind: "file",
        tls: null,
        version: null,
        pending: [],
        subscriptions: 1,
        gone: 0,
        refused: 0,
        keys: 1,
        bytes,
      },
    ]);
  });

  test("migrate says how to name one", async () => {
    const { exitCode, stderr } = await runMain(["store", "migrate"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--store postgres://");
  });

  test.each([
    [["copy", "here", "local"], "store-place"],
    [["copy", "local", "local"], "store-place"],
    [["copy", "local", "postgres://h/d?sslmode=maybe"], "store-address"],
  ])("%j is refused", async (argv, code) => {
    const { exitCode, records } = await runJson(["store", ...argv]);
    expect(exitCode).toBe(2);
    expect(records).toMatchObject([{ error: { code } }]);
  });

  test("one that is not there is said to be away", async () => {
    const { exitCode, stderr } = await runMain(["store", "status"], {
      env: { WEBPUSH_STORE: "postgres://me:secret@127.0.0.1:1/push" },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot reach the database at postgres://me@127.0.0.1:1/push");
    expect(stderr).not.toContain("secret");
  });
});

describe.skipIf(!hasPostgres)("webpush store migrate", () => {
  test("makes what is missing, once, and status tells", async () => {
    const { url } = await openTestDatabase({ migrated: false });
    const env = { WEBPUSH_STORE: url };
    const before = await runMain(["store", "status"], { env });
    expect(before.exitCode).toBe(1);
    expect(before.stdout).toContain("still to come: keys, subscriptions and results; campaigns; queue");
    const shown = withoutPassword(url);
    const first = await runJson(["store", "migrate"], { env });
    expect(first.records).toEqual([
      {
        store: shown,
        version: 2,
        steps: ["keys, subscriptions and results", "campaigns", "queue"],
        sql: null,
      },
    ]);
    const second = await runMain(["store", "migrate"], { env });
    expect(second.stderr).toBe(`${shown} is up to date, version 2\n`);
    const after = await runMain(["store"], { env });
    expect(after.exitCode).toBe(0);
    expect(linesOf(after.stdout).slice(0, 5)).toEqual([
      `store          ${shown}`,
      "connection     without TLS",
      "schema         version 2, up to date",
      "subscriptions  0",
      "key pairs      0",
    ]);
  });

  test("--dry-run prints what makes the same, and changes nothing", async () => {
    const { url, database } = await openTestDatabase({ migrated: false });
    const { stdout } = await runMain(["store", "migrate", "--dry-run"], { env: { WEBPUSH_STORE: url } });
    expect(await schemaStatus(database)).toMatchObject({ version: 0 });
    expect(await isQueueInstalled(database)).toBe(false);
    await database.script(stdout);
    expect(await schemaStatus(database)).toMatchObject({ pending: [] });
    expect(await isQueueInstalled(database)).toBe(true);
    const again = await runMain(["store", "migrate", "--dry-run"], { env: { WEBPUSH_STORE: url } });
    expect(again.stdout).toBe("");
  });

  test("a role without rights is told so", async () => {
    const { url, database } = await openTestDatabase({ migrated: false });
    const role = `reader_${new URL(url).pathname.slice(1)}`;
    await database.script(`create role ${role} login`);
    onTestFinished(async () => {
      await database.script(`drop owned by ${role}; drop role ${role}`);
    });
    const address = new URL(url);
    address.username = role;
    const { records } = await runJson(["store", "migrate"], { env: { WEBPUSH_STORE: address.href } });
    expect(records).toMatchObject([{ error: { code: "store-forbidden", exitCode: 1 } }]);
  });
});

describe.skipIf(!hasPostgres)("webpush store copy", () => {
  test("takes everything over, once, and back", async () => {
    const cwd = await project(["alice", "bob", "carol"]);
    const { url, database } = await openTestDatabase();
    const argv = ["store", "copy", "local", url, "--yes"];
    const counts = {
      from: ".webpush/subscriptions.json",
      to: withoutPassword(url),
      unnamed: 0,
      updated: 0,
      keys: 0,
    };
    expect((await runJson(argv, { cwd })).records).toEqual([{ ...counts, added: 3, unchanged: 0 }]);
    expect((await runJson(argv, { cwd })).records).toEqual([{ ...counts, added: 0, unchanged: 3 }]);
    expect(
      await database.query({ text: "select name, tags from webpush.subscriptions order by seq" }),
    ).toEqual(["alice", "bob", "carol"].map((name) => ({ name, tags: ["news"] })));
    const back = tempFolder();
    await runMain(["store", "copy", url, "local", "--yes"], { cwd: back });
    const file = (folder: string) => readFileSync(join(folder, ".webpush", "subscriptions.json"), "utf8");
    expect(JSON.parse(file(back))).toEqual(JSON.parse(file(cwd)));
  });

  test("from one database to another", async () => {
    const [one, two] = [await openTestDatabase(), await openTestDatabase()];
    await runMain(["store", "copy", "local", one.url, "--yes"], { cwd: await project(["alice", "bob"]) });
    const { records } = await runJson(["store", "copy", one.url, two.url, "--yes"]);
    expect(records).toMatchObject([{ added: 2 }]);
    const all = { text: "select s.* from webpush.subscriptions s order by seq" };
    expect(await two.database.query(all)).toEqual(await one.database.query(all));
  });

  test("leaves keys behind unless told, and says what they mean", async () => {
    const cwd = await project([]);
    const { url, database } = await openTestDatabase();
    const keys = {
      text: "select public_key, current_key = public_key as current, subject from webpush.key_pairs, webpush.project",
    };
    await runMain(["store", "copy", "local", url, "--yes"], { cwd });
    expect(await database.query(keys)).toEqual([]);
    const { stderr } = await runMain(["store", "copy", "local", url, "--yes", "--keys"], { cwd });
    expect(stderr).toContain("can send as you");
    expect(stderr).toContain("1 key pair added");
    expect(await database.query(keys)).toMatchObject([{ current: true, subject: "mailto:ops@harbour.shop" }]);
    const again = await runJson(["store", "copy", "local", url, "--yes", "--keys"], { cwd });
    expect(again.records).toMatchObject([{ keys: 0 }]);
  });

  test("asks first, and refuses where nobody answers", async () => {
    const { url } = await openTestDatabase();
    const { records, exitCode } = await runJson(["store", "copy", "local", url], { stdin: "" });
    expect(exitCode).toBe(2);
    expect(records).toMatchObject([{ error: { code: "unconfirmed" } }]);
  });

  test("wants the schema to be there", async () => {
    const { url } = await openTestDatabase({ migrated: false });
    const { records } = await runJson(["store", "copy", "local", url, "--yes"]);
    expect(records).toMatchObject([{ error: { code: "store-not-migrated" } }]);
  });

  test("a name that another has there is left out, and told", async () => {
    const { url } = await openTestDatabase();
    await runMain(["store", "copy", "local", url, "--yes"], { cwd: await project(["alice"]) });
    const cwd = tempFolder();
    await runMain(["subscriptions", "add", JSON.stringify(sampleJson("bob")), "--name", "alice"], { cwd });
    const { stderr } = await runMain(["store", "copy", "local", url, "--yes"], { cwd });
    expect(stderr).toContain("1 lost their name: another there has it");
    await using database = openDatabase(url);
    expect(await database.query({ text: "select name from webpush.subscriptions order by seq" })).toEqual([
      { name: "alice" },
      { name: null },
    ]);
  });
});
