/**
 * What a message says: a notification built from flags, exact bytes, or nothing.
 */
import { UserError } from "../../base/errors.ts";
import { createPayload, type NotificationFields } from "../../protocol/payload.ts";
import type { Context } from "../context.ts";
import { readInput } from "../input.ts";
import type { ContentOptions, RecipientOptions, SendOptions } from "./command.ts";

type Needs = Pick<Context, "io" | "prompt" | "cwd" | "json">;

/** More than any service takes; read no further. */
const largestPayloadBytes = 64 * 1024;

const fieldNames = [
  "title",
  "body",
  "icon",
  "badge",
  "image",
  "url",
  "tag",
  "lang",
  "dir",
  "actions",
  "data",
  "timestamp",
  "appBadge",
  "requireInteraction",
  "silent",
  "renotify",
  "mutable",
] as const satisfies readonly (keyof NotificationFields)[];

/**
 * The bytes to send; undefined for an empty push, which the protocol allows.
 *
 * @throws UserError `payload-twice`, `stdin-twice`, and those of payload.ts and input.ts
 */
export async function readContent(options: SendOptions, context: Needs): Promise<Uint8Array | undefined> {
  const fields = fieldsOf(options);
  const isNotification = fields !== undefined;
  const given = [
    isNotification || (options.message !== undefined && options.message !== "-"),
    options.payload !== undefined,
    options.payloadFile !== undefined,
    options.message === "-",
  ];
  if (given.filter(Boolean).length > 1) throw twice();
  if (options.payload !== undefined) return nonEmpty(Buffer.from(options.payload));
  if (options.payloadFile !== undefined) return read(options.payloadFile, options, context);
  if (options.message === "-") return read("-", options, context);
  if (isNotification || options.message !== undefined)
    return createPayload(withMessage(fields ?? {}, options.message));
  if (context.io.terminal.in) return ask(context);
  // Whoever pipes recipients in has no second stdin for a payload.
  return readsRecipientsFromStdin(options) ? undefined : read("-", options, context);
}

/** The notification members that were given; undefined when none was. */
function fieldsOf(options: ContentOptions): NotificationFields | undefined {
  const given = fieldNames.flatMap((name) =>
    isGiven(name, options[name]) ? [[name, options[name]] as const] : [],
  );
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** A switch that the environment turns off, `WEBPUSH_SILENT=0`, is as good as absent. */
function isGiven(name: (typeof fieldNames)[number], value: unknown): boolean {
  return value !== undefined && (value !== false || name === "data");
}

/** The message is the title, or the text below it when there is a title already. */
function withMessage(fields: NotificationFields, message: string | undefined): NotificationFields {
  if (message === undefined) return fields;
  if (fields.title === undefined) return { ...fields, title: message };
  if (fields.body === undefined) return { ...fields, body: message };
  throw new UserError("payload-twice", "the message is given twice: as an argument and by --body", {
    hints: ["leave out one of them"],
  });
}

async function read(
  file: string,
  options: RecipientOptions,
  context: Needs,
): Promise<Uint8Array | undefined> {
  if (file === "-" && readsRecipientsFromStdin(options)) {
    throw new UserError("stdin-twice", "stdin cannot be both recipients and payload", {
      hints: ["give one of them as a file"],
    });
  }
  return nonEmpty(await readInput(file, context, largestPayloadBytes));
}

function readsRecipientsFromStdin({ to, subscription }: RecipientOptions): boolean {
  return to.includes("-") || subscription.includes("-");
}

function nonEmpty(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === 0 ? undefined : bytes;
}

async function ask({ prompt }: Needs): Promise<Uint8Array | undefined> {
  if (!prompt.available) return undefined;
  const title = await prompt.input("Title of the notification", required);
  const body = await prompt.input("Text below it (may stay empty)", (text) => text, "");
  return createPayload(body === "" ? { title } : { title, body });
}

function required(text: string): string {
  if (text.trim() !== "") return text;
  throw new UserError("payload-title-missing", "a notification needs a title");
}

function twice(): UserError {
  return new UserError("payload-twice", "the message is given in more than one way", {
    hints: ["use one of: a notification by text and flags, --payload, --payload-file, or - for stdin"],
  });
}
