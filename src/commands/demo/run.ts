/**
 * `webpush demo`: one message's whole way, on this machine, nothing faked.
 *
 * The steps are the commands' own code: keys and subscription go through a real
 * store, in a project that is thrown away; the message goes through the sender,
 * over a socket, to the emulator, and is decrypted by a receiver that knows only
 * its own keys.
 */
import { UserError } from "../../base/errors.ts";
import { startEmulator } from "../../emulator/emulator.ts";
import { createReceiverKeys } from "../../protocol/decryption.ts";
import { checkPayloadSize } from "../../protocol/message.ts";
import { createPayload } from "../../protocol/payload.ts";
import { subscribe, type HttpReceiver, type ReceivedMessage } from "../../receiver/http-receiver.ts";
import { warnOfIdleFlags } from "../browser/idle.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { DemoOptions } from "./command.ts";
import { arrivalJson, arrivalText, endingText, stepText, titleOf, type Step } from "./render.ts";
import { failed, makeKeys, onStage, patienceMs, sendOne, ttlSeconds } from "./stage.ts";

export async function run(options: DemoOptions, context: Context): Promise<ExitCode> {
  const { message, browser } = options;
  // Before the story begins: what is wrong with the message is no part of it.
  if (message.trim() === "") {
    throw new UserError("payload-title-missing", "the message is empty", {
      hints: ["write something, or leave it out"],
    });
  }
  const payload = createPayload({ title: message });
  checkPayloadSize(payload.length, "aes128gcm");
  if (browser === undefined) {
    warnOfIdleFlags(options, "--browser", context.io);
    return onStage(context, (stage) => tell({ message, payload }, stage));
  }
  // Loaded for this telling alone: it brings a server and a browser.
  const { tellInBrowser } = await import("./browser.ts");
  const demo = { ...options, browser, payload, env: context.env };
  return onStage(context, (stage) => tellInBrowser(demo, stage));
}

interface DemoMessage {
  readonly message: string;
  readonly payload: Uint8Array;
}

async function tell({ message, payload }: DemoMessage, context: Context): Promise<ExitCode> {
  const { io, clock, random, json } = context;
  const startedAt = clock.now();
  const narrate = (step: Step): void => {
    for (const line of stepText(step, "terminal", io)) io.say(line);
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
  narrate({ name: "subscription", subscription: receiver.subscription, by: "receiver" });
  // What is sent waits at the push service until the receiver asks for it.
  const sent = await sendOne(payload, "demo", context);
  narrate({ name: "sent", to: "demo", message, ttlSeconds, result: sent });
  const received = await firstMessage(receiver, context.signal);
  narrate({ name: "received" });
  const title = titleOf(received.payload);
  const record = { sent, title, encryptedBytes: received.bodyBytes, publicKey: pair.publicKey };
  if (json)
    io.out(arrivalJson({ ...record, serviceOrigin: emulator.origin, browser: undefined, after: undefined }));
  else io.out(arrivalText(title, io));
  await receiver.unsubscribe();
  for (const line of endingText(clock.now() - startedAt, io)) io.say(line);
  return ExitCode.ok;
}

async function firstMessage(receiver: HttpReceiver, signal: AbortSignal): Promise<ReceivedMessage> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for await (const received of receiver.receive(deadline)) {
    if (received.kind === "message") return received;
    throw failed("what arrived could not be decrypted", received.reason);
  }
  throw failed("nothing arrived", undefined);
}
