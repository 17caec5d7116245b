/**
 * Subscriptions and broadcasts in a SQLite file, through libsql: better-sqlite3's interface, with ready-made
 * binaries for every usual platform.
 *
 * Times are milliseconds since 1970. Everything here is synchronous and takes well below a millisecond.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";

/** Each entry brings the file from one version to the next. Add to it; never change what is there. */
const migrations = [
  `CREATE TABLE subscriptions (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     endpoint TEXT NOT NULL,
     p256dh TEXT NOT NULL,
     auth TEXT NOT NULL,
     application_server_key TEXT,            -- the public key it was made with
     expires_at INTEGER,
     created_at INTEGER NOT NULL,
     registered_at INTEGER NOT NULL,         -- the page's last visit
     last_result TEXT,
     last_sent_at INTEGER,
     gone_at INTEGER,                        -- the push service said that it is over
     wrong_key_at INTEGER,                   -- the push service refused our key
     last_broadcast INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE UNIQUE INDEX subscriptions_endpoint ON subscriptions (endpoint);
   CREATE INDEX subscriptions_gone ON subscriptions (gone_at) WHERE gone_at IS NOT NULL;
   CREATE TABLE broadcasts (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     payload TEXT NOT NULL,
     options TEXT NOT NULL,
     last_subscription INTEGER NOT NULL,     -- whoever registers later is not meant
     created_at INTEGER NOT NULL,
     finished_at INTEGER,
     accepted INTEGER NOT NULL DEFAULT 0,
     gone INTEGER NOT NULL DEFAULT 0,
     failed INTEGER NOT NULL DEFAULT 0
   ) STRICT;`,
];

/** Browsers and push services need a moment before a new subscription is known everywhere. */
const youngMs = 60_000;

/**
 * @param {{ database: string, maxSubscriptions: number, pruneAfterDays: number }} config
 * @param {() => number} now
 */
export function openStore({ database, maxSubscriptions, pruneAfterDays }, now = Date.now) {
  makePrivate(database);
  const db = new Database(database);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL");
  migrate(db);

  const sql = prepareAll(db);
  return {
    /** Stores a subscription, or brings it up to date: pages register at every visit. */
    register: db.transaction((subscription) => {
      const { oldEndpoint, ...fresh } = subscription;
      const known = first(sql.find, fresh.endpoint);
      const replaced = oldEndpoint !== null && oldEndpoint !== fresh.endpoint && first(sql.find, oldEndpoint);
      if (!known && !replaced && first(sql.count).count >= maxSubscriptions) return { outcome: "full" };
      sql.upsert.run({ ...fresh, now: now() });
      if (replaced) first(sql.remove, oldEndpoint);
      return { outcome: known ? "updated" : "added", id: first(sql.find, fresh.endpoint).id };
    }),
    find: (endpoint) => first(sql.find, endpoint),
    /** @returns the id of what was removed; undefined when there was nothing */
    remove: (endpoint) => first(sql.remove, endpoint)?.id,
    count: () => first(sql.count).count,
    /** Writes down what became of a message, and of the subscription, unless it was registered anew meanwhile. */
    record: db.transaction(({ id, registered_at: registeredAt }, { outcome, detail }, broadcast = 0) => {
      const at = now();
      sql.result.run({ id, at, result: detail ? `${outcome}: ${detail}` : outcome, broadcast });
      if (outcome === "gone" && at - registeredAt >= youngMs) sql.markGone.run({ id, at, registeredAt });
      if (outcome === "wrong-key") sql.markWrongKey.run({ id, at, registeredAt });
      if (broadcast === 0) return;
      if (outcome === "accepted") sql.countAccepted.run(broadcast);
      else if (outcome === "gone") sql.countGone.run(broadcast);
      else sql.countFailed.run(broadcast);
    }),
    /** Deletes what has been gone for long enough. */
    prune: () => sql.prune.run(now() - pruneAfterDays * 86_400_000).changes,
    createBroadcast: ({ payload, options }) => {
      const values = { payload, options: JSON.stringify(options), now: now() };
      return first(sql.createBroadcast, values).id;
    },
    findBroadcast: (id) => first(sql.findBroadcast, id),
    nextBroadcast: () => first(sql.nextBroadcast),
    finishBroadcast: (id) => sql.finishBroadcast.run({ id, now: now() }),
    /** The next subscriptions a broadcast has to reach, those after `after`; none that it has reached before. */
    batch: ({ id, last_subscription: last }, after, size) =>
      sql.batch.all({ broadcast: id, last, after, size, now: now() }),
    close: () => db.close(),
  };
}

