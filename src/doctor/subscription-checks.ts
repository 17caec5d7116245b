/**
 * Checks of the stored subscriptions. What is wrong with one by itself is told by `store/check.ts`;
 * here is what each of its findings means for the project, and what is wrong with several together.
 */
import { isLoopbackEndpoint, shortenEndpoint } from "../protocol/subscription.ts";
import { createAddressGuard } from "../sender/address-guard.ts";
import { checkSubscription, type Finding as StoreFinding } from "../store/check.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { About, Check, Finding, Level } from "./check.ts";
import { valueOf, type ProjectFacts } from "./facts.ts";
import { ringOf } from "./key-checks.ts";

/** More than the file is good for: it is read and written whole each time. */
const mostStored = 10_000;
const idleMs = 30 * 86_400_000;

type Records = readonly SubscriptionRecord[];

export const subscriptionChecks: readonly Check<ProjectFacts>[] = [
  about({
    id: "subscriptions.stored",
    title: "stored subscriptions",
    why: "a push goes to a subscription that the page has handed in; without one there is nobody to send to",
    examine: (records) =>
      records.length === 0
        ? [{ level: "note", what: "there are none yet", fix: "webpush serve, or webpush subscriptions add" }]
        : [{ level: "good", what: `${records.length}` }],
  }),
  about({
    id: "subscriptions.gone",
    title: "subscriptions that are gone",
    why: "their browsers unsubscribed or were wiped; they are kept for a while and not sent to",
    examine: (records) => orGood(goneOf(records), "none"),
  }),
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
  about({
    id: "subscriptions.address",
    title: "addresses",
    why: "an endpoint comes from whoever subscribed, so send goes to public addresses on port 443 alone unless told otherwise",
    examine: (records) => {
      const guard = createAddressGuard({ private: false, hosts: [] });
      const found = records.flatMap((record): readonly Finding[] => {
        const why = guard.refusalOf(record.subscription.endpoint);
        if (why === undefined) return [];
        const { host } = new URL(record.subscription.endpoint);
        const fix = `remove it, or send with --allow-host ${host} if that is your own push service`;
        return [{ level: "warning", what: `send will not go there: ${why}`, fix, where: nameOf(record) }];
      });
      return orGood(found, "all are public, or this machine");
    },
  }),
  about({
    id: "subscriptions.local",
    title: "subscriptions at an emulator",
    why: "an emulator on this machine reaches a browser that was started with it, and nobody else",
    examine: (records) => {
      const local = records.filter(({ subscription }) => isLoopbackEndpoint(subscription.endpoint));
      const found = local.map((record): Finding => {
        return {
          level: "note",
          what: "it is on this machine, and reached while that runs",
          where: nameOf(record),
        };
      });
      return orGood(found, "none");
    },
  }),
  about({
    id: "subscriptions.duplicates",
    title: "the same browser twice",
    why: "keys are made with the subscription: two endpoints with the same keys are one browser copied, and one of them is wrong",
    examine: (records) => orGood(duplicatesOf(records), "none"),
  }),
  about({
    id: "subscriptions.idle",
    title: "subscriptions that never take a message",
    why: "what was not accepted for a month is most likely lost, and makes every broadcast slower",
    examine: (records, { now }) => {
      const idle = records.filter(
        ({ gone, wrongKey, lastResult, registeredAt }) =>
          gone === undefined &&
          wrongKey === undefined &&
          lastResult !== undefined &&
          !["accepted", "rejected", "wrong-key"].includes(lastResult.outcome) &&
          now - registeredAt > idleMs,
      );
      const found = idle.map((record): Finding => {
        const what = `stored for more than 30 days, and the last message came to nothing (${record.lastResult?.cause ?? ""})`;
        const fix = "see what its push service says: webpush send --to its id";
        return { level: "warning", what, fix, where: nameOf(record) };
      });
      return orGood(found, "none");
    },
  }),
  about({
    id: "subscriptions.number",
    title: "number of subscriptions",
    why: "the file is read and written whole by each command",
    examine: (records) => {
      if (records.length <= mostStored) return [{ level: "good", what: "no more than the file is good for" }];
      const what = `${records.length} is more than the file is good for (some ${mostStored})`;
      const fix = "keep them in your database, and hand them over: webpush send --to subscriptions.ndjson";
      return [{ level: "note", what, fix }];
    },
  }),
];

interface RecordsCheck extends Pick<Check<never>, "id" | "title" | "why"> {
  readonly examine: (records: Records, facts: ProjectFacts) => readonly Finding[];
}

/** A check of the records, skipped where they do not read. */
function about({ examine, ...rest }: RecordsCheck): Check<ProjectFacts> {
  return {
    ...rest,
    needs: "nothing",
    examine: (facts) => {
      const records = valueOf(facts.subscriptions);
      if (records !== undefined) return examine(records, facts);
      return [{ level: "skipped", what: "they cannot be read, see above" }];
    },
  };
}

/** A check that passes on one kind of what `webpush subscriptions check` finds. */
function fromStore(
  id: StoreFinding["id"],
  title: string,
  level: Level,
  { why, fix, about: subject }: { readonly why: string; readonly fix: string; readonly about?: About },
): Check<ProjectFacts> {
  return about({
    id: `subscriptions.${id}`,
    title,
    why,
    examine: (records, facts) => {
      const pairs = ringOf(facts)?.pairs ?? [];
      const found = records.flatMap((record) =>
        checkSubscription(record, { pairs, now: facts.now })
          .filter((finding) => finding.id === id)
          .map(({ what }): Finding => {
            const where = nameOf(record);
            return { level, what, fix, where, ...(subject === undefined ? {} : { about: subject }) };
          }),
      );
      return orGood(found, "none");
    },
  });
}

/** Some are in any list; when nobody is left, that is why no push is seen. */
function goneOf(records: Records): readonly Finding[] {
  const gone = records.filter((record) => record.gone !== undefined);
  const isAll = gone.length === records.length;
  return gone.map((record): Finding => {
    const what = `its push service called it gone (${record.gone?.cause ?? ""})${isAll ? ", and no other is left" : ""}`;
    const where = nameOf(record);
    if (!isAll) return { level: "note", what, fix: "forget them: webpush subscriptions prune", where };
    return {
      level: "problem",
      what,
      fix: "have the page visited, which subscribes anew",
      where,
      about: "gone",
    };
  });
}

function duplicatesOf(records: Records): readonly Finding[] {
  const byKey = new Map<string, SubscriptionRecord[]>();
  for (const record of records.filter(({ gone }) => gone === undefined)) {
    const { p256dh } = record.subscription;
    byKey.set(p256dh, [...(byKey.get(p256dh) ?? []), record]);
  }
  return [...byKey.values()].flatMap((same) => {
    const newest = same.reduce((a, b) => (b.registeredAt > a.registeredAt ? b : a));
    return same
      .filter((record) => record !== newest)
      .map((record): Finding => ({
        level: "warning",
        what: `it has the same keys as ${nameOf(newest)}, at another endpoint (${shortenEndpoint(record.subscription.endpoint)})`,
        fix: `remove the one that is out of date, most likely webpush subscriptions remove ${record.id}`,
        where: nameOf(record),
      }));
  });
}

function orGood(found: readonly Finding[], what: string): readonly Finding[] {
  return found.length === 0 ? [{ level: "good", what }] : found;
}

function nameOf({ id, name }: SubscriptionRecord): string {
  return name === undefined ? id : `${id} (${name})`;
}
