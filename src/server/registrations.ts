/**
 * The page's subscriptions: handed in, taken back, found again.
 *
 * One at a time: the count is looked at and the store written in one go, so a flood
 * cannot fill the store past its limit. Each change is made by the store under its lock.
 */
import type { Clock } from "../base/clock.ts";
import {
  isLoopbackEndpoint,
  parseEndpoint,
  parseSubscription,
  type Endpoint,
  type Subscription,
} from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { AddOutcome, SubscriptionRecord, SubscriptionStore } from "../store/subscriptions.ts";
import type { EndpointRule } from "./endpoint-rule.ts";
import { isRefusal, membersOf } from "./fields.ts";
import { isSameLocally, localEndpointOf, type LocalPushService } from "./local-push-service.ts";
import { refuse, type Refusal } from "./refusal.ts";

export interface RegistrationOptions {
  readonly store: SubscriptionStore;
  readonly clock: Clock;
  readonly endpointRule: EndpointRule;
  readonly localPushService: LocalPushService | undefined;
  /** The most subscriptions the store may hold before new ones are refused. */
  readonly maxSubscriptions: number;
  /** Whether the project has the private key of this one, so that it can send. */
  readonly holdsKey: (key: VapidPublicKey) => Promise<boolean>;
}

/** A subscription that is stored now. */
export interface Registered {
  readonly kind: "registered";
  readonly outcome: AddOutcome;
  readonly record: SubscriptionRecord;
  readonly replacedId: string | undefined;
}

export interface Forgotten {
  readonly kind: "forgotten";
  /** What was stored; undefined when nothing was: it is gone either way. */
  readonly record: SubscriptionRecord | undefined;
}

export interface Registrations {
  /**
   * Stores the subscription in a request body.
   *
   * @throws UserError the codes of protocol/subscription.ts and of the store
   */
  register(body: unknown): Promise<Registered | Refusal>;
  /** Removes the subscription that a request body names by its endpoint. */
  forget(body: unknown): Promise<Forgotten | Refusal>;
  /** The stored subscription that a request body names by its endpoint. */
  find(body: unknown): Promise<SubscriptionRecord | Refusal>;
}

const bodyMembers = ["endpoint", "expirationTime", "keys", "applicationServerKey", "oldEndpoint"];

/** The registrations kept in a store. */
export function createRegistrations(options: RegistrationOptions): Registrations {
  const inTurn = createQueue();
  return {
    register: (body) => inTurn(() => register(body, options)),
    forget: (body) => inTurn(() => forget(body, options)),
    async find(body) {
      const endpoint = endpointIn(body);
      if (typeof endpoint !== "string") return endpoint;
      return findRecord(await recordsAbout([endpoint], options), endpoint) ?? notStored();
    },
  };
}

async function register(body: unknown, options: RegistrationOptions): Promise<Registered | Refusal> {
  const { store, clock, maxSubscriptions } = options;
  const read = await readRegistration(body, options);
  if ("kind" in read) return read;
  const { subscription, said, oldEndpoint } = read;
  const named = [subscription.endpoint, said, ...(oldEndpoint === undefined ? [] : [oldEndpoint])];
  const records = await recordsAbout([...new Set(named)], options);
  const older = olderOf(records, read);
  const isKnown = records.some((record) => record.subscription.endpoint === subscription.endpoint);
  if (!isKnown && older.length === 0) {
    const { total } = await store.count();
    if (total >= maxSubscriptions) return full(total);
  }
  // The new one first: killed in between, there is one too many rather than none.
  const tags = [...new Set(older.flatMap((record) => record.tags))];
  const [added] = await store.add([{ subscription, name: undefined, tags }], clock.now());
  if (added === undefined) throw new Error("the store answered nothing for what was added");
  await store.remove(older.map((record) => record.subscription.endpoint));
  const name = added.record.name ?? older.find((record) => record.name !== undefined)?.name;
  if (name !== added.record.name)
    await store.relabel([subscription.endpoint], (labels) => ({ ...labels, name }));
  return { kind: "registered", ...added, replacedId: older[0]?.id };
}

interface Registration {
  readonly subscription: Subscription;
  /** As the page said it, which is not always as it is stored. */
  readonly said: Endpoint;
  readonly oldEndpoint: Endpoint | undefined;
}

