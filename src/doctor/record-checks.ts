/**
 * What can be wrong with one stored subscription, and what that means for the project. What it is by itself is told by
 * `store/check.ts`.
 */
import { isLoopbackEndpoint } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import { createAddressGuard } from "../sender/address-guard.ts";
import type { Finding as StoreFinding } from "../store/check.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { About, Check, Finding, Level } from "./check.ts";
import type { SubscriptionSurvey } from "./facts.ts";

const idleMs = 30 * 86_400_000;

/** What a survey knows before it begins. */
export interface SurveyFacts {
  readonly pairs: readonly { readonly publicKey: VapidPublicKey }[];
  readonly now: number;
}

/** Finds what is wrong with a record; `known` is what the store finds. */
export type Find = (record: SubscriptionRecord, known: readonly StoreFinding[]) => readonly Finding[];

export interface RecordCheck extends Pick<Check<never>, "id" | "title" | "why"> {
  /** In a few words, what to say where nothing is found. */
  readonly good: string;
  readonly begin: (facts: SurveyFacts) => Find;
  /** The same finding once all are known. */
  readonly among?: (finding: Finding, survey: SubscriptionSurvey) => Finding;
}

export const recordChecks: readonly RecordCheck[] = [
  {
    id: "subscriptions.gone",
    title: "subscriptions that are gone",
    why: "their browsers unsubscribed or were wiped; they are kept for a while and not sent to",
    good: "none",
    begin: () => (record) => {
      if (record.gone === undefined) return [];
      const what = `its push service called it gone (${record.gone.cause})`;
      const fix = "forget them: webpush subscriptions prune";
      return [{ level: "note", what, fix, where: nameOf(record) }];
    },
    among: amongTheGone,
  },
  fromStore("expired", "subscriptions past their time", "problem", {
    about: "gone",
    why: "the browser said until when it holds, and push services refuse it afterwards",
    fix: "forget them: webpush subscriptions prune --expired",
  }),
  fromStore("key.unknown", "keys that subscriptions were made with", "problem", {
    about: "credentials",
    why: "a subscription takes messages signed with the very key it was made with, and no other",
    fix: "import that pair: webpush keys import FILE --add; or have its page visited, which subscribes anew",
  }),
  fromStore("key.refused", "keys that were refused", "warning", {
    why: "the push service said it was made with another key; only its page can mend that",
    fix: "have its page visited again; until then it is left out of broadcasts",
  }),
  fromStore("endpoint.dead", "push services that are no more", "problem", {
    about: "gone",
    why: "nothing answers at these hosts any more, whoever holds such a subscription cannot be reached",
    fix: "forget them: webpush subscriptions prune --dead-hosts",
  }),
  fromStore("encoding", "encryption", "problem", {
    why: "a push service that does not know the coding refuses the message, or the browser cannot read it",
    fix: "add it again without contentEncoding",
  }),
  fromStore("refused", "messages that were refused", "warning", {
    why: "a refusal repeats itself until its cause is mended",
    fix: "send to it alone to see why: webpush send --to its id",
  }),
  {
    id: "subscriptions.address",
    title: "addresses",
    why: "an endpoint comes from whoever subscribed, so send goes to public addresses on port 443 alone unless told otherwise",
    good: "all are public, or this machine",
    begin() {
      const guard = createAddressGuard({ private: false, hosts: [] });
      return (record) => {
        const why = guard.refusalOf(record.subscription.endpoint);
        if (why === undefined) return [];
        const { host } = new URL(record.subscription.endpoint);
        const fix = `remove it, or send with --allow-host ${host} if that is your own push service`;
        return [{ level: "warning", what: `send will not go there: ${why}`, fix, where: nameOf(record) }];
      };
    },
  },
  {
    id: "subscriptions.local",
    title: "subscriptions at an emulator",
    why: "an emulator on this machine reaches a browser that was started with it, and nobody else",
    good: "none",
    begin: () => (record) =>
      isLoopbackEndpoint(record.subscription.endpoint)
        ? [
            {
              level: "note",
              what: "it is on this machine, and reached while that runs",
              where: nameOf(record),
            },
          ]
        : [],
  },
  {
    id: "subscriptions.idle",
    title: "subscriptions that never take a message",
    why: "what was not accepted for a month is most likely lost, and makes every broadcast slower",
    good: "none",
    begin:
      ({ now }) =>
      (record) =>
        isIdle(record, now) ? [idleFinding(record)] : [],
  },
];

/** A check that passes on one kind of what `webpush subscriptions check` finds. */
function fromStore(
  id: StoreFinding["id"],
  title: string,
  level: Level,
  { why, fix, about: subject }: { readonly why: string; readonly fix: string; readonly about?: About },
): RecordCheck {
  return {
    id: `subscriptions.${id}`,
    title,
    why,
    good: "none",
    begin: () => (record, known) =>
      known
        .filter((finding) => finding.id === id)
        .map(({ what }): Finding => {
          const where = nameOf(record);
          return { level, what, fix, where, ...(subject === undefined ? {} : { about: subject }) };
        }),
  };
}

/** Some are in any list; when nobody is left, that is why no push is seen. */
function amongTheGone(finding: Finding, { total, gone }: SubscriptionSurvey): Finding {
  if (gone < total) return finding;
  return {
    ...finding,
    level: "problem",
    what: `${finding.what}, and no other is left`,
    fix: "have the page visited, which subscribes anew",
    about: "gone",
  };
}

function isIdle({ gone, wrongKey, lastResult, registeredAt }: SubscriptionRecord, now: number): boolean {
  return (
    gone === undefined &&
    wrongKey === undefined &&
    lastResult !== undefined &&
    !["accepted", "rejected", "wrong-key"].includes(lastResult.outcome) &&
    now - registeredAt > idleMs
  );
}

function idleFinding(record: SubscriptionRecord): Finding {
  const what = `stored for more than 30 days, and the last message came to nothing (${record.lastResult?.cause ?? ""})`;
  const fix = "see what its push service says: webpush send --to its id";
  return { level: "warning", what, fix, where: nameOf(record) };
}

/** A subscription as people call it. */
export function nameOf({ id, name }: SubscriptionRecord): string {
  return name === undefined ? id : `${id} (${name})`;
}
