/** What each `--to` means: stored subscriptions by name, a group of them, or a list to be read. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { SubscriptionReader } from "../../store/readers.ts";
import { isEmpty, isTagSelector, selectFrom, tagOf } from "../../store/selector.ts";
import type { StreamFilter, SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";

export interface Target {
  readonly to: string;
  /** Those that are asked for by id or name. */
  readonly records: readonly SubscriptionRecord[];
  /** Those that are asked for as a group, however many; they are read when they are sent to. */
  readonly group: StreamFilter | undefined;
  /** The list to be read; `-` for stdin. */
  readonly file: string | undefined;
}

/**
 * What all of `wanted` mean.
 *
 * @throws UserError `recipients-missing`, `subscription-unknown`, `subscription-ambiguous`
 */
export async function findTargets(
  wanted: readonly string[],
  store: SubscriptionReader,
  context: Pick<Context, "cwd">,
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (const to of wanted) targets.push({ ...nothing, to, ...(await findTarget(to, store, context)) });
  return targets;
}

const nothing = { records: [], group: undefined, file: undefined };

async function findTarget(
  to: string,
  store: SubscriptionReader,
  { cwd }: Pick<Context, "cwd">,
): Promise<Partial<Target>> {
  if (to === "-") return { file: to };
  if (/^https?:\/\//i.test(to)) throw endpointAsTarget(to);
  if (to === "all") return { group: { living: true } };
  if (isTagSelector(to)) {
    const tag = tagOf(to);
    // Nobody is tagged so, not even somebody gone: a slip of the pen, and the selector says which.
    if (await isEmpty(store.stream({ tag }))) await selectFrom(store, [to]);
    return { group: { tag, living: true } };
  }
  if (await isListFile(to, store, { cwd })) return { file: to };
  return { records: await selectFrom(store, [to]) };
}

/** Whether it is a file that is meant, and nobody who is stored. */
async function isListFile(
  to: string,
  store: SubscriptionReader,
  { cwd }: Pick<Context, "cwd">,
): Promise<boolean> {
  return isFile(to, cwd) && !(await isStored(to, store));
}

/** Whether recipients would be read from somewhere else than the store. */
export async function isList(
  to: string,
  store: SubscriptionReader,
  context: Pick<Context, "cwd">,
): Promise<boolean> {
  if (to === "-") return true;
  return to !== "all" && !isTagSelector(to) && (await isListFile(to, store, context));
}

/** Whether something goes by this very id or name; the beginning of an id gives way to a file. */
async function isStored(to: string, store: SubscriptionReader): Promise<boolean> {
  return (await store.named(to)).some(({ id, name }) => id === to || name === to);
}

/** There, or named as only a file would be: then its absence is what to complain about. */
function isFile(path: string, cwd: string): boolean {
  return existsSync(resolve(cwd, path)) || /[/\\]|\.(?:json|jsonl|ndjson|csv)$/i.test(path);
}

/** An endpoint alone cannot be encrypted for, and is a secret: it is not repeated whole. */
function endpointAsTarget(to: string): UserError {
  return new UserError("recipients-missing", `--to does not take an endpoint (${shortenEndpoint(to)})`, {
    hints: [
      'give the whole subscription: --subscription \'{"endpoint":…,"keys":…}\', or --endpoint with --p256dh and --auth',
      "or the id or name of a stored one: webpush subscriptions list",
    ],
  });
}
