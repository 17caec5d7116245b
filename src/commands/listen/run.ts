/**
 * `webpush listen`: a subscriber in the terminal.
 *
 * Exit codes: 0 when --count messages came, or when it was stopped and had no count
 * to reach; 6 when --timeout passed first, without a count when nothing came at all;
 * 130 when it was stopped before the count.
 */
import { UserError } from "../../base/errors.ts";
import type { Subscription } from "../../protocol/subscription.ts";
import {
  listen,
  unregister,
  type Identity,
  type ListenEvent,
  type MessageEvent,
  type UndecryptableEvent,
} from "../../receiver/autopush.ts";
import { createProxyRule, openProxyAgent } from "../../sender/proxy.ts";
import { keyRingOf } from "../key-ring.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { parseLabel } from "../subscriptions/labels.ts";
import type { ListenOptions } from "./command.ts";
import { readContent } from "./content.ts";
import { execute } from "./exec.ts";
import { forward } from "./forward.ts";
import {
  disconnectedText,
  handledText,
  messageJson,
  messageText,
  readyJson,
  readyText,
  subscriptionLine,
  type Handled,
} from "./render.ts";

export async function run(options: ListenOptions, context: Context): Promise<ExitCode> {
  const { receivers, env } = context;
  const save = options.save === undefined ? undefined : parseLabel("name", options.save);
  const name = options.name ?? defaultName(options.service);
  if (options.unregister && receivers.read(name) === undefined) return nothingToEnd(name, context);
  await using held = await receivers.hold(name);
  const { identity } = held;
  if (identity !== undefined && identity.service !== options.service)
    throw otherService(name, identity.service);
  const receiver = { identity, agent: await openAgent(options.service, env) };
  return options.unregister
    ? await end(name, receiver, context)
    : await hear(receiver, { ...options, save, name }, context);
}

/** Who listens, and how it connects. */
interface Receiver {
  readonly identity: Identity | undefined;
  readonly agent: ProxyAgent | undefined;
}

async function hear(receiver: Receiver, options: Taking, context: Context): Promise<ExitCode> {
  const { clock, random, signal } = context;
  const deadline = new AbortController();
  const stop = () => {
    deadline.abort();
  };
  const timer = options.timeout === undefined ? undefined : setTimeout(stop, options.timeout);
  const applicationServerKey = options.key ?? (await keyRingOf(context)).current?.publicKey;
  const until = AbortSignal.any([signal, deadline.signal]);
  const asked = { ...receiver, service: options.service, applicationServerKey, signal: until };
  let received = 0;
  try {
    for await (const event of listen(asked, { clock, random })) {
      received += await take(event, options, context);
      if (received === options.count) break;
    }
  } finally {
    clearTimeout(timer);
  }
  return exitCodeFor(received, options, deadline.signal.aborted && !signal.aborted);
}

function exitCodeFor(received: number, { count }: ListenOptions, isTimedOut: boolean): ExitCode {
  if (received >= (count ?? Number.POSITIVE_INFINITY)) return ExitCode.ok;
  if (isTimedOut) return count === undefined && received > 0 ? ExitCode.ok : ExitCode.later;
  return count === undefined ? ExitCode.ok : ExitCode.interrupted;
}

type ProxyAgent = Awaited<ReturnType<typeof openProxyAgent>>;

type Taking = ListenOptions & { readonly name: string };

/** Shows one event; answers how many messages it was. */
async function take(event: ListenEvent, options: Taking, context: Context): Promise<0 | 1> {
  const { io, json } = context;
  switch (event.type) {
    case "ready":
      await welcome(event, options, context);
      return 0;
    case "disconnected":
      io.say(disconnectedText(event.why, event.retryInMs));
      return 0;
    case "message":
    case "undecryptable": {
      if (!json) io.out(messageText(event, io));
      const handled = await handle(event, options, context);
      if (json) io.out(messageJson(event, handled));
      else for (const line of handledText(handled)) io.say(line);
      return 1;
    }
    default:
      return event satisfies never;
  }
}