async function readRegistration(
  body: unknown,
  options: RegistrationOptions,
): Promise<Registration | Refusal> {
  const members = membersOf(body, bodyMembers, "the subscription");
  if (isRefusal(members)) return members;
  const keys = membersOf(members.get("keys") ?? {}, ["p256dh", "auth"], "the subscription's keys");
  if (isRefusal(keys)) return keys;
  const parsed = parseSubscription({
    endpoint: members.get("endpoint"),
    expirationTime: members.get("expirationTime"),
    keys: Object.fromEntries(keys),
    applicationServerKey: members.get("applicationServerKey"),
  });
  const made = parsed.applicationServerKey;
  if (made !== undefined && !(await options.holdsKey(made))) {
    return refuse(
      409,
      "key-unknown",
      `it was made with the key ${made.slice(0, 12)}…, which this project does not have`,
    );
  }
  const local = localEndpointOf(parsed.endpoint, options.localPushService);
  const refusal = local === undefined ? options.endpointRule(parsed.endpoint) : undefined;
  if (refusal !== undefined) return refusal;
  const old = members.get("oldEndpoint") ?? undefined;
  const oldEndpoint = old === undefined ? undefined : readEndpoint(old);
  if (typeof oldEndpoint === "object") return oldEndpoint;
  return {
    subscription: { ...parsed, endpoint: local ?? parsed.endpoint },
    said: parsed.endpoint,
    oldEndpoint,
  };
}

/** What the new subscription stands for: the one the browser replaced, and its own earlier addresses on this machine. */
function olderOf(
  records: readonly SubscriptionRecord[],
  { subscription, said, oldEndpoint }: Registration,
): readonly SubscriptionRecord[] {
  const replaced = oldEndpoint === undefined ? undefined : findRecord(records, oldEndpoint);
  return records.filter((record) => {
    const { endpoint } = record.subscription;
    if (endpoint === subscription.endpoint) return false;
    const isItself = endpoint === said || isSameLocally(endpoint, said);
    return record === replaced || isItself;
  });
}

async function forget(body: unknown, options: RegistrationOptions): Promise<Forgotten | Refusal> {
  const endpoint = endpointIn(body);
  if (typeof endpoint !== "string") return endpoint;
  const record = findRecord(await recordsAbout([endpoint], options), endpoint);
  if (record !== undefined) await options.store.remove([record.subscription.endpoint]);
  return { kind: "forgotten", record };
}

/**
 * The stored ones that these endpoints may stand for. Of a database no others are read, unless they may be of this
 * machine, where the same one goes by several addresses: then each has to be looked at.
 */
async function recordsAbout(
  endpoints: readonly Endpoint[],
  { store, localPushService }: RegistrationOptions,
): Promise<readonly SubscriptionRecord[]> {
  if (!Number.isFinite(store.mostAtOnce)) return store.list();
  if (localPushService === undefined && !endpoints.some((endpoint) => isLoopbackEndpoint(endpoint)))
    return (await Promise.all(endpoints.map((endpoint) => store.named(endpoint)))).flat();
  const found: SubscriptionRecord[] = [];
  for await (const record of store.stream()) {
    const stored = record.subscription.endpoint;
    if (endpoints.some((said) => stored === said || isSameLocally(stored, said))) found.push(record);
  }
  return found;
}

/** The record of an endpoint as the page says it, which may name a vendor where ours names this machine. */
function findRecord(records: readonly SubscriptionRecord[], said: Endpoint): SubscriptionRecord | undefined {
  return (
    records.find(({ subscription }) => subscription.endpoint === said) ??
    records.find(({ subscription }) => isSameLocally(subscription.endpoint, said))
  );
}

function endpointIn(body: unknown): Endpoint | Refusal {
  const members = membersOf(body, ["endpoint"], "the request");
  return isRefusal(members) ? members : readEndpoint(members.get("endpoint"));
}

function readEndpoint(value: unknown): Endpoint | Refusal {
  if (typeof value === "string") return parseEndpoint(value);
  return refuse(400, "endpoint-malformed", `the endpoint is ${value === undefined ? "missing" : "no text"}`);
}

function full(total: number): Refusal {
  return refuse(507, "store-full", `${total} subscriptions are stored, and no more are taken from pages`);
}

// Not 404: the page takes that for plain file hosting, with no server behind it.
function notStored(): Refusal {
  return refuse(409, "not-stored", "no stored subscription has this endpoint");
}

/** Runs jobs one after the other, whatever becomes of each. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return <Result>(job: () => Promise<Result>): Promise<Result> => {
    const done = last.then(job);
    last = done.catch(() => undefined);
    return done;
  };
}
