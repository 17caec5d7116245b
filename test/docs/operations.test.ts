/** The files of docs/operations/ and the SQL of docs/operations.md, tried out. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { openCampaigns } from "../../src/campaigns/campaigns.ts";
import { openProgram } from "../../src/cli/program.ts";
import { openTurns } from "../../src/campaigns/turns.ts";
import { describeCommand } from "../../src/commands/describe.ts";
import { openDatabase } from "../../src/store/postgres/database.ts";
import { hasPostgres } from "../support/postgres.ts";
import { createPostgres, findPostgres, type PostgresServer } from "../support/postgres-server.mjs";
import { spawnCli } from "../support/run-cli.ts";
import { samplePair } from "../support/samples.ts";
import { samplePlan } from "../support/sample-plan.ts";
import { storeReaders } from "../support/stored-readers.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { commandLinesOf, quiet, unknownFlags } from "./command-lines.ts";
import { codeBlocksOf, readPage, root, rowsOf, sectionsOf } from "./markdown.ts";

const run = promisify(execFile);
const page = readPage("docs/operations.md");

function fileOf(name: string): string {
  return join(root, "docs/operations", name);
}

interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly depends_on: Readonly<Record<string, { readonly condition: string }>>;
}

describe("compose.yaml", () => {
  const text = readFileSync(fileOf("compose.yaml"), "utf8");
  const compose = parse(text, { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  };

  test("has a database, a migration that waits for it, and two workers that wait for that", () => {
    expect(compose.services).toMatchObject({
      database: { healthcheck: { test: expect.arrayContaining(["pg_isready"]) as unknown } },
      migrate: { depends_on: { database: { condition: "service_healthy" } } },
      worker: {
        depends_on: { migrate: { condition: "service_completed_successfully" } },
        deploy: { replicas: 2 },
        read_only: true,
        cap_drop: ["ALL"],
      },
    });
  });

  test("hands secrets over as files only, each one that is named somewhere", () => {
    const used = new Set(Object.values(compose.services).flatMap(({ secrets }) => secrets));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const name of text.matchAll(/\/run\/secrets\/(\w+)/g)) expect(used).toContain(name[1]);
    for (const { environment } of Object.values(compose.services))
      expect(Object.keys(environment).filter((name) => /PASSWORD$|PRIVATE/.test(name))).toEqual([]);
    expect(text).not.toMatch(/postgres:\/\/\w+:/);
  });

  test("names the roles that roles.sql makes", () => {
    const made = [...readFileSync(fileOf("roles.sql"), "utf8").matchAll(/^create role (\w+)/gm)].map(
      ([, role]) => role,
    );
    const named = new Set([...text.matchAll(/\bpush_\w+/g)].map(([role]) => role));
    expect([...named].sort()).toEqual(made.sort());
  });
});

const systemdAnalyze = "/usr/bin/systemd-analyze";

test.each(["compose.yaml", "webpush-worker.service"])("%s runs commands that there are", async (name) => {
  const program = describeCommand(await openProgram(["--help"], quiet));
  const commands = readPage(`docs/operations/${name}`)
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => commandLinesOf(line.replace(/'$/, "")));
  expect(commands.map(([first]) => first)).toContain("worker");
  expect(program.commands.map((command) => command.name)).toEqual(
    expect.arrayContaining(commands.map(([first]) => first)),
  );
  expect(commands.flatMap((words) => unknownFlags(program, words))).toEqual([]);
});

test.skipIf(!existsSync(systemdAnalyze))("webpush-worker.service is one that systemd takes", async () => {
  const { stdout, stderr } = await run(systemdAnalyze, ["verify", fileOf("webpush-worker.service")]);
  expect(stdout + stderr).toBe("");
});

describe("alerts.yaml", () => {
  const alerts = parse(readFileSync(fileOf("alerts.yaml"), "utf8")) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert: string; readonly expr: string }[];
    }[];
  };
  const rules = alerts.groups.flatMap((group) => group.rules);
  const [metrics = [], explained = []] = sectionsOf(page)
    .filter(({ heading }) => heading === "What to watch")
    .map(({ text }) => rowsOf(text).map(([first = ""]) => first))
    .flatMap((names) => [
      names.filter((name) => name.startsWith("webpush_")),
      names.filter((name) => /^Webpush/.test(name)),
    ]);

  test("asks for metrics that the page lists", () => {
    const named = rules.flatMap(({ expr }) => [...expr.matchAll(/\bwebpush_\w+/g)].map(([name]) => name));
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(metrics).toContain(name.replace(/_bucket$/, ""));
  });

  test("and so the metrics that workers have", () => {
    const source = readPage("src/commands/worker/metrics.ts");
    const names = [...source.matchAll(/name: "(webpush_\w+)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual([...metrics].sort());
  });

  test("asks for outcomes that there are", () => {
    const outcomes = rowsOf(readPage("docs/json.md")).find(
      ([field, , what]) => field === "outcome" && /wrong-key/.test(what ?? ""),
    )?.[2];
    const named = rules.flatMap(({ expr }) => /outcome=~?"([^"]+)"/.exec(expr)?.[1]?.split("|") ?? []);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(outcomes).toContain(`\`${name}\``);
  });

  test("has rules that the page explains, each", () => {
    expect(rules.map(({ alert }) => alert)).toEqual(explained);
  });
});

/** A server that wants passwords, except of its superuser; with the roles of roles.sql in the database `push`. */
async function openServer(): Promise<{ readonly server: PostgresServer; readonly secrets: string }> {
  const server = await createPostgres();
  onTestFinished(() => server.stop());
  const rules = ["webpush trust", "all scram-sha-256"].map((rule) => {
    const [user, method] = rule.split(" ");
    return `host all ${user} 127.0.0.1/32 ${method}\n`;
  });
  writeFileSync(join(server.folder, "data", "pg_hba.conf"), rules.join(""));
  await server.start();
  const secrets = tempFolder();
  for (const role of ["owner", "sender", "worker", "reader"])
    writeFileSync(join(secrets, `${role}_password`), `${role} of push\n`);
  await psql(server.url(), ["--command", "create database push"]);
  await psql(server.url("push"), ["--file", fileOf("roles.sql")], secrets);
  return { server, secrets };
}