async function welcome(
  { at, identity, subscription, isNew }: Extract<ListenEvent, { type: "ready" }>,
  { service, save, name }: Taking,
  context: Context,
): Promise<void> {
  const { io, json, receivers } = context;
  const before = receivers.read(name);
  if (before?.endpoint !== identity.endpoint) await receivers.write(name, identity);
  if (save !== undefined) await store(subscription, { name: save, before }, context);
  const ready = { subscription, service, isNew, savedAs: save };
  if (json) io.out(readyJson(ready, at));
  else if (save === undefined) io.out(subscriptionLine(subscription));
  for (const line of readyText(ready, io)) io.say(line);
}

/** Stores the subscription, in place of the one this receiver had before under the same name. */
async function store(
  subscription: Subscription,
  { name, before }: { readonly name: string; readonly before: Identity | undefined },
  { subscriptions, clock }: Context,
): Promise<void> {
  if (before !== undefined && before.endpoint !== subscription.endpoint) {
    await subscriptions.remove([before.endpoint], (record) => record.name === name);
  }
  await subscriptions.add([{ subscription, name, tags: [] }], clock.now());
}

async function handle(
  event: MessageEvent | UndecryptableEvent,
  { exec, forwardTo }: ListenOptions,
  { io, json, env, cwd, forceSignal }: Context,
): Promise<Handled> {
  if (event.type === "undecryptable") return { exitCode: undefined, forwarded: undefined };
  const payload = event.payload ?? new Uint8Array();
  const show = (line: string) => {
    const safe = printable(line, { layout: true, limit: 100_000 });
    if (json) io.say(safe);
    else io.out(safe);
  };
  const exitCode =
    exec === undefined
      ? undefined
      : await execute({
          command: exec,
          payload,
          fields: fieldsOf(event),
          env,
          cwd,
          signal: forceSignal,
          out: show,
          err: (line) => {
            io.err(printable(line, { layout: true, limit: 100_000 }));
          },
        });
  const forwarded =
    forwardTo === undefined
      ? undefined
      : await forward(forwardTo, payload, { id: event.id, signal: forceSignal });
  return { exitCode, forwarded };
}

/** What `--exec` finds in its environment. Not `WEBPUSH_TITLE` and the like: those are flags of `webpush send`. */
function fieldsOf(event: MessageEvent): Readonly<Record<string, string>> {
  const { text = "", title = "", body = "" } = readContent(event.payload);
  return {
    WEBPUSH_MESSAGE_ID: event.id,
    WEBPUSH_MESSAGE_TIME: new Date(event.at).toISOString(),
    WEBPUSH_MESSAGE_ENCODING: event.contentEncoding ?? "",
    WEBPUSH_MESSAGE_TEXT: text,
    WEBPUSH_MESSAGE_TITLE: title,
    WEBPUSH_MESSAGE_BODY: body,
  };
}

function nothingToEnd(name: string, { io, receivers }: Context): ExitCode {
  io.say(`there is no subscription to end: ${printable(receivers.pathOf(name))} is empty or missing`);
  return ExitCode.ok;
}

async function end(name: string, { identity, agent }: Receiver, context: Context): Promise<ExitCode> {
  const { io, receivers, signal } = context;
  if (identity === undefined) return nothingToEnd(name, context);
  await unregister(identity, { signal, agent });
  await receivers.write(name, undefined);
  io.say("unsubscribed; whoever sends to it from now on is told that it is gone");
  return ExitCode.ok;
}

/** The proxy on the way to the service, if there is one (`HTTPS_PROXY`, `NO_PROXY`). */
async function openAgent(service: string, env: Context["env"]): Promise<ProxyAgent | undefined> {
  const proxy = createProxyRule({ url: undefined, environment: env })(service);
  return proxy === undefined ? undefined : openProxyAgent(proxy);
}

/** One identity per service: `push.services.mozilla.com`, `127.0.0.1-8030`, `127.0.0.1-8030-as-apple`. */
function defaultName(service: string): string {
  const { host, search } = new URL(service);
  return `${host}${search}`.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
}

function otherService(name: string, service: string): UserError {
  return new UserError("receiver-service", `the receiver ${name} is subscribed at ${service}`, {
    hints: ["choose another --name, or end it with --unregister first"],
  });
}
