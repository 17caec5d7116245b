/**
 * Stored subscriptions in `subscriptions.json`, behind a lock.
 *
 * Read once, written once per command. Good to some ten thousand records: the
 * whole file is parsed and written each time.
 */
import { formatSubscription, parseSubscription, subscriptionId } from "../protocol/subscription.ts";
import { parseVapidPublicKey } from "../protocol/vapid.ts";
import { expectArray, expectObject, expectText, parseAt } from "./json.ts";
import { otherVersion, parseTime } from "./config.ts";
import { assertNamesFree, mergeAdditions, mergeWhole, withResult } from "./merging.ts";
import { shownPath, type ProjectLocation } from "./project.ts";
import { readersOf } from "./readers.ts";
import { StateFile, type StateFileFormat } from "./state-file.ts";
import type {
  Added,
  GoneMark,
  LastResult,
  RestoredCounts,
  RestoringStore,
  SubscriptionRecord,
  SubscriptionStore,
  WrongKeyMark,
} from "./subscriptions.ts";

type Records = readonly SubscriptionRecord[];

/** The subscription store of a project folder. */
export function createSubscriptionStore(location: ProjectLocation): SubscriptionStore & RestoringStore {
  const file = new StateFile(location.subscriptionsFile, location, format);
  return {
    path: shownPath(location.subscriptionsFile, location),
    ...readersOf(() => Promise.resolve().then(() => file.read())),
    async add(additions, now) {
      let added: readonly Added[] = [];
      await file.update((records) => {
        const result = mergeAdditions(records, additions, now);
        added = result.added;
        return result.records;
      });
      return added;
    },
    async restore(incoming) {
      let counts: RestoredCounts = { added: 0, updated: 0, unchanged: 0, unnamed: 0 };
      await file.update((records) => {
        const merged = mergeWhole(records, incoming);
        counts = merged.counts;
        return merged.records;
      });
      return counts;
    },
    async remove(endpoints, isDoomed = () => true) {
      const named = new Set(endpoints);
      let removed: Records = [];
      await file.update((records) => {
        removed = records.filter((record) => named.has(record.subscription.endpoint) && isDoomed(record));
        const doomed = new Set(removed);
        return removed.length === 0 ? records : records.filter((record) => !doomed.has(record));
      });
      return removed;
    },
    async relabel(endpoints, change) {
      const chosen = new Set(endpoints);
      const isChosen = ({ subscription }: SubscriptionRecord): boolean => chosen.has(subscription.endpoint);
      let relabelled: Records = [];
      await file.update((records) => {
        const changed = records.map((record) =>
          isChosen(record) ? { ...record, ...change(record) } : record,
        );
        relabelled = changed.filter(isChosen);
        assertNamesFree(
          relabelled,
          changed.filter((record) => !isChosen(record)),
        );
        return relabelled.length === 0 ? records : changed;
      });
      return relabelled;
    },
    async note(results) {
      const notes = new Map(results.map((note) => [note.endpoint, note]));
      await file.update((records) => {
        const noted = records.map((record) => withResult(record, notes.get(record.subscription.endpoint)));
        return noted.some((record, index) => record !== records[index]) ? noted : records;
      });
    },
  };
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
