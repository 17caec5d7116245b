/** `webpush store copy`: every subscription of one store into another, and its keys when asked for. */
import { UserError } from "../../base/errors.ts";
import type { KeyStore } from "../../store/postgres/config-store.ts";
import type { RestoredCounts, SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { CopyOptions } from "./command.ts";
import { openPlace, type Place } from "./place.ts";
import { copiedJson, copiedText, copyingText, keysWarning } from "./render.ts";

type Needs = Pick<Context, "io" | "prompt" | "settings" | "cwd" | "json" | "signal">;

/** Enough for one COPY to pay, few enough to hold. */
const batchSize = 10_000;

export async function run(options: CopyOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  await using from = await openPlace(options.from, context);
  await using to = await openPlace(options.to, context);
  if (from.shown === to.shown) throw samePlace(to.shown);
  await from.assertReady();
  await to.assertReady();
  if (options.keys) for (const line of keysWarning(to.shown, io)) io.err(line);
  if (!options.yes) await confirm(from, to, context);
  const keys = options.keys ? await copyKeys(from.keys, to.keys) : 0;
  const counts = await copyRecords(from, to, context);
  const copied = { from: from.shown, to: to.shown, keys, ...counts };
  if (json) io.out(copiedJson(copied));
  else for (const line of copiedText(copied)) io.say(line);
  return ExitCode.ok;
}

async function copyRecords(from: Place, to: Place, { io, signal }: Needs): Promise<RestoredCounts> {
  let counts: RestoredCounts = { added: 0, updated: 0, unchanged: 0, unnamed: 0 };
  let batch: SubscriptionRecord[] = [];
  const flush = async (): Promise<void> => {
    counts = sumOf(counts, await to.subscriptions.restore(batch));
    batch = [];
    io.status.show(copyingText(counts));
  };
  try {
    for await (const record of from.records()) {
      if (signal.aborted) throw interrupted();
      batch.push(record);
      if (batch.length === batchSize) await flush();
    }
    if (batch.length > 0) await flush();
  } finally {
    io.status.clear();
  }
  return counts;
}

function sumOf(one: RestoredCounts, other: RestoredCounts): RestoredCounts {
  return {
    added: one.added + other.added,
    updated: one.updated + other.updated,
    unchanged: one.unchanged + other.unchanged,
    unnamed: one.unnamed + other.unnamed,
  };
}

/** Adds the pairs that are not there yet; the current one there stays the current one. Answers how many it added. */
async function copyKeys(from: KeyStore, to: KeyStore): Promise<number> {
  const source = await from.read();
  let added = 0;
  await to.update((there) => {
    const known = new Set(there.pairs.map(({ pair }) => pair.publicKey));
    const missing = source.pairs.filter(({ pair }) => !known.has(pair.publicKey));
    added = missing.length;
    return {
      current: there.current ?? source.current,
      subject: there.subject ?? source.subject,
      pairs: [...there.pairs, ...missing],
    };
  });
  return added;
}

async function confirm(from: Place, to: Place, { prompt }: Needs): Promise<void> {
  const what = `copy all subscriptions of ${from.shown} to ${to.shown}`;
  if (!prompt.available) {
    throw new UserError("unconfirmed", `would ${what}`, { hints: ["add --yes if that is what you want"] });
  }
  if (await prompt.confirm(`${what}?`, true)) return;
  throw new UserError("declined", "nothing was changed", { kind: "failed" });
}

function samePlace(shown: string): UserError {
  return new UserError("store-place", `both places are ${shown}`, {
    hints: ["name two different ones, such as local and the address of a database"],
  });
}

function interrupted(): UserError {
  return new UserError("interrupted", "interrupted; what was copied stays", {
    kind: "interrupted",
    hints: ["run it again to copy the rest"],
  });
}
