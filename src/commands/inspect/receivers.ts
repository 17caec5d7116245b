/** The keys of receivers that may be able to read a message. */
import { UserError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { ReceiverKeys } from "../../protocol/decryption.ts";
import { isRecord } from "../../protocol/spellings.ts";
import { readBytes } from "../../protocol/spellings.ts";
import type { SubscriptionKey } from "../../protocol/subscription.ts";
import { keyPairOf, parseVapidPrivateKey } from "../../protocol/vapid.ts";
import type { Context } from "../context.ts";
import { readInput } from "../input.ts";
import type { InspectOptions } from "./command.ts";

type Needs = Pick<Context, "io" | "cwd" | "receivers">;

const mostBytes = 64 * 1024;

/**
 * Those that the options name.
 *
 * @throws UserError `receiver-unknown`, `receiver-keys`
 */
export async function receiversOf(
  { receiver, receiverKeys }: Pick<InspectOptions, "receiver" | "receiverKeys">,
  context: Needs,
): Promise<readonly ReceiverKeys[]> {
  const named = receiver === undefined ? [] : [storedReceiver(receiver, context)];
  if (receiverKeys === undefined) return named;
  return [...named, readReceiverKeys(await readInput(receiverKeys, context, mostBytes))];
}

function storedReceiver(name: string, { receivers }: Needs): ReceiverKeys {
  const stored = receivers.read(name);
  if (stored !== undefined) return stored.keys;
  throw new UserError(
    "receiver-unknown",
    `webpush listen has no subscription called ${JSON.stringify(name)}`,
    {
      hints: [
        `its file would be ${receivers.pathOf(name)}`,
        "or give the keys in a file: --receiver-keys FILE",
      ],
    },
  );
}

/** `{"privateKey":…,"auth":…}`, base64url; other members are left alone. */
function readReceiverKeys(bytes: Uint8Array): ReceiverKeys {
  const json = parseJson(Buffer.from(bytes).toString("utf8"));
  const members = isRecord(json) && isRecord(json["keys"]) ? { ...json, ...json["keys"] } : json;
  if (!isRecord(members)) throw malformed("the file is no JSON object");
  const { privateKey, auth } = members;
  if (typeof privateKey !== "string") throw malformed("the file has no privateKey");
  const secret = readBytes(auth);
  if (secret?.length !== 16) throw malformed("the file has no auth of 16 bytes");
  const pair = keyPairOf(parseVapidPrivateKey(privateKey));
  return {
    publicKey: pair.publicKey as string as SubscriptionKey,
    privateKey: pair.privateKey,
    auth: new Secret(Buffer.from(secret).toString("base64url")),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed("the file is not JSON");
  }
}

function malformed(what: string): UserError {
  return new UserError("receiver-keys", `cannot use the receiver's keys: ${what}`, {
    hints: ['give {"privateKey":"…","auth":"…"}, both base64url'],
  });
}
