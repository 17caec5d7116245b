/**
 * A receiver without a browser: subscribes at a push service on this machine, polls, decrypts, acknowledges.
 *
 * It speaks the emulator's polling form of RFC 8030 (one message per GET). A
 * message is acknowledged as soon as it has been decrypted, or could not be, as
 * browsers do; should that acknowledgement be lost, its repetition is recognised.
 */
import { messageOf, UserError } from "../base/errors.ts";
import { decrypt, DecryptionError, type ReceiverKeys } from "../protocol/decryption.ts";
import {
  isLoopbackHost,
  parseEndpoint,
  shortenEndpoint,
  type Subscription,
} from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import { LoopbackClient, type LoopbackResponse } from "./loopback-http.ts";

interface Received {
  /** The message's own URL: the same for its sender and for every repetition. */
  readonly id: string;
  /** When the service accepted it, in ms since 1970 and whole seconds, if it said so. */
  readonly acceptedAt: number | undefined;
  readonly contentEncoding: string | undefined;
  readonly bodyBytes: number;
}

/** A message that could be read. */
export interface ReceivedMessage extends Received {
  readonly kind: "message";
  /** `undefined` for a message that was sent without content. */
  readonly payload: Uint8Array | undefined;
}

/** A message that could not: made for other keys, or damaged. */
export interface Undecryptable extends Received {
  readonly kind: "undecryptable";
  readonly reason: string;
}

export interface SubscribeOptions {
  /** Only the holder of this key may send (RFC 8292 §4); anyone may when it is left out. */
  readonly applicationServerKey?: VapidPublicKey;
}

/** How long one poll waits. */
const pollSeconds = 30;

/** How many messages are remembered to recognise a repetition, as Firefox does. */
const rememberedMessages = 100;

/** A subscription and its receiving end. Closing it keeps the subscription; messages then wait at the service. */
export class HttpReceiver implements AsyncDisposable {
  readonly subscription: Subscription;
  readonly #resource: URL;
  readonly #keys: ReceiverKeys;
  readonly #client: LoopbackClient;
  readonly #seen = new Set<string>();
  #isUnsubscribed = false;

  constructor(subscription: Subscription, resource: URL, keys: ReceiverKeys, client: LoopbackClient) {
    this.subscription = subscription;
    this.#resource = resource;
    this.#keys = keys;
    this.#client = client;
  }

  /**
   * The messages as they come, until `signal` is aborted or the receiver unsubscribes.
   *
   * @throws UserError `receiver-unreachable`, `receiver-gone`, `receiver-refused`
   */
  async *receive(signal?: AbortSignal): AsyncGenerator<ReceivedMessage | Undecryptable, void, undefined> {
    for (;;) {
      const response = await this.#poll(signal);
      if (response === undefined) return;
      if (response.status !== 200) continue;
      const message = this.#read(response);
      await this.#acknowledge(message);
      if (this.#seen.has(message.id)) continue;
      this.#remember(message.id);
      yield message;
    }
  }

  /**
   * Ends the subscription; whoever sends to it from now on gets 410.
   *
   * @throws UserError `receiver-unreachable`, `receiver-refused`
   */
  async unsubscribe(): Promise<void> {
    this.#isUnsubscribed = true;
    const response = await this.#client.fetch({ method: "DELETE", url: this.#resource });
    if (![204, 404, 410].includes(response.status)) throw refused("DELETE of the subscription", response);
  }

  /** Closes the connections. The subscription stays. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  /** The answer to one poll; `undefined` when there is nothing more to wait for. */
  async #poll(signal: AbortSignal | undefined): Promise<LoopbackResponse | undefined> {
    const isOver = () => signal?.aborted === true || this.#isUnsubscribed;
    if (isOver()) return undefined;
    let response: LoopbackResponse;
    try {
      const headers = { prefer: `wait=${pollSeconds}` };
      response = await this.#client.fetch({ method: "GET", url: this.#resource, headers, signal });
    } catch (error) {
      if (isOver()) return undefined;
      throw error;
    }
    if (response.status === 200 || response.status === 204) return response;
    if (isOver()) return undefined;
    if (response.status !== 404 && response.status !== 410)
      throw refused("GET of the subscription", response);
    throw new UserError(
      "receiver-gone",
      `the subscription ${shortenEndpoint(this.subscription.endpoint)} is gone`,
      {
        kind: "failed",
        hints: ["subscribe again"],
      },
    );
  }

