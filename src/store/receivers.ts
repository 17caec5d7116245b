/**
 * The identities of `webpush listen`: one private file each, `receivers/NAME.json` in the state folder.
 *
 * Whoever holds one receives and reads the messages of its subscription.
 */
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { parseEndpoint, type Endpoint, type SubscriptionKey } from "../protocol/subscription.ts";
import {
  keyPairOf,
  parseVapidPrivateKey,
  parseVapidPublicKey,
  type VapidPublicKey,
} from "../protocol/vapid.ts";
import { otherVersion } from "./config.ts";
import { expectObject, expectText, parseAt } from "./json.ts";
import { holdLock } from "./lock.ts";
import { makeProjectFolder, shownPath, type ProjectLocation } from "./project.ts";
import { StateFile, type StateFileFormat } from "./state-file.ts";

/** Who a receiver is at one push service. */
export interface StoredReceiver {
  /** Address of the push service. */
  readonly service: string;
  readonly userAgentId: string;
  readonly channelId: string;
  readonly endpoint: Endpoint;
  readonly keys: {
    readonly publicKey: SubscriptionKey;
    readonly privateKey: Secret<string>;
    readonly auth: Secret<string>;
  };
  readonly applicationServerKey: VapidPublicKey | undefined;
}

/** The identities of a project. */
export interface ReceiverStore {
  /** The identity's file, for messages to people. */
  pathOf(name: string): string;
  /** `undefined` when there is none of that name. */
  read(name: string): StoredReceiver | undefined;
  /** Writes it, or with `undefined` an empty file. */
  write(name: string, receiver: StoredReceiver | undefined): Promise<void>;
  /**
   * Keeps an identity to this process until disposed: a service ends the connection of whoever used it before.
   *
   * @throws UserError `receiver-busy` when another process has it
   */
  hold(name: string): Promise<HeldReceiver>;
}

/** An identity that no other process uses. */
export interface HeldReceiver extends AsyncDisposable {
  /** As it is now; `undefined` when there is none yet. */
  readonly identity: StoredReceiver | undefined;
}

/** The receiver identities in a project folder. */
export function createReceiverStore(project: ProjectLocation): ReceiverStore {
  const location = { ...project, folder: join(project.folder, "receivers") };
  const pathOf = (name: string) => join(location.folder, `${parseReceiverName(name)}.json`);
  const open = (name: string) => new StateFile(pathOf(name), location, format);
  return {
    pathOf: (name) => shownPath(pathOf(name), location),
    read: (name) => open(name).read(),
    write: async (name, receiver) => {
      await open(name).update(() => receiver);
    },
    async hold(name) {
      makeProjectFolder(location);
      const held = await holdLock(`${pathOf(name)}.in-use`);
      if (held === undefined) throw busy(name);
      return { ...held, identity: open(name).read() };
    },
  };
}

function busy(name: string): UserError {
  return new UserError("receiver-busy", `another process is listening as ${JSON.stringify(name)}`, {
    kind: "failed",
    hints: ["end it, or listen as somebody else with --name"],
  });
}

/**
 * Reads the name of an identity, which is also that of its file.
 *
 * @throws UserError `receiver-name`
 */
function parseReceiverName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return name;
  throw new UserError("receiver-name", `${JSON.stringify(name)} cannot be the name of a receiver`, {
    hints: ["use letters, digits, dots, dashes and underscores, starting with a letter or digit"],
  });
}

const version = 1;

const format: StateFileFormat<StoredReceiver | undefined> = {
  empty: undefined,
  parse(json) {
    const file = expectObject(json, "the file");
    if (file["version"] !== version) throw otherVersion(file["version"]);
    return file["receiver"] === undefined
      ? undefined
      : parseReceiver(expectObject(file["receiver"], "receiver"));
  },
  format: (receiver) => ({
    version,
    ...(receiver === undefined ? {} : { receiver: formatReceiver(receiver) }),
  }),
};

function parseReceiver(fields: Readonly<Record<string, unknown>>): StoredReceiver {
  const text = (name: string) => expectText(fields[name], name);
  const key = fields["applicationServerKey"];
  const { publicKey, privateKey } = parseAt("privateKey", () =>
    keyPairOf(parseVapidPrivateKey(text("privateKey"))),
  );
  return {
    service: text("service"),
    userAgentId: text("userAgentId"),
    channelId: text("channelId"),
    endpoint: parseAt("endpoint", () => parseEndpoint(text("endpoint"))),
    // A key pair like any other of the curve, in another role.
    keys: { publicKey: publicKey as string as SubscriptionKey, privateKey, auth: new Secret(text("auth")) },
    applicationServerKey:
      key === undefined
        ? undefined
        : parseAt("applicationServerKey", () => parseVapidPublicKey(expectText(key, "it"))),
  };
}

function formatReceiver({
  keys,
  applicationServerKey,
  ...receiver
}: StoredReceiver): Readonly<Record<string, unknown>> {
  return {
    ...receiver,
    privateKey: keys.privateKey.reveal(),
    auth: keys.auth.reveal(),
    ...(applicationServerKey === undefined ? {} : { applicationServerKey }),
  };
}
