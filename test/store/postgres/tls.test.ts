import { chownSync, copyFileSync, statSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/store/postgres/database.ts";
import { hasPostgres } from "../../support/postgres.ts";
import { createPostgres, type PostgresServer } from "../../support/postgres-server.mjs";

const certificate = fileURLToPath(new URL("../../support/tls/cert.pem", import.meta.url));

/** A server that takes TLS connections, with a certificate that it signed itself. */
async function startWithTls(): Promise<PostgresServer> {
  const server = await createPostgres({ settings: { ssl: "on" } });
  const { uid, gid } = statSync(server.folder);
  for (const [from, to] of [
    ["cert.pem", "server.crt"],
    ["key.pem", "server.key"],
  ] as const) {
    const path = join(server.folder, "data", to);
    copyFileSync(fileURLToPath(new URL(`../../support/tls/${from}`, import.meta.url)), path);
    chmodSync(path, 0o600);
    chownSync(path, uid, gid);
  }
  await server.start();
  return server;
}

describe.skipIf(!hasPostgres)("TLS to the database", () => {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startWithTls();
  });
  afterAll(() => server?.stop());

  async function connect(options: string): Promise<unknown> {
    await using database = openDatabase(`${server?.url() ?? ""}${options}`);
    return await database.query({
      text: "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()",
    });
  }

  test.each(["verify-full", "verify-ca", "require"])(
    "%s refuses a certificate that nobody vouches for",
    async (mode) => {
      await expect(connect(`?sslmode=${mode}`)).rejects.toMatchObject({ code: "store-tls" });
    },
  );

  test.each([
    ["its authority is named", `?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`],
    ["nobody asks", "?sslmode=no-verify"],
  ])("is taken when %s", async (_when, options) => {
    expect(await connect(options)).toEqual([{ ssl: true, version: "TLSv1.3" }]);
  });

  test("is not used to this machine unless asked for", async () => {
    expect(await connect("")).toMatchObject([{ ssl: false }]);
  });

  test("a server that cannot do it is refused", async () => {
    const plain = await createPostgres();
    try {
      await plain.start();
      await using database = openDatabase(`${plain.url()}?sslmode=verify-full`);
      await expect(database.query({ text: "select 1" })).rejects.toMatchObject({ code: "store-tls" });
    } finally {
      await plain.stop();
    }
  });
});