  #read(response: LoopbackResponse): ReceivedMessage | Undecryptable {
    const { headers, body } = response;
    const acceptedAt = Date.parse(headers["last-modified"] ?? "");
    const received: Received = {
      id: this.#messageUrl(response).href,
      acceptedAt: Number.isNaN(acceptedAt) ? undefined : acceptedAt,
      contentEncoding: headers["content-encoding"],
      bodyBytes: body.length,
    };
    if (body.length === 0) return { ...received, kind: "message", payload: undefined };
    try {
      return { ...received, kind: "message", payload: decrypt(body, headers, this.#keys) };
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      return { ...received, kind: "undecryptable", reason: messageOf(error) };
    }
  }

  /** Where to acknowledge a message: never at another service. */
  #messageUrl(response: LoopbackResponse): URL {
    const location = response.headers["content-location"] ?? "";
    const url =
      location !== "" && URL.canParse(location, this.#resource.href)
        ? new URL(location, this.#resource)
        : undefined;
    if (url?.origin === this.#resource.origin) return url;
    throw refused("GET of the subscription, with no Content-Location to acknowledge at,", response);
  }

  async #acknowledge(message: ReceivedMessage | Undecryptable): Promise<void> {
    const url = new URL(message.id);
    if (message.kind === "undecryptable") url.searchParams.set("outcome", "undecryptable");
    const response = await this.#client.fetch({ method: "DELETE", url });
    // 404: it was replaced, cancelled or has expired since; it does not come again either way.
    if (![204, 404].includes(response.status)) throw refused("DELETE of the message", response);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    if (this.#seen.size <= rememberedMessages) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}

/**
 * Subscribes at a push service on this machine.
 *
 * @throws UserError `receiver-origin`, `receiver-unreachable`, `receiver-refused`
 */
export async function subscribe(
  serviceOrigin: string,
  { applicationServerKey }: SubscribeOptions,
  keys: ReceiverKeys,
): Promise<HttpReceiver> {
  const url = subscribeUrl(serviceOrigin);
  const client = new LoopbackClient();
  const options =
    applicationServerKey === undefined
      ? {}
      : {
          headers: { "content-type": "application/webpush-options+json" },
          body: JSON.stringify({ vapid: applicationServerKey }), // RFC 8292 §4.1
        };
  const response = await client.fetch({ method: "POST", url, ...options });
  const resource = response.headers["location"];
  const endpoint = /<([^>]*)>\s*;\s*rel="urn:ietf:params:push"/.exec(response.headers["link"] ?? "")?.[1];
  if (response.status !== 201 || resource === undefined || endpoint === undefined) {
    throw refused("subscribing", response);
  }
  const subscription: Subscription = {
    endpoint: parseEndpoint(new URL(endpoint, url).href),
    expirationTime: null,
    p256dh: keys.publicKey,
    auth: keys.auth,
    applicationServerKey,
    contentEncoding: "aes128gcm",
  };
  return new HttpReceiver(subscription, new URL(resource, url), keys, client);
}

function subscribeUrl(serviceOrigin: string): URL {
  const origin = URL.canParse(serviceOrigin) ? new URL(serviceOrigin) : undefined;
  if (origin?.protocol === "http:" && isLoopbackHost(origin.hostname)) return new URL("/subscribe", origin);
  throw new UserError(
    "receiver-origin",
    `${JSON.stringify(serviceOrigin)} is not a push service on this machine`,
    {
      hints: ["give an origin such as http://127.0.0.1:8030"],
    },
  );
}

/** The service said no, in the words of its JSON error body if it has one. */
function refused(what: string, { status, body }: LoopbackResponse): UserError {
  const text = Buffer.from(body).toString().slice(0, 500);
  const said = text === "" ? "" : `: ${text.trim()}`;
  return new UserError("receiver-refused", `the push service answered ${status} to ${what}${said}`, {
    kind: "failed",
  });
}
