/**
 * Stored subscriptions in `subscriptions.json`, behind a lock.
 *
 * Read once, written once per command. Good to some ten thousand records: the
 * whole file is parsed and written each time.
 */
import {
  formatSubscription,
  parseSubscription,
  subscriptionId,
  type Subscription,
} from "../protocol/subscription.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../protocol/vapid.ts";
import { expectArray, expectObject, expectText, parseAt } from "./json.ts";
import { otherVersion, parseTime } from "./config.ts";
import { shownPath, type ProjectLocation } from "./project.ts";
import { StateFile, type StateFileFormat } from "./state-file.ts";
import {
  isCalledGone,
  isSameRegistration,
  nameTaken,
  type Added,
  type Addition,
  type GoneMark,
  type LastResult,
  type SubscriptionRecord,
  type SubscriptionStore,
  type WrongKeyMark,
} from "./subscriptions.ts";

type Records = readonly SubscriptionRecord[];

/** The subscription store of a project folder. */
export function createSubscriptionStore(location: ProjectLocation): SubscriptionStore {
  const file = new StateFile(location.subscriptionsFile, location, format);
  return {
    path: shownPath(location.subscriptionsFile, location),
    list: () => Promise.resolve().then(() => file.read()),
    async add(additions, now) {
      let added: readonly Added[] = [];
      await file.update((records) => {
        const result = mergeAdditions(records, additions, now);
        added = result.added;
        return result.records;
      });
      return added;
    },
    async remove(ids, isDoomed = () => true) {
      const named = new Set(ids);
      let removed: Records = [];
      await file.update((records) => {
        removed = records.filter((record) => named.has(record.id) && isDoomed(record));
        const doomed = new Set(removed);
        return removed.length === 0 ? records : records.filter((record) => !doomed.has(record));
      });
      return removed;
    },
    async relabel(ids, change) {
      const chosen = new Set(ids);
      let relabelled: Records = [];
      await file.update((records) => {
        const changed = records.map((record) =>
          chosen.has(record.id) ? { ...record, ...change(record) } : record,
        );
        for (const record of changed) assertNameFree(changed, record);
        relabelled = changed.filter(({ id }) => chosen.has(id));
        return relabelled.length === 0 ? records : changed;
      });
      return relabelled;
    },
    async note(results) {
      const byId = new Map(results.map((note) => [note.id, note]));
      await file.update((records) => {
        const noted = records.map((record) => {
          const note = byId.get(record.id);
          if (note?.registeredAt !== record.registeredAt) return record;
          return {
            ...record,
            subscription: withKey(record.subscription, note.madeWith),
            lastResult: note.result,
            gone: note.gone ?? (note.result.outcome === "accepted" ? undefined : record.gone),
            wrongKey: note.wrongKey ?? (note.result.outcome === "accepted" ? undefined : record.wrongKey),
          };
        });
        return noted.some((record, index) => record !== records[index]) ? noted : records;
      });
    },
  };
}

/** Records with the additions merged in by endpoint; the same array when nothing changed. */
function mergeAdditions(records: Records, additions: readonly Addition[], now: number) {
  const byId = new Map(records.map((record) => [record.id, record]));
  const nameOwner = new Map(
    records.flatMap(({ id, name }) => (name === undefined ? [] : [[name, id] as const])),
  );
  const added = additions.map((addition) => {
    const one = mergeOne(byId, addition, now);
    const owner = one.record.name === undefined ? undefined : nameOwner.get(one.record.name);
    if (owner !== undefined && owner !== one.record.id) throw nameTaken(one.record.name ?? "", owner);
    if (one.record.name !== undefined) nameOwner.set(one.record.name, one.record.id);
    byId.set(one.record.id, one.record);
    return one;
  });
  const changed = added.some(({ outcome }) => outcome !== "unchanged");
  return { records: changed ? [...byId.values()] : records, added };
}

/** The subscription with the key it was made with, unless it says that itself. */
function withKey(subscription: Subscription, madeWith: VapidPublicKey | undefined): Subscription {
  const { applicationServerKey = madeWith } = subscription;
  return applicationServerKey === subscription.applicationServerKey
    ? subscription
    : { ...subscription, applicationServerKey };
}

/** Handed in again without the key that is known by now: an endpoint and its keys go with one for ever. */
function completed(added: Subscription, known: Subscription | undefined): Subscription {
  const isSame = known?.p256dh === added.p256dh && known.auth.reveal() === added.auth.reveal();
  return isSame ? withKey(added, known.applicationServerKey) : added;
}

