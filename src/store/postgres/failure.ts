/**
 * What a database's errors mean for a person, by their SQLSTATE or system code.
 *
 * Data, not branches: a row says which codes it is about, and what to do.
 */
import { UserError, messageOf, systemCode, type ErrorKind } from "../../base/errors.ts";

interface FailureRow {
  readonly code: string;
  readonly about: RegExp;
  readonly kind?: ErrorKind;
  readonly what: (shown: string, said: string) => string;
  readonly hints: readonly string[];
}

/** The first row that matches counts. */
const rows: readonly FailureRow[] = [
  {
    code: "store-denied",
    about: /^(?:28P01|28000)$/,
    what: (shown, said) => `${shown} does not let us in: ${said}`,
    hints: ["check user and password: in the address, PGPASSWORD or ~/.pgpass"],
  },
  {
    code: "store-database-missing",
    about: /^3D000$/,
    what: (shown) => `there is no database at ${shown}`,
    hints: ["make it with createdb, or correct the address"],
  },
  {
    code: "store-not-migrated",
    about: /^(?:3F000|42P01|42703|42883)$/,
    what: (shown, said) => `${shown} does not hold what this webpush expects: ${said}`,
    hints: [
      "run `webpush store migrate` with a role that may create schemas",
      "webpush store status tells more",
    ],
  },
  {
    code: "store-forbidden",
    about: /^42501$/,
    what: (shown, said) => `the database refuses it: ${said} (${shown})`,
    hints: ["grant the role what docs/scaling.md lists, or use another role"],
  },
  {
    code: "store-read-only",
    about: /^(?:25006|25001)$/,
    what: (shown, said) => `nothing can be written there: ${said} (${shown})`,
    hints: ["give the address of the primary; a query given by --query must only read"],
  },
  {
    code: "store-full",
    about: /^53100$/,
    what: (shown, said) => `the database's disk is full: ${said} (${shown})`,
    hints: ["free some space there; nothing was changed"],
  },
  {
    code: "store-busy",
    about: /^(?:40001|40P01|55P03|57014)$/,
    what: (shown, said) => `${shown} gave up on it: ${said}`,
    hints: ["try again; a statement_timeout of the role or a replica's recovery may be too short for this"],
  },
  {
    code: "store-unreachable",
    about:
      /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOENT|EACCES|08\d{3}|53300|57P0[1-4])$/,
    what: (shown, said) => `cannot reach the database at ${shown}: ${said}`,
    hints: ["check that it runs and takes connections from here, and the address: webpush store status"],
  },
  {
    code: "store-tls",
    about: /^(?:CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|ERR_SSL)/,
    what: (shown, said) => `no safe connection to ${shown}: ${said}`,
    hints: [
      "name its authority with ?sslrootcert=FILE in the address",
      "on a network that is all your own, ?sslmode=disable goes without TLS",
    ],
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
  if (row === undefined) return error;
  // Several addresses of one host give an error without words of its own.
  const words = said === "" ? code : said;
  const { kind = "failed", hints } = row;
  return new UserError(row.code, row.what(shown, words), { kind, hints, cause: error });
}

/** The SQLSTATE or system code behind an error, explained or not; empty when there is none. */
export function failureCode(error: unknown): string {
  return systemCode(error instanceof UserError ? error.cause : error) ?? "";
}

/** Whether the same may succeed a little later: the database is away, not at odds with us. */
export function isPassing(error: unknown): boolean {
  return error instanceof UserError && error.code === "store-unreachable";
}
