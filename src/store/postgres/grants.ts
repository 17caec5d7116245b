/**
 * What each kind of role may do in the database, as data: the least with which its commands work.
 *
 * The owner made the schemas and needs no grant. The queue's tables are pg-boss's: at run time it changes rows and makes
 * nothing, as the queue is there and has one partition. Nothing here can be left out: each right was, in turn, and
 * test/commands/store/grant.test.ts or test/docs/operations.test.ts failed.
 */
import { queueSchema, schema } from "./migrations.ts";

/**
 * - `sender`: stores subscriptions and keys, sends, and makes and steers campaigns
 * - `worker`: sends campaigns, and reads the keys it signs with
 * - `reader`: lists and watches; sees no private key
 */
export const purposes = ["sender", "worker", "reader"] as const;

export type Purpose = (typeof purposes)[number];

/** A role of the database and what it is for. */
export interface Grantee {
  readonly role: string;
  readonly purpose: Purpose;
}

/** Rights by table. */
type Grants = Readonly<Record<string, string>>;

const grants: Readonly<Record<Purpose, Grants>> = {
  sender: {
    "webpush.migrations": "select",
    "webpush.key_pairs": "select, insert, update, delete",
    "webpush.project": "select, insert, update",
    "webpush.subscriptions": "select, insert, update, delete",
    "webpush.results": "select, insert, update, delete",
    "webpush.foreign_results": "select, insert, update",
    "webpush.campaigns": "select, insert, update (state, finished_at, recipients, chunks, chunks_fed)",
    "webpush.chunks": "select, insert",
    "webpush.recipients": "select, insert",
    "webpush.origins": "select",
    "webpush.workers": "select",
    "webpush_queue.version": "select",
    "webpush_queue.queue": "select",
    "webpush_queue.job": "insert",
  },
  worker: {
    "webpush.migrations": "select",
    "webpush.key_pairs": "select",
    "webpush.project": "select",
    "webpush.subscriptions": "select, update (application_server_key)",
    "webpush.results": "select, insert, update",
    "webpush.foreign_results": "select, insert, update",
    "webpush.campaigns": "select, update (state, finished_at, chunks_fed, chunks_done, counts)",
    "webpush.chunks": "select, update (turns, worker, leased_until, position, beyond, counts, done_at)",
    "webpush.recipients": "select",
    "webpush.origins": "select, insert, update",
    "webpush.rates": "select, insert, update, delete",
    "webpush.workers": "select, insert, update, delete",
    "webpush_queue.version": "select, update (maintained_on)",
    "webpush_queue.queue": "select",
    "webpush_queue.job": "select, insert, update, delete",
    "webpush_queue.archive": "select, insert, delete",
  },
  reader: {
    "webpush.migrations": "select",
    "webpush.subscriptions": "select",
    "webpush.results": "select",
    "webpush.campaigns": "select",
    "webpush.chunks": "select",
    "webpush.origins": "select",
    "webpush.workers": "select",
    "webpush_queue.version": "select",
    "webpush_queue.job": "select",
  },
};

/**
 * The statements that give roles just what they are for, whatever they had in these schemas before. Run by the owner of
 * the schemas, in one transaction. A role may have several purposes.
 */
export function grantStatements(grantees: readonly Grantee[]): readonly string[] {
  const roles = [...new Set(grantees.map(({ role }) => identifier(role)))].join(", ");
  const schemas = `${schema}, ${queueSchema}`;
  return [
    `revoke all on all tables in schema ${schemas} from ${roles}`,
    `grant usage on schema ${schemas} to ${roles}`,
    ...grantees.flatMap(({ role, purpose }) =>
      Object.entries(grants[purpose]).map(
        ([table, rights]) => `grant ${rights} on ${table} to ${identifier(role)}`,
      ),
    ),
  ];
}

/** The same for whoever runs it by hand. */
export function grantScript(grantees: readonly Grantee[]): string {
  return ["begin", ...grantStatements(grantees), "commit"].map((text) => `${text};\n`).join("");
}

/** A name in a statement, which takes no values there. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
