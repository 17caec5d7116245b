/**
 * What `--queue` does not go with, told before anything is read: workers on other machines send what is stored, with
 * their own keys and connections.
 */
import { UserError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import { requireStoreAddress } from "../store-address.ts";
import type { SendOptions } from "./command.ts";
import { delayUntil } from "./start-time.ts";
import { isList } from "./targets.ts";

type Needs = Pick<Context, "storeAddress" | "subscriptions" | "cwd" | "clock">;

/**
 * @throws UserError `queue-flags`, `queue-recipients`, `store-required`, `start-past`, `start-time`
 */
export async function checkQueueing(options: SendOptions, context: Needs): Promise<void> {
  if (!options.queue) {
    if (options.at !== undefined) throw onlyQueued("--at");
    if (options.lease !== undefined) throw onlyQueued("--lease");
    return;
  }
  requireStoreAddress(context);
  for (const { flag, isGiven, advice } of refusedFlags) {
    if (isGiven(options)) throw new UserError("queue-flags", `${flag} does not go with --queue`, advice);
  }
  const [flag] = options.connecting;
  if (flag !== undefined)
    throw new UserError("queue-flags", `${flag} does not go with --queue`, connectingAdvice);
  await assertStored(options, context);
  if (options.at !== undefined) delayUntil(options.at, context.clock.now());
}

function onlyQueued(flag: string): UserError {
  return new UserError("queue-flags", `${flag} goes with --queue only`, {
    hints: [`add --queue, which leaves the message to workers, or leave ${flag} out`],
  });
}

interface RefusedFlag {
  readonly flag: string;
  readonly isGiven: (options: SendOptions) => boolean;
  readonly advice: { readonly hints: readonly string[] };
}

const keysAdvice = {
  hints: ["workers sign with their own keys: store the pair with webpush keys import, or leave this out"],
};

const connectingAdvice = {
  hints: ["leave it out: workers have the connections, and flags for them: webpush worker --help"],
};

const refusedFlags: readonly RefusedFlag[] = [
  {
    flag: "--journal",
    isGiven: ({ journal }) => journal !== undefined,
    advice: { hints: ["leave it out: the database knows who has it, and goes on where a worker ended"] },
  },
  {
    flag: "--curl",
    isGiven: ({ curl }) => curl,
    advice: { hints: ["use --curl without --queue, or --dry-run to see how many it would go to"] },
  },
  {
    flag: "--no-retry-ambiguous",
    isGiven: ({ retryAmbiguous }) => !retryAmbiguous,
    advice: { hints: ["workers send at least once; for at most once, send without --queue"] },
  },
  { flag: "--vapid-pubkey", isGiven: ({ vapidPubkey }) => vapidPubkey !== undefined, advice: keysAdvice },
  { flag: "--vapid-pvtkey", isGiven: ({ vapidPvtkey }) => vapidPvtkey !== undefined, advice: keysAdvice },
  { flag: "--vapid-subject", isGiven: ({ vapidSubject }) => vapidSubject !== undefined, advice: keysAdvice },
];

/** A campaign goes to those who are stored: the list would have to outlive this command. */
async function assertStored(options: SendOptions, context: Needs): Promise<void> {
  const { to, subscription, endpoint, p256dh, auth } = options;
  if (subscription.length > 0) throw notStored("--subscription");
  if (endpoint !== undefined || p256dh !== undefined || auth !== undefined) throw notStored("--endpoint");
  for (const one of new Set(to))
    if (one.trim() !== "" && (await isList(one, context.subscriptions, context)))
      throw notStored(`--to ${one}`);
}

function notStored(what: string): UserError {
  return new UserError(
    "queue-recipients",
    `${what} does not go with --queue: workers send to what is stored`,
    {
      hints: ["store them first: webpush subscriptions import FILE --tag NAME, then --to tag:NAME"],
    },
  );
}
