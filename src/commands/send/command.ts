/** `webpush send`: flags only. Nothing here opens a file, a socket or a store. */
import { Command, Option } from "commander";
import type { Topic, Urgency } from "../../protocol/message.ts";
import {
  directions,
  parseActions,
  parseData,
  parseDirection,
  type NotificationFields,
} from "../../protocol/payload.ts";
import { parseSubject, type ParsedSubject } from "../../protocol/subject.ts";
import type { ContentEncoding } from "../../protocol/subscription.ts";
import { allowHostOption, allowPrivateOption, collect, settingOption, type Dispatch } from "../dispatch.ts";
import { parseTimeout } from "../../settings/table.ts";
import { parseStartTime, type StartTime } from "./start-time.ts";
import { parseAppBadge, parseTimestamp } from "./values.ts";

/** Whom to send to. */
export interface RecipientOptions {
  readonly to: readonly string[];
  readonly subscription: readonly string[];
  readonly endpoint: string | undefined;
  readonly p256dh: string | undefined;
  readonly auth: string | undefined;
}

/** What to send: a notification's members, or exact bytes. */
export interface ContentOptions {
  readonly message: string | undefined;
  readonly title: string | undefined;
  readonly body: string | undefined;
  readonly icon: string | undefined;
  readonly badge: string | undefined;
  readonly image: string | undefined;
  readonly url: string | undefined;
  readonly tag: string | undefined;
  readonly lang: string | undefined;
  readonly dir: NotificationFields["dir"];
  readonly actions: NotificationFields["actions"];
  readonly data: NotificationFields["data"];
  readonly timestamp: number | undefined;
  readonly appBadge: number | undefined;
  readonly requireInteraction: boolean | undefined;
  readonly silent: boolean | undefined;
  readonly renotify: boolean | undefined;
  readonly mutable: boolean | undefined;
  readonly payload: string | undefined;
  readonly payloadFile: string | undefined;
}

/** How to send it. */
export interface TransportOptions {
  readonly ttl: number;
  readonly urgency: Urgency | undefined;
  readonly topic: Topic | undefined;
  readonly encoding: ContentEncoding | undefined;
  readonly timeout: number;
  readonly concurrency: number;
  /** Messages begun per second, over all; undefined for no limit. */
  readonly rate: number | undefined;
  readonly retries: number;
  /** The longest a service may ask to wait, in milliseconds. */
  readonly patience: number;
  /** Send again what may have arrived. */
  readonly retryAmbiguous: boolean;
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
  readonly allowHost: readonly string[];
  readonly allowPrivate: boolean;
}

/** Keys by flag, for people who come from the `web-push` tool. */
export interface KeyOptions {
  readonly vapidSubject: ParsedSubject | undefined;
  readonly vapidPubkey: string | undefined;
  readonly vapidPvtkey: string | undefined;
}

/** Leaving it to workers. */
export interface QueueOptions {
  readonly queue: boolean;
  readonly at: StartTime | undefined;
  /** For how long a worker that died keeps what it had taken, in milliseconds. */
  readonly lease: number | undefined;
  /** Flags on the command line that are about connections, which workers have and not this command. */
  readonly connecting: readonly string[];
}

export interface SendOptions
  extends RecipientOptions, ContentOptions, TransportOptions, KeyOptions, QueueOptions {
  readonly dryRun: boolean;
  readonly curl: boolean;
  readonly journal: string | undefined;
  readonly resumeAnyway: boolean;
  readonly prune: boolean;
  readonly yes: boolean;
}

export function sendCommand(dispatch: Dispatch): Command {
  const command = new Command("send")
    .summary("send a message to stored, given or piped subscriptions")
    .description(
      "Send a message to every stored subscription, or to those you name. Without a\n" +
        "message it is asked for at a terminal; in a script an empty push is sent.",
    )
    .argument("[message]", "the notification's text, or - to send stdin as it is");
  addRecipientOptions(command);
  addContentOptions(command);
  addTransportOptions(command);
  addQueueOptions(command);
  addRunOptions(command);
  addCompatibleSpellings(command);
  return command.addHelpText("after", examples).action((message: string | undefined, flags: SendFlags) =>
    dispatch<SendOptions>(() => import("./run.ts"), {
      ...toOptions(message, flags),
      connecting: connectingFlags(command),
    }),
  );
}

const examples = `
Examples:
  $ webpush send "Hello"
  $ webpush send --to phone --title "Order shipped" --url /orders/7
  $ webpush send --to tag:news --ttl 1h --topic digest "Three new articles"
  $ jq -c . note.json | webpush send --to phone
  $ webpush send --to subscriptions.ndjson --json "Hello" > results.ndjson
  $ export-users | webpush send --to - --journal news.journal --rate 500 "Hello"
  $ webpush send --queue --at 18:30 --to tag:news --ttl 6h "Hello"`;