function mergeOne(byId: ReadonlyMap<string, SubscriptionRecord>, addition: Addition, now: number): Added {
  const id = subscriptionId(addition.subscription.endpoint);
  const known = byId.get(id);
  const subscription = completed(addition.subscription, known?.subscription);
  if (known === undefined) {
    const fresh = {
      createdAt: now,
      registeredAt: now,
      lastResult: undefined,
      gone: undefined,
      wrongKey: undefined,
    };
    return { outcome: "added", record: { id, ...addition, ...fresh } };
  }
  const name = addition.name ?? known.name;
  const tags = [...new Set([...known.tags, ...addition.tags])];
  const isSame =
    !isCalledGone(known) &&
    name === known.name &&
    tags.length === known.tags.length &&
    isSameRegistration(known.subscription, subscription);
  if (isSame) return { outcome: "unchanged", record: known };
  return {
    outcome: "updated",
    record: { ...known, name, tags, subscription, registeredAt: now, gone: undefined, wrongKey: undefined },
  };
}

function assertNameFree(records: Records, { id, name }: SubscriptionRecord): void {
  if (name === undefined) return;
  const owner = records.find((other) => other.name === name && other.id !== id);
  if (owner !== undefined) throw nameTaken(name, owner.id);
}

const version = 1;

const format: StateFileFormat<Records> = {
  empty: [],
  parse(json) {
    const file = expectObject(json, "the file");
    if (file["version"] !== version) throw otherVersion(file["version"]);
    return expectArray(file["subscriptions"], "subscriptions").map(parseRecord);
  },
  format: (records) => ({ version, subscriptions: records.map(formatRecord) }),
};

function parseRecord(json: unknown, index: number): SubscriptionRecord {
  const where = `subscriptions[${index}]`;
  const entry = expectObject(json, where);
  const subscription = parseAt(where, () => parseSubscription(entry["subscription"]));
  const createdAt = parseTime(entry["createdAt"], `${where}.createdAt`);
  const { name, registeredAt, lastResult, gone, wrongKey } = entry;
  return {
    id: subscriptionId(subscription.endpoint),
    name: name === undefined ? undefined : expectText(name, `${where}.name`),
    tags: expectArray(entry["tags"] ?? [], `${where}.tags`).map((tag) => expectText(tag, `${where}.tags`)),
    subscription,
    createdAt,
    registeredAt: registeredAt === undefined ? createdAt : parseTime(registeredAt, `${where}.registeredAt`),
    lastResult: lastResult === undefined ? undefined : parseLastResult(lastResult, `${where}.lastResult`),
    gone: gone === undefined ? undefined : parseGone(gone, `${where}.gone`),
    wrongKey: wrongKey === undefined ? undefined : parseWrongKey(wrongKey, `${where}.wrongKey`),
  };
}

function parseLastResult(json: unknown, where: string): LastResult {
  const result = expectObject(json, where);
  const status = result["status"];
  return {
    at: parseTime(result["at"], `${where}.at`),
    outcome: expectText(result["outcome"], `${where}.outcome`),
    cause: expectText(result["cause"], `${where}.cause`),
    status: typeof status === "number" ? status : undefined,
  };
}

function parseGone(json: unknown, where: string): GoneMark {
  const gone = expectObject(json, where);
  return { at: parseTime(gone["at"], `${where}.at`), cause: expectText(gone["cause"], `${where}.cause`) };
}

function parseWrongKey(json: unknown, where: string): WrongKeyMark {
  const mark = expectObject(json, where);
  return {
    at: parseTime(mark["at"], `${where}.at`),
    cause: expectText(mark["cause"], `${where}.cause`),
    publicKey: parseAt(where, () => parseVapidPublicKey(expectText(mark["publicKey"], `${where}.publicKey`))),
  };
}

function formatRecord(record: SubscriptionRecord): Readonly<Record<string, unknown>> {
  const { id, name, tags, subscription, createdAt, registeredAt, lastResult, gone, wrongKey } = record;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(tags.length === 0 ? {} : { tags }),
    subscription: formatSubscription(subscription),
    createdAt: formatTime(createdAt),
    ...(registeredAt === createdAt ? {} : { registeredAt: formatTime(registeredAt) }),
    ...(lastResult === undefined ? {} : { lastResult: { ...lastResult, at: formatTime(lastResult.at) } }),
    ...(gone === undefined ? {} : { gone: { ...gone, at: formatTime(gone.at) } }),
    ...(wrongKey === undefined ? {} : { wrongKey: { ...wrongKey, at: formatTime(wrongKey.at) } }),
  };
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
