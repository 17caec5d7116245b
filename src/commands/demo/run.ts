/**
 * `webpush demo`: one message's whole way, on this machine, nothing faked.
 *
 * The steps are the commands' own code: keys and subscription go through a real
 * store, in a project that is thrown away; the message goes through the sender,
 * over a socket, to the emulator, and is decrypted by a receiver that knows only
 * its own keys.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, systemCode, UserError } from "../../base/errors.ts";
import { startEmulator } from "../../emulator/emulator.ts";
import { createReceiverKeys } from "../../protocol/decryption.ts";
import { checkPayloadSize } from "../../protocol/message.ts";
import { createPayload } from "../../protocol/payload.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import { subscribe, type HttpReceiver, type ReceivedMessage } from "../../receiver/http-receiver.ts";
import { createConfigStore, currentPair } from "../../store/config.ts";
import { locateProject } from "../../store/project.ts";
import { createSubscriptionStore } from "../../store/subscription-file.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { makePair } from "../keys/make.ts";
import { deliver, type Result } from "../send/deliver.ts";
import { planSend } from "../send/plan.ts";
import { readRecipients } from "../send/recipients.ts";
import type { DemoOptions } from "./command.ts";
import { arrivalJson, arrivalText, endingText, stepText, type Step } from "./render.ts";

/** Longer than any machine takes for one message over loopback. */
const patienceMs = 30_000;
const ttlSeconds = 600;

type Project = Pick<Context, "config" | "subscriptions">;

export async function run({ message }: DemoOptions, outer: Context): Promise<ExitCode> {
  // Before the story begins: what is wrong with the message is no part of it.
  if (message.trim() === "") {
    throw new UserError("payload-title-missing", "the message is empty", {
      hints: ["write something, or leave it out"],
    });
  }
  const payload = createPayload({ title: message });
  checkPayloadSize(payload.length, "aes128gcm");
  const folder = makeFolder();
  try {
    // Nothing of the person's own environment takes part: a proxy least of all.
    return await tell({ message, payload }, { ...outer, env: {}, ...openProject(folder) });
  } catch (error) {
    throw outer.signal.aborted ? interrupted(error) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface DemoMessage {
  readonly message: string;
  readonly payload: Uint8Array;
}

async function tell({ message, payload }: DemoMessage, context: Context): Promise<ExitCode> {
  const { io, clock, random, json } = context;
  const startedAt = clock.now();
  const narrate = (step: Step): void => {
    for (const line of stepText(step, io)) io.say(line);
  };
  const pair = await makeKeys(context);
  narrate({ name: "keys", publicKey: pair.publicKey });
  await using emulator = await startEmulator({ clock, random });
  narrate({ name: "service", origin: emulator.origin });
  const restriction = { applicationServerKey: pair.publicKey };
  await using receiver = await subscribe(emulator.origin, restriction, createReceiverKeys(random));
  await context.subscriptions.add(
    [{ subscription: receiver.subscription, name: "demo", tags: [] }],
    clock.now(),
  );
  narrate({ name: "subscription", subscription: receiver.subscription });
  // What is sent waits at the push service until the receiver asks for it.
  const sent = await sendOne(payload, context);
  narrate({ name: "sent", message, ttlSeconds, result: sent });
  const received = await firstMessage(receiver, context.signal);
  narrate({ name: "received" });
  if (json)
    io.out(arrivalJson({ sent, received, serviceOrigin: emulator.origin, publicKey: pair.publicKey }));
  else io.out(arrivalText(received, io));
  await receiver.unsubscribe();
  for (const line of endingText(clock.now() - startedAt, io)) io.say(line);
  return ExitCode.ok;
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

function openProject(folder: string): Project {
  const location = locateProject({ cwd: folder, configDir: folder, profile: undefined });
  return { config: createConfigStore(location), subscriptions: createSubscriptionStore(location) };
}

async function makeKeys(context: Context): Promise<VapidKeyPair> {
  const made = currentPair(await makePair({ subject: undefined, replacing: false }, context));
  if (made === undefined) throw new Error("a pair was made, but none is current");
  return made.pair;
}

async function sendOne(payload: Uint8Array, context: Context): Promise<Result> {
  const options = { to: ["demo"], subscription: [], endpoint: undefined, p256dh: undefined, auth: undefined };
  const { list, refused } = await readRecipients(options, context);
  const pairs = context.config.read().pairs.map(({ pair }) => pair);
  const plan = planSend({
    message: { payload, ttlSeconds, urgency: undefined, topic: undefined },
    recipients: list,
    refused,
    keys: { current: pairs[0], pairs, subject: undefined },
    encoding: undefined,
  });
  const how = { timeout: patienceMs, concurrency: 1, proxy: undefined, ca: undefined };
  const permissions = { allowHost: [], allowPrivate: false };
  for await (const result of deliver(plan, { ...how, ...permissions }, { ...context, subject: undefined })) {
    if (result.delivery.outcome === "accepted") return result;
    throw failed(
      `the push service on this machine answered ${result.delivery.outcome}`,
      result.delivery.reason,
    );
  }
  throw failed("the message was not sent", undefined);
}

async function firstMessage(receiver: HttpReceiver, signal: AbortSignal): Promise<ReceivedMessage> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for await (const received of receiver.receive(deadline)) {
    if (received.kind === "message") return received;
    throw failed("what arrived could not be decrypted", received.reason);
  }
  throw failed("nothing arrived", undefined);
}

function failed(what: string, why: string | undefined): UserError {
  return new UserError("demo-failed", why === undefined ? what : `${what}: ${why}`, {
    kind: "failed",
    hints: ["run it again with --verbose; if it fails again it is a bug of ours"],
  });
}
