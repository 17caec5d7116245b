import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/store/postgres/database.ts";
import { migrate, migrationScript, schemaStatus } from "../../../src/store/postgres/migrate.ts";
import { migrations } from "../../../src/store/postgres/migrations.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";

test("versions count up from 1", () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
});

describe.skipIf(!hasPostgres)("migrating", () => {
  const newest = migrations.length;

  test("takes an empty database to the newest version, once", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    expect(await schemaStatus(database)).toMatchObject({ version: 0, newest, pending: migrations });
    expect(await migrate(database)).toEqual(migrations);
    expect(await schemaStatus(database)).toEqual({ version: newest, newest, pending: [] });
    expect(await migrate(database)).toEqual([]);
  });

  test("by two at a time happens once", async () => {
    const { database, url } = await openTestDatabase({ migrated: false });
    await using other = openDatabase(url);
    const applied = await Promise.all([migrate(database), migrate(other)]);
    expect(applied.map(({ length }) => length).sort()).toEqual([0, newest]);
  });

  test("is what the script does", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    for (const text of migrationScript(migrations).split(/;\n+/)) {
      if (text.trim() !== "" && text !== "begin" && text !== "commit") await database.change({ text });
    }
    expect(await schemaStatus(database)).toMatchObject({ version: newest, pending: [] });
  });

  test("leaves a database of a newer webpush alone", async () => {
    const { database } = await openTestDatabase();
    await database.change({
      text: "insert into webpush.migrations (version, name) values ($1, 'later')",
      values: [newest + 1],
    });
    await expect(migrate(database)).rejects.toMatchObject({ code: "store-version" });
  });
});