/** What commander hands over: the options, with the compatible spellings beside them. */
type SendFlags = Omit<SendOptions, "message" | "connecting"> & { readonly key: string | undefined };

function toOptions(
  message: string | undefined,
  { key, ...flags }: SendFlags,
): Omit<SendOptions, "connecting"> {
  return { ...flags, message, p256dh: flags.p256dh ?? key };
}

const connecting = ["timeout", "concurrency", "patience", "proxy", "ca", "allowHost", "allowPrivate"];

/** Those given on the command line; what settings and environment say is for other runs too. */
function connectingFlags(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    const isGiven = connecting.includes(name) && command.getOptionValueSource(name) === "cli";
    return isGiven && option.long ? [option.long] : [];
  });
}

function addRecipientOptions(command: Command): void {
  command
    .optionsGroup("To whom:")
    .addOption(
      new Option("--to <who>", "an id, name, tag:NAME, all, file, or - for stdin; repeatable")
        .argParser(collect)
        .default([], "all stored"),
    )
    .addOption(
      new Option("--subscription <json>", "a subscription as JSON, or a file with one; repeatable")
        .argParser(collect)
        .default([]),
    )
    .option("--endpoint <url>", "a subscription part by part: its endpoint")
    .option("--p256dh <key>", "its p256dh key")
    .option("--auth <secret>", "its auth secret");
}

function addContentOptions(command: Command): void {
  command
    .optionsGroup("What:")
    .option("--title <text>", "title of the notification")
    .option("--body <text>", "text below the title")
    .option("--url <url>", "page to open on a click")
    .option("--icon <url>", "icon of the notification")
    .option("--badge <url>", "small monochrome icon (Android)")
    .option("--image <url>", "large picture (Chromium)")
    .option("--tag <tag>", "replace a shown notification with the same tag")
    .option("--actions <list>", "buttons: id=Label=https://…;id=Label, or JSON", parseActions)
    .option("--data <json>", "any JSON for your service worker", parseData)
    .option("--lang <code>", "language of the text, such as de")
    .addOption(directionOption())
    .option("--timestamp <time>", "time of the event, ISO 8601 or ms since 1970", parseTimestamp)
    .option("--app-badge <n>", "number on the app's icon (Safari)", parseAppBadge)
    .option("--require-interaction", "stay until dismissed")
    .option("--silent", "no sound or vibration")
    .option("--renotify", "alert again when replacing a tag")
    .option("--mutable", "let the service worker change it before it shows (Safari)")
    .option("--payload <text>", "send exactly this text instead of a notification")
    .option("--payload-file <file>", "send exactly these bytes");
}

function directionOption(): Option {
  const option = new Option("--dir <direction>", "direction of the text").argParser(parseDirection);
  option.argChoices = [...directions];
  return option;
}

function addTransportOptions(command: Command): void {
  command
    .optionsGroup("How:")
    .addOption(settingOption("ttl"))
    .addOption(settingOption("urgency"))
    .addOption(settingOption("topic"))
    .addOption(settingOption("encoding"))
    .addOption(settingOption("timeout"))
    .addOption(settingOption("concurrency"))
    .addOption(settingOption("rate"))
    .addOption(settingOption("retries"))
    .addOption(settingOption("patience"))
    .option("--no-retry-ambiguous", "never send again what may have arrived: at most once, not at least once")
    .addOption(settingOption("proxy"))
    .addOption(settingOption("ca"))
    .addOption(allowHostOption())
    .addOption(allowPrivateOption());
}

function addQueueOptions(command: Command): void {
  command
    .optionsGroup("With workers (webpush worker) and a database:")
    .option("--queue", "leave it to workers; ends after its TTL, an hour at least", false)
    .addOption(
      new Option("--at <time>", "begin then, not at once: +2h, 18:30, 2030-01-31T18:30").argParser(
        parseStartTime,
      ),
    )
    .addOption(
      new Option(
        "--lease <duration>",
        "when a worker dies, others take over after this long; default 2m",
      ).argParser(parseTimeout),
    );
}

function addRunOptions(command: Command): void {
  command
    .optionsGroup("This run:")
    .option("--dry-run", "print the requests instead of sending them", false)
    .option("--curl", "print curl commands that do the same, with body files", false)
    .option("--journal <file>", "write down who has it; with the same file, go on where a run ended")
    .option("--resume-anyway", "go on with a journal though message, keys or list have changed", false)
    .option("--no-prune", "do not mark subscriptions that turn out to be gone")
    .option("-y, --yes", "do not ask", false);
}

/** Spellings of the `web-push` tool, kept so that its users' scripts work; not advertised. */
function addCompatibleSpellings(command: Command): void {
  command
    .addOption(new Option("--key <key>").hideHelp())
    .addOption(new Option("--vapid-subject <contact>").argParser(parseSubject).hideHelp())
    .addOption(new Option("--vapid-pubkey <key>").hideHelp())
    .addOption(new Option("--vapid-pvtkey <key>").hideHelp());
}
