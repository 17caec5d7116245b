/** An emulator under a test clock, and the plainest HTTP client to talk to it. */
import { Agent, request, type IncomingMessage } from "node:http";
import type { PushServiceEvent } from "../../src/emulator/events.ts";
import { startEmulator, type Emulator, type EmulatorOptions } from "../../src/emulator/emulator.ts";
import type { PersonalityId } from "../../src/emulator/personalities.ts";
import { countingRandom, TestClock } from "./machine.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface Call {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** The whole of an answer that has begun. */
export function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", reject);
    incoming.on("end", () => {
      const { statusCode: status = 0 } = incoming;
      resolve({ status, headers: incoming.headers as Answer["headers"], body: Buffer.concat(chunks) });
    });
  });
}

/** One request on a connection of its own. */
export function call(
  method: string,
  url: string,
  { headers = {}, body = "", signal }: Call = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent();
    const outgoing = request(url, { method, agent, ...(signal && { signal }) }, (incoming) => {
      readAnswer(incoming).then(resolve, reject);
    });
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export interface TestEmulator extends Emulator {
  readonly clock: TestClock;
  readonly events: PushServiceEvent[];
}

export async function openTestEmulator(options: Partial<EmulatorOptions> = {}): Promise<TestEmulator> {
  const clock = new TestClock();
  const events: PushServiceEvent[] = [];
  const onEvent = (event: PushServiceEvent) => void events.push(event);
  const emulator = await startEmulator({ clock, random: countingRandom(), onEvent, ...options });
  return { ...emulator, clock, events };
}

/** The URLs of a new subscription, of the emulator's own kind or `as` another service's. */
export async function subscribeAt(
  origin: string,
  key?: string,
  as?: PersonalityId,
): Promise<{ endpoint: string; resource: string }> {
  const headers = { "content-type": "application/webpush-options+json" };
  const options = key === undefined ? {} : { headers, body: JSON.stringify({ vapid: key }) };
  const answer = await call("POST", `${origin}/subscribe${as === undefined ? "" : `?as=${as}`}`, options);
  const endpoint = /^<(.+)>; rel="urn:ietf:params:push"$/.exec(answer.headers["link"] ?? "")?.[1];
  if (answer.status !== 201 || endpoint === undefined) throw new Error(answer.body.toString());
  return { endpoint, resource: answer.headers["location"] ?? "" };
}

/** Headers of a push with an encrypted body, which the service does not look into. */
export const sealed = { ttl: "60", "content-encoding": "aes128gcm" };

/** A poll that does not wait. */
export function poll(resource: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return call("GET", resource, { headers: { prefer: "wait=0", ...headers } });
}

export function errorOf(answer: Answer): { code: number; error: string; message: string } {
  return JSON.parse(answer.body.toString()) as { code: number; error: string; message: string };
}

/** Waits for a condition that some I/O will make true; the test's own time limit bounds it. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
