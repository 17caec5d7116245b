/** Subscriptions written straight into a database, for tests of what comes after. */
import { copyLine } from "../../src/store/postgres/copy.ts";
import type { Database } from "../../src/store/postgres/database.ts";
import { endpointFingerprint, keyBytes, timeOf } from "../../src/store/postgres/rows.ts";
import { subscriptionId, type Endpoint, type Subscription } from "../../src/protocol/subscription.ts";
import { sampleSubscription } from "./samples.ts";

export interface Readers {
  /** How many. */
  readonly count: number;
  /** The endpoint of the reader of this number, from 1. */
  readonly endpoint?: (reader: number) => string;
  readonly tags?: (reader: number) => readonly string[];
  readonly over?: Partial<Subscription>;
}

/** Registered long ago, so that no guard thinks them too young. */
export const registered = Date.parse("2026-01-01T08:00:00.000Z");

/** Stores readers, all with the keys of one browser: making a million key pairs is not what is tested. */
export async function storeReaders(
  database: Database,
  { count, endpoint, tags, over }: Readers,
): Promise<void> {
  const sample = { ...sampleSubscription("reader"), ...over };
  const at = timeOf(registered);
  function* lines(): Generator<string> {
    for (let reader = 1; reader <= count; reader += 1) {
      const url = (endpoint?.(reader) ?? `https://push.example.net/send/reader-${reader}`) as Endpoint;
      yield copyLine([
        endpointFingerprint(url),
        subscriptionId(url),
        `reader-${reader}`,
        tags?.(reader) ?? [],
        url,
        keyBytes(sample.p256dh),
        keyBytes(sample.auth.reveal()),
        sample.applicationServerKey && keyBytes(sample.applicationServerKey),
        at,
        at,
      ]);
    }
  }
  await database.transaction((transaction) =>
    transaction.copyIn(
      `copy webpush.subscriptions (fingerprint, id, name, tags, endpoint, p256dh, auth, application_server_key,
  created_at, registered_at) from stdin`,
      lines(),
    ),
  );
  await database.change({ text: "analyze webpush.subscriptions" });
}