/** The first row. Not get(), which in libsql leaves the statement open: with RETURNING, nothing can be committed then. */
function first(statement, ...values) {
  return statement.all(...values)[0];
}

function prepareAll(db) {
  return {
    find: db.prepare("SELECT * FROM subscriptions WHERE endpoint = ?"),
    count: db.prepare("SELECT count(*) AS count FROM subscriptions"),
    remove: db.prepare("DELETE FROM subscriptions WHERE endpoint = ? RETURNING id"),
    upsert: db.prepare(
      `INSERT INTO subscriptions
         (endpoint, p256dh, auth, application_server_key, expires_at, created_at, registered_at)
       VALUES (@endpoint, @p256dh, @auth, @applicationServerKey, @expirationTime, @now, @now)
       ON CONFLICT (endpoint) DO UPDATE SET
         p256dh = excluded.p256dh, auth = excluded.auth, expires_at = excluded.expires_at,
         application_server_key = excluded.application_server_key,
         registered_at = excluded.registered_at, gone_at = NULL, wrong_key_at = NULL`,
    ),
    result: db.prepare(
      `UPDATE subscriptions
       SET last_result = @result, last_sent_at = @at, last_broadcast = max(last_broadcast, @broadcast)
       WHERE id = @id`,
    ),
    markGone: db.prepare(
      "UPDATE subscriptions SET gone_at = @at WHERE id = @id AND registered_at = @registeredAt",
    ),
    markWrongKey: db.prepare(
      "UPDATE subscriptions SET wrong_key_at = @at WHERE id = @id AND registered_at = @registeredAt",
    ),
    prune: db.prepare("DELETE FROM subscriptions WHERE gone_at <= ?"),
    createBroadcast: db.prepare(
      `INSERT INTO broadcasts (payload, options, last_subscription, created_at)
       VALUES (@payload, @options, (SELECT coalesce(max(id), 0) FROM subscriptions), @now) RETURNING id`,
    ),
    findBroadcast: db.prepare("SELECT * FROM broadcasts WHERE id = ?"),
    nextBroadcast: db.prepare("SELECT * FROM broadcasts WHERE finished_at IS NULL ORDER BY id LIMIT 1"),
    finishBroadcast: db.prepare("UPDATE broadcasts SET finished_at = @now WHERE id = @id"),
    countAccepted: db.prepare("UPDATE broadcasts SET accepted = accepted + 1 WHERE id = ?"),
    countGone: db.prepare("UPDATE broadcasts SET gone = gone + 1 WHERE id = ?"),
    countFailed: db.prepare("UPDATE broadcasts SET failed = failed + 1 WHERE id = ?"),
    batch: db.prepare(
      `SELECT * FROM subscriptions
       WHERE id > @after AND id <= @last AND last_broadcast < @broadcast
         AND gone_at IS NULL AND wrong_key_at IS NULL AND (expires_at IS NULL OR expires_at > @now)
       ORDER BY id LIMIT @size`,
    ),
  };
}

/** Made before SQLite opens it, so that nobody else can read it at any moment; its -wal and -shm take the same mode. */
function makePrivate(path) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

function migrate(db) {
  const { user_version: version } = first(db.prepare("PRAGMA user_version"));
  if (version > migrations.length) {
    throw new Error(`the database is of version ${version}, newer than this program's ${migrations.length}`);
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
