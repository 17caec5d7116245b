/** A development server over a real store, under a test clock, and a client that sends exactly what it is told. */
import { request } from "node:http";
import { onTestFinished } from "vitest";
import type { ServerEvent, TestResult } from "../../src/server/events.ts";
import { startServer, type DevelopmentServer, type ServerOptions } from "../../src/server/server.ts";
import { createMemorySite } from "../../src/server/site.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { sampleJson, samplePair } from "../support/samples.ts";
import { testContext, type TestContext } from "../support/test-context.ts";

export const serverPair = samplePair("server");

export interface TestServer extends DevelopmentServer {
  readonly context: TestContext;
  readonly events: ServerEvent[];
  /** Those that a test push was sent to. */
  readonly tested: SubscriptionRecord[];
}

export const accepted: TestResult = {
  outcome: "accepted",
  cause: "ok",
  status: 201,
  reason: undefined,
  meaning: "the push service has it",
  advice: undefined,
};

export async function openTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const context = await testContext({ pairs: [serverPair] });
  const events: ServerEvent[] = [];
  const tested: SubscriptionRecord[] = [];
  const server = await startServer({
    site: createMemorySite(new Map([["index.html", Buffer.from("<!doctype html>")]])),
    store: context.subscriptions,
    publicKey: () => Promise.resolve(serverPair.publicKey),
    holdsKey: (key) => Promise.resolve(key === serverPair.publicKey),
    sendTest: (record) => {
      tested.push(record);
      return Promise.resolve(accepted);
    },
    clock: context.clock,
    onEvent: (event) => void events.push(event),
    port: 0,
    host: undefined,
    allowRemote: false,
    allowHosts: ["push.example.net"],
    localPushService: undefined,
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, context, events, tested };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as JSON. */
  json(): unknown;
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** An object is sent as JSON, as the page does. */
  readonly body?: object | string | Uint8Array;
  /** Without a Content-Length. */
  readonly chunked?: boolean;
  readonly address?: string;
}

/** One request, the path byte for byte as given; by default from the page itself. */
export function ask(
  { port }: Pick<DevelopmentServer, "port">,
  method: string,
  path: string,
  { headers = {}, body, chunked = false, address = "127.0.0.1" }: Asking = {},
): Promise<Answer> {
  const isBytes = typeof body === "string" || body instanceof Uint8Array;
  const bytes = Buffer.from(isBytes ? body : body === undefined ? "" : JSON.stringify(body));
  const all: Readonly<Record<string, string | undefined>> = {
    host: `localhost:${port}`,
    ...(method === "GET" ? {} : { origin: `http://localhost:${port}`, "content-type": "application/json" }),
    ...(chunked ? { "transfer-encoding": "chunked" } : { "content-length": String(bytes.length) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    const outgoing = request({
      host: address,
      port,
      method,
      path: "/",
      agent: false,
      headers: Object.fromEntries(given) as Record<string, string>,
    });
    // Node refuses some paths before they are sent; strangers' clients do not.
    Object.assign(outgoing, { path });
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const answered = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Answer["headers"],
          body: answered,
          json: () => JSON.parse(answered.toString()) as unknown,
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(bytes);
  });
}

/** What the page hands in. */
export function pageBody(name: string, over: Readonly<Record<string, unknown>> = {}): object {
  return { ...sampleJson(name), applicationServerKey: serverPair.publicKey, ...over };
}
