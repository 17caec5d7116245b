/** The Chromium door without a port: a push service under a test clock, its HTTP part, and streams in memory. */
import { duplexPair } from "node:stream";
import { onTestFinished } from "vitest";
import { createChromiumDoor, type ChromiumDoorOptions } from "../../../src/emulator/chromium-door/door.ts";
import type { Created, PushInput } from "../../../src/emulator/exchange.ts";
import { createTlsIdentity } from "../../../src/emulator/certificate.ts";
import { openPort } from "../../../src/emulator/port.ts";
import type { PushServiceOptions } from "../../../src/emulator/push-service.ts";
import { pushRoutes } from "../../../src/emulator/push-routes.ts";
import { samplePair } from "../../support/samples.ts";
import { McsClient, type LoginFields } from "../../support/mcs-client.ts";
import { countingRandom, created, createMachine, textMessage, type Machine } from "../machine.ts";
import { call, type Answer } from "../wire.ts";

export const pair = samplePair("ours");

export interface Door extends Machine, AsyncDisposable {
  readonly origin: string;
  /** A stream that has said nothing yet. */
  readonly stream: () => McsClient;
  readonly close: () => Promise<void>;
}

type Options = Partial<Omit<PushServiceOptions, "onEvent">> &
  Partial<Pick<ChromiumDoorOptions, "loginTimeoutMs" | "heartbeatMs" | "missedAfterMs">>;

export async function openDoor(options: Options = {}): Promise<Door> {
  const { loginTimeoutMs, heartbeatMs, missedAfterMs, ...serviceOptions } = options;
  const machine = createMachine(serviceOptions);
  const { service, clock } = machine;
  const times = Object.fromEntries(
    Object.entries({ loginTimeoutMs, heartbeatMs, missedAfterMs }).filter(([, ms]) => ms !== undefined),
  );
  const door = createChromiumDoor({ service, clock, random: countingRandom(), ...times });
  const http = await openPort({
    service,
    clock,
    tls: createTlsIdentity({ clock, random: countingRandom() }),
    routes: [...pushRoutes, ...door.routes],
  });
  const stream = () => {
    const [ours, theirs] = duplexPair();
    door.accept(theirs);
    // A pair is not a connection: unlike a socket's, the far end outlives a destroyed one.
    ours.on("close", () => theirs.destroy());
    theirs.on("close", () => ours.destroy());
    onTestFinished(() => void ours.destroy());
    return new McsClient(ours);
  };
  const close = async () => {
    door.close();
    await http.close();
  };
  return { ...machine, origin: http.origin, stream, close, [Symbol.asyncDispose]: close };
}

export const device = "4829130771234567890";
export const appId = "wp:http://127.0.0.1:8040/#5A2F43B1-9B4B-4E21-A1C2-6E3C6F2D1E0B-V2";
export const app = "org.chromium.linux";

/** The form of `subscribe()`, with changes; `undefined` leaves a field out. */
export function registrationForm(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const fields: Readonly<Record<string, string | undefined>> = {
    app,
    "X-subtype": appId,
    device,
    scope: "GCM",
    "X-scope": "GCM",
    gmsv: "156",
    appid: "dGhlIGFwcA",
    sender: pair.publicKey,
    ...changes,
  };
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form.toString();
}

/** The form of `unsubscribe()`. */
export function deletionForm(): string {
  return registrationForm({ delete: "true", sender: "*", scope: "*", "X-scope": "*" });
}

export function postForm(
  { origin }: Pick<Door, "origin">,
  body: string,
  authorization: string | null = `AidLogin ${device}:42`,
): Promise<Answer> {
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    ...(authorization !== null && { authorization }),
  };
  return call("POST", `${origin}/chromium/register`, { headers, body });
}

/** Subscribes as the device; answers the token. */
export async function subscribe(
  door: Pick<Door, "origin">,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const { body } = await postForm(door, registrationForm(changes));
  const token = /^token=(.+)$/.exec(body.toString())?.[1];
  if (token === undefined) throw new Error(body.toString());
  return token;
}

/** Sends to a subscription as the holder of its key. */
export function push(
  { service }: Door,
  token: string,
  text: string,
  fields: Partial<PushInput> = {},
): Created {
  return created(service.send(token, textMessage(text, { sender: pair.publicKey, ...fields })));
}

/** A stream of the device that has logged in. */
export async function loggedIn(door: Door, fields: LoginFields = {}, id = device): Promise<McsClient> {
  const client = door.stream();
  await client.login(id, fields);
  return client;
}