async function psql(url: string, argv: readonly string[], secrets = ""): Promise<void> {
  await program("psql", ["--no-psqlrc", "--set", "ON_ERROR_STOP=1", ...argv, url], { SECRETS: secrets });
}

/** Runs one of PostgreSQL's own programs. */
async function program(
  name: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  await run(join(findPostgres() ?? "", name), argv, { env: { PATH: process.env["PATH"], ...env } });
}

function addressOf(server: PostgresServer, role: string, database = "push"): string {
  return server.url(database).replace("webpush@", `push_${role}@`);
}

const passwordOf = (role: string) => `${role} of push`;

describe.skipIf(!hasPostgres)("what docs/operations.md says to do", () => {
  test("sets up roles with passwords, from the environment or a file that only its owner can read", async () => {
    const { server } = await openServer();
    const owner = { WEBPUSH_STORE: addressOf(server, "owner") };
    const denied = await spawnCli(["store", "migrate", "--json"], { env: owner });
    expect(JSON.parse(denied.stdout)).toMatchObject({ error: { code: "store-denied" } });
    const migrated = await spawnCli(["store", "migrate"], {
      env: { ...owner, PGPASSWORD: passwordOf("owner") },
    });
    expect(migrated).toMatchObject({ exitCode: 0 });
    const passwords = join(tempFolder(), "pgpass");
    writeFileSync(
      passwords,
      ["owner", "worker"].map((role) => `*:*:push:push_${role}:${passwordOf(role)}\n`).join(""),
    );
    chmodSync(passwords, 0o600);
    const grant = [
      "store",
      "grant",
      ...["sender", "worker", "reader"].flatMap((role) => [`--${role}`, `push_${role}`]),
    ];
    expect(await spawnCli(grant, { env: { ...owner, PGPASSFILE: passwords } })).toMatchObject({
      exitCode: 0,
    });
    const worker = { WEBPUSH_STORE: addressOf(server, "worker"), PGPASSFILE: passwords };
    expect(await spawnCli(["store", "status"], { env: worker })).toMatchObject({ exitCode: 0 });
    chmodSync(passwords, 0o640);
    expect(await spawnCli(["store", "status"], { env: worker })).toMatchObject({ exitCode: 1 });
  });

  test("looks with SQL as a reader, tidies up as the owner, and restores a dump", async () => {
    const { server } = await openServer();
    const setUp = async (database: string) => {
      const env = { WEBPUSH_STORE: addressOf(server, "owner", database), PGPASSWORD: passwordOf("owner") };
      for (const argv of [
        ["store", "migrate"],
        ["store", "grant", "--worker", "push_worker", "--reader", "push_reader"],
      ])
        expect(await spawnCli(argv, { env })).toMatchObject({ exitCode: 0 });
    };
    await setUp("push");
    await using admin = openDatabase(server.url("push"));
    await storeReaders(admin, { count: 3 });
    await queueCampaign(server.url("push"));
    for (const text of sqlUnder("With SQL")) await psqlAs(server, "reader", text);

    const dump = join(tempFolder(), "webpush.dump");
    const password = { PGPASSWORD: passwordOf("owner") };
    const source = addressOf(server, "owner");
    await program(
      "pg_dump",
      ["--schema=webpush", "--format=custom", `--file=${dump}`, `--dbname=${source}`],
      password,
    );
    await psql(server.url(), ["--command", "create database restored"]);
    await psql(server.url(), ["--command", "grant create on database restored to push_owner"]);
    const target = addressOf(server, "owner", "restored");
    await program("pg_restore", ["--exit-on-error", `--dbname=${target}`, dump], password);
    await setUp("restored");
    await using worker = openDatabase(withPassword(addressOf(server, "worker", "restored"), "worker"));
    await using turns = await openTurns(worker, { worker: "one", version: "1" });
    await turns.tend();
    expect(await turns.take(1, [samplePair("ours").publicKey])).toMatchObject([
      { recipients: { length: 3 } },
    ]);

    for (const text of [...sqlUnder("Backups"), ...sqlUnder("Vacuum")]) await psqlAs(server, "owner", text);
    expect(statSync(dump).size).toBeGreaterThan(0);
  });
});

/** The statements under a heading of the page. */
function sqlUnder(heading: string): readonly string[] {
  const text = sectionsOf(page).find((section) => section.heading === heading)?.text ?? "";
  const blocks = codeBlocksOf(text).filter(({ language }) => language === "sql");
  if (blocks.length === 0) throw new Error(`no SQL under ${heading}`);
  return blocks.map((block) => block.text);
}

async function psqlAs(server: PostgresServer, role: string, text: string): Promise<void> {
  await psql(withPassword(addressOf(server, role), role), ["--command", text]);
}

function withPassword(address: string, role: string): string {
  const url = new URL(address);
  url.password = passwordOf(role);
  return url.href;
}

async function queueCampaign(url: string): Promise<void> {
  await using database = openDatabase(url);
  await using campaigns = await openCampaigns(database);
  await campaigns.create(samplePlan(), { id: "news", dueInMs: 0 });
}
