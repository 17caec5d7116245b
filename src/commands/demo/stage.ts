/**
 * What every telling of the demo needs: a project that is thrown away, its keys, and one message sent.
 *
 * The code is that of the commands; only the folder is the demo's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, systemCode, UserError } from "../../base/errors.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import { createConfigStore, currentPair } from "../../store/config.ts";
import { locateProject } from "../../store/project.ts";
import { createSubscriptionStore } from "../../store/subscription-file.ts";
import type { Context } from "../context.ts";
import { makePair } from "../keys/make.ts";
import { deliver, once, type Result } from "../send/deliver.ts";
import { planSend } from "../send/plan.ts";
import { readRecipients } from "../send/recipients.ts";

/** Longer than any machine takes for one message over loopback. */
export const patienceMs = 30_000;
export const ttlSeconds = 600;

/** Runs `play` in a project of its own, of which nothing is left. */
export async function onStage<Result>(
  outer: Context,
  play: (context: Context) => Promise<Result>,
): Promise<Result> {
  const folder = makeFolder();
  try {
    // Nothing of the person's own environment takes part: a proxy least of all.
    return await play({ ...outer, env: {}, ...openProject(folder) });
  } catch (error) {
    throw outer.signal.aborted ? interrupted(error) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "webpush-demo-"));
  } catch (error) {
    throw new UserError(
      "demo-failed",
      `cannot make a folder in ${tmpdir()} (${systemCode(error) ?? messageOf(error)})`,
      { kind: "failed", hints: ["set TMPDIR to a folder you may write to"], cause: error },
    );
  }
}

function interrupted(cause: unknown): UserError {
  return new UserError("interrupted", "interrupted", { kind: "interrupted", cause });
}

function openProject(folder: string): Pick<Context, "config" | "subscriptions"> {
  const location = locateProject({ cwd: folder, configDir: folder, profile: undefined });
  return { config: createConfigStore(location), subscriptions: createSubscriptionStore(location) };
}

/** Makes the project's keys as `webpush keys` does. */
export async function makeKeys(context: Context): Promise<VapidKeyPair> {
  const made = currentPair(await makePair({ subject: undefined, replacing: false }, context));
  if (made === undefined) throw new Error("a pair was made, but none is current");
  return made.pair;
}

/** Sends to one stored subscription, by its name or id, as `webpush send` does. */
export async function sendOne(payload: Uint8Array, to: string, context: Context): Promise<Result> {
  const options = { to: [to], subscription: [], endpoint: undefined, p256dh: undefined, auth: undefined };
  const { known } = await readRecipients(options, context);
  const { pairs: kept } = await context.config.read();
  const pairs = kept.map(({ pair }) => pair);
  const plan = planSend(known, {
    message: { payload, ttlSeconds, urgency: undefined, topic: undefined },
    keys: { current: pairs[0], pairs, tenures: [], subject: undefined },
    encoding: undefined,
  });
  const how = { ...once, timeout: patienceMs, proxy: undefined, ca: undefined };
  const permissions = { allowHost: [], allowPrivate: false, allowLoopback: true };
  for await (const result of deliver(plan, { ...how, ...permissions }, { ...context, subject: undefined })) {
    if (result.delivery.outcome === "accepted") return result;
    throw failed(
      `the push service on this machine answered ${result.delivery.outcome}`,
      result.delivery.reason,
    );
  }
  throw failed("the message was not sent", undefined);
}

/** The error for a step that did not come out as it should. */
export function failed(what: string, why: string | undefined): UserError {
  return new UserError("demo-failed", why === undefined ? what : `${what}: ${why}`, {
    kind: "failed",
    hints: ["run it again with --verbose; if it fails again it is a bug of ours"],
  });
}
