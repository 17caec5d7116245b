/**
 * What a database's errors mean for a person, by their SQLSTATE or system code.
 *
 * Data, not branches: a row says which codes it is about, and what to do.
 */
import { UserError, messageOf, systemCode } from "../../base/errors.ts";

interface Failure {
  /** The database, for people. */
  readonly shown: string;
  /** What it said itself. */
  readonly said: string;
  readonly cause: unknown;
}

interface FailureRow {
  readonly about: RegExp;
  readonly explain: (failure: Failure) => UserError;
}

/** The first row that matches counts. */
const rows: readonly FailureRow[] = [
  {
    about: /^(?:28P01|28000)$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-denied", `${shown} does not let us in: ${said}`, {
        kind: "failed",
        hints: ["check user and password: in the address, PGPASSWORD or ~/.pgpass"],
        cause,
      }),
  },
  {
    about: /^3D000$/,
    explain: ({ shown, cause }) =>
      new UserError("store-database-missing", `there is no database at ${shown}`, {
        kind: "failed",
        hints: ["make it with createdb, or correct the address"],
        cause,
      }),
  },
  {
    about: /^(?:3F000|42P01|42703|42883)$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-not-migrated", `${shown} does not hold what this webpush expects: ${said}`, {
        kind: "failed",
        hints: [
          "run `webpush store migrate` with a role that may create schemas; `webpush store status` tells more",
        ],
        cause,
      }),
  },
  {
    about: /^42501$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-forbidden", `the database refuses it: ${said} (${shown})`, {
        kind: "failed",
        hints: ["give the role its rights: webpush store grant (docs/operations.md), or use another role"],
        cause,
      }),
  },
  {
    about: /^(?:25006|25001)$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-read-only", `nothing can be written there: ${said} (${shown})`, {
        kind: "failed",
        hints: ["give the address of the primary; a query given by --query must only read"],
        cause,
      }),
  },
  {
    about: /^53100$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-full", `the database's disk is full: ${said} (${shown})`, {
        kind: "failed",
        hints: ["free some space there; nothing was changed"],
        cause,
      }),
  },
  {
    about: /^(?:40001|40P01|55P03|57014)$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-busy", `${shown} gave up on it: ${said}`, {
        kind: "failed",
        hints: [
          "try again; a statement_timeout of the role or a replica's recovery may be too short for this",
        ],
        cause,
      }),
  },
  {
    about:
      /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOENT|EACCES|08\d{3}|53300|57P0[1-4])$/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-unreachable", `cannot reach the database at ${shown}: ${said}`, {
        kind: "failed",
        hints: ["check the address, and that the database runs and takes connections from here"],
        cause,
      }),
  },
  {
    about: /^(?:CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|ERR_SSL)/,
    explain: ({ shown, said, cause }) =>
      new UserError("store-tls", `no safe connection to ${shown}: ${said}`, {
        kind: "failed",
        hints: [
          "name its authority with ?sslrootcert=FILE in the address",
          "on a network that is all your own, ?sslmode=disable goes without TLS",
        ],
        cause,
      }),
  },
];

/** What the client says in words only. */
const wordings: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/i, "ERR_TLS"],
  [/terminat|timeout|closed|not queryable/i, "ETIMEDOUT"],
];

/** The error for a person; whatever is no failure of the database comes back as it is. */
export function explained(error: unknown, shown: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const said = messageOf(error);
  const code = systemCode(error) ?? wordings.find(([words]) => words.test(said))?.[1] ?? "";
  const row = rows.find(({ about }) => about.test(code));
  // Several addresses of one host give an error without words of its own.
  return row?.explain({ shown, said: said === "" ? code : said, cause: error }) ?? error;
}

/** The SQLSTATE or system code behind an error, explained or not; empty when there is none. */
export function failureCode(error: unknown): string {
  return systemCode(error instanceof UserError ? error.cause : error) ?? "";
}
