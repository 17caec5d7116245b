/**
 * VAPID keys and the contact in PostgreSQL, or in the project's file while the database has none.
 *
 * A database that many processes may read is not where everybody wants private keys: the environment's come before it,
 * and a role that may not read them sees none.
 */
import { parseSubject } from "../../protocol/subject.ts";
import { parseKeyPair } from "../../protocol/vapid.ts";
import type { ConfigStore, ProjectConfig, StoredKeyPair } from "../config.ts";
import type { Database, Queries } from "./database.ts";
import { failureCode } from "./failure.ts";
import { timeOf } from "./rows.ts";

/** Where keys and contact are kept; `path` and `isFile` say where they were found at last. */
export type KeyStore = ConfigStore;

type Keys = ProjectConfig;

const noKeys: Keys = { current: undefined, pairs: [], subject: undefined };

/** Stands for a file that holds none and takes none: all is about the database. */
export const noFile: KeyStore = {
  path: "",
  isFile: true,
  read: () => Promise.resolve(noKeys),
  update: () => Promise.reject(new Error("there is no file")),
};

/** The keys of the schema `webpush`; those of `file` as long as it has some and the database has none. */
export function createPostgresConfigStore(database: Database, file: KeyStore): KeyStore {
  let isOfFile = false;
  const chosen = async (stored: Keys): Promise<Keys> => {
    const kept = stored.pairs.length > 0 ? undefined : await file.read();
    isOfFile = kept !== undefined && kept.pairs.length > 0;
    if (kept === undefined) return stored;
    return isOfFile ? kept : { ...stored, subject: stored.subject ?? kept.subject };
  };
  return {
    get path() {
      return isOfFile ? file.path : database.shown;
    },
    get isFile() {
      return isOfFile;
    },
    read: async () => chosen(await readKeys(database)),
    async update(change) {
      await chosen(await readKeys(database));
      if (isOfFile) return file.update(change);
      return database.transaction(async (transaction) => {
        await transaction.change({
          text: "insert into webpush.project default values on conflict do nothing",
        });
        await transaction.query({ text: "select 1 from webpush.project for update" });
        const current = await chosen(await selectKeys(transaction));
        const changed = change(current);
        if (changed !== current) await writeKeys(transaction, changed);
        return changed;
      });
    },
  };
}

/** No schema, no table, no right to read it: there are no keys for us. */
const absent = /^(?:3F000|42P01|42501)$/;

async function readKeys(database: Queries): Promise<Keys> {
  try {
    return await selectKeys(database);
  } catch (error) {
    if (absent.test(failureCode(error))) return noKeys;
    throw error;
  }
}

interface KeysRow {
  readonly current: string | null;
  readonly subject: string | null;
  readonly pairs: readonly {
    readonly public_key: string;
    readonly private_key: string;
    readonly created_at: string;
    readonly current_since: string | null;
  }[];
}

async function selectKeys(database: Queries): Promise<Keys> {
  const [row] = await database.query<KeysRow>({
    text: `select (select current_key from webpush.project) as current, (select subject from webpush.project) as subject,
  (select coalesce(json_agg(k order by k.created_at, k.public_key), '[]') from webpush.key_pairs k) as pairs`,
  });
  if (row === undefined) return noKeys;
  const pairs = row.pairs.map(({ public_key, private_key, created_at, current_since }): StoredKeyPair => ({
    pair: parseKeyPair(public_key, private_key),
    createdAt: Date.parse(created_at),
    currentSince: current_since === null ? undefined : Date.parse(current_since),
  }));
  return {
    current: pairs.find(({ pair }) => pair.publicKey === row.current)?.pair.publicKey,
    pairs,
    subject: row.subject === null ? undefined : parseSubject(row.subject).subject,
  };
}

/** Writes all that is there, and takes away what is not there any more. */
async function writeKeys(queries: Queries, { current, pairs, subject }: Keys): Promise<void> {
  for (const { pair, createdAt, currentSince } of pairs) {
    await queries.change({
      text: `insert into webpush.key_pairs (public_key, private_key, created_at, current_since) values ($1, $2, $3, $4)
on conflict (public_key) do update set created_at = excluded.created_at, current_since = excluded.current_since`,
      values: [
        pair.publicKey,
        pair.privateKey.reveal(),
        timeOf(createdAt),
        currentSince === undefined ? null : timeOf(currentSince),
      ],
    });
  }
  await queries.change({
    text: "update webpush.project set current_key = $1, subject = $2",
    values: [current ?? null, subject ?? null],
  });
  await queries.change({
    text: "delete from webpush.key_pairs where public_key <> all($1)",
    values: [pairs.map(({ pair }) => pair.publicKey)],
  });
}
