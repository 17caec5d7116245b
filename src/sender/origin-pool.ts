/**
 * The connections to one origin, and the requests that wait for room on them.
 *
 * The first connection finds out what is spoken there (ALPN, RFC 7301 §3.1) and is used,
 * not thrown away. HTTP/2 gets up to four connections, each as many streams as the service
 * allows; HTTP/1.1 up to fifty, one request each. A new one is opened only when all others
 * are full. A request leaves the queue for a connection once; only one that is known to
 * be unprocessed comes back.
 */
import type { Connection, ConnectionOwner, Protocol } from "./connection.ts";
import { openSocket, type Way } from "./connect.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { Exchange, ExchangeLimits, Holder } from "./exchange.ts";
import { failureOf, NoConnection, refusesOffer } from "./failure.ts";
import { Http1Connection } from "./http1/connection.ts";
import { Http2Connection } from "./http2/connection.ts";

const mostConnections: Readonly<Record<Protocol, number>> = { h2: 4, "http/1.1": 50 };
/** After a connection that failed beside others that stand, no more are tried for so long. */
const quietMs = 1000;
/** For so long nothing is begun where the service asked for calm; twice as long each further time, up to the longest. */
const calmMs = 1000;
const longestCalmMs = 16_000;
/** Who cannot be followed over HTTP/2 so often is spoken to over HTTP/1.1: that costs speed and no message. */
const mostMisunderstandings = 2;

/** Those of a pool; only what speaks HTTP/2 is ever retired while requests are under way. */
type PooledConnection = Http1Connection | Http2Connection;

/** What a pool must be told. */
export interface PoolOptions {
  readonly way: Way;
  /** Whether HTTP/2 may be offered. */
  readonly http2: boolean;
  readonly limits: ExchangeLimits;
}

export class OriginPool implements ConnectionOwner, Holder {
  readonly limits: ExchangeLimits;
  readonly #way: Way;
  /** What is offered; HTTP/1.1 alone once the service asked for it. */
  #offered: readonly Protocol[];
  /** What was agreed last. */
  #protocol: Protocol | undefined;
  readonly #connections = new Set<PooledConnection>();
  /** Those that take no more requests, and still wait for answers. */
  readonly #leaving = new Set<PooledConnection>();
  /** Those with room, the last one used first: so the others can go idle. */
  readonly #free: PooledConnection[] = [];
  /** Those that are being tried before they are used again. */
  readonly #checking = new Set<PooledConnection>();
  readonly #attempts = new Set<AbortController>();
  readonly #waiting = new Set<Exchange>();
  readonly #patience = new DeadlineTimer((now) => this.#giveUpWaiting(now));
  /** When a request last left the queue or a connection came up: the sign that waiting is not in vain. */
  #movedAt = 0;
  #quietUntil = 0;
  #calmMs = calmMs;
  #calmUntil = 0;
  readonly #calm = new DeadlineTimer((now) => this.#endCalm(now));
  #misunderstandings = 0;
  #isClosed = false;

  constructor({ way, http2, limits }: PoolOptions) {
    this.#way = way;
    this.limits = limits;
    this.#offered = http2 && way.secure ? ["h2", "http/1.1"] : ["http/1.1"];
    if (this.#offered.length === 1) this.#protocol = "http/1.1";
  }

  /** What is spoken there; `undefined` before the first connection. */
  get protocol(): Protocol | undefined {
    return this.#protocol;
  }

  /** How many exchanges may be on the wire at once, as far as is known. */
  get capacity(): number {
    if (this.#protocol !== "h2") return mostConnections["http/1.1"];
    let most = 1; // a loop: this is asked for each message
    for (const { capacity } of this.#connections) most = Math.max(most, capacity);
    return most * mostConnections.h2;
  }

  /** Whether there is nothing here that is worth keeping. */
  get isIdle(): boolean {
    const inUse = [this.#connections, this.#leaving, this.#attempts, this.#waiting];
    return inUse.every(({ size }) => size === 0);
  }

  /** Takes a request on: at once where there is room, else when there is. */
  send(exchange: Exchange): void {
    const now = performance.now();
    const isNext = this.#waiting.size === 0 && now >= this.#calmUntil;
    const connection = isNext ? this.#takeFree(now) : undefined;
    if (connection !== undefined) this.#begin(connection, exchange, now);
    else this.#queue(exchange, now);
  }

  giveUp(exchange: Exchange): void {
    this.#waiting.delete(exchange);
    exchange.fail("connect", "stopped before the request was sent");
  }

  freed(connection: PooledConnection): void {
    if (!this.#connections.has(connection)) return;
    this.#checking.delete(connection);
    if (connection.room > 0 && !this.#free.includes(connection)) this.#free.push(connection);
    this.#pump();
  }

  retired(connection: PooledConnection): void {
    if (!this.#remove(connection)) return;
    this.#leaving.add(connection);
    this.#pump();
  }

  closed(connection: PooledConnection): void {
    this.#leaving.delete(connection);
    if (!this.#remove(connection)) return;
    if (connection.used) this.#pump();
    else this.#connectingFailed(new NoConnection("connection closed at once"));
  }

  overloaded(): void {
    const now = performance.now();
    if (this.#isClosed || now < this.#calmUntil) return;
    const isAgain = this.#calmUntil > 0 && now - this.#calmUntil < longestCalmMs;
    this.#calmMs = isAgain ? Math.min(this.#calmMs * 2, longestCalmMs) : calmMs;
    this.#calmUntil = now + this.#calmMs;
    this.#calm.expect(this.#calmUntil);
  }

  misunderstood(): void {
    this.#misunderstandings += 1;
    if (this.#misunderstandings >= mostMisunderstandings) this.#turnToHttp1();
  }

  unprocessed(exchange: Exchange): void {
    this.#queue(exchange, performance.now());
  }

  wantsHttp1(exchange: Exchange): void {
    this.#turnToHttp1();
    this.#queue(exchange, performance.now());
  }

  #turnToHttp1(): void {
    this.#offered = ["http/1.1"];
    this.#protocol = "http/1.1";
    for (const connection of this.#connections) if (connection.protocol === "h2") connection.retire();
  }

  /** Closes what has been idle for too long, and returns what is idle besides. */
  sweep(now: number): readonly Connection[] {
    const idle = [...this.#connections].filter(({ idleSince }) => idleSince !== undefined);
    return idle.filter((connection) => {
      const { idleSince = now, keepIdleMs } = connection;
      if (now - idleSince <= keepIdleMs) return true;
      this.#discard(connection);
      return false;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#patience.stop();
    this.#calm.stop();
    for (const attempt of this.#attempts) attempt.abort(new NoConnection(stopped));
    for (const exchange of this.#waiting) exchange.fail("connect", stopped);
    this.#waiting.clear();
    for (const connection of [...this.#connections, ...this.#leaving]) this.#discard(connection);
  }

  #queue(exchange: Exchange, now: number): void {
    if (this.#isClosed) {
      exchange.fail("connect", stopped);
      return;
    }
    exchange.holder = this;
    if (this.#waiting.size === 0) this.#movedAt = now;
    this.#waiting.add(exchange);
    this.#patience.expect(now + this.#patienceMs);
    this.#grow(now);
  }

  #begin(connection: PooledConnection, exchange: Exchange, now: number): void {
    connection.begin(exchange, now);
    if (connection.room === 0) this.#forgetFree(connection);
  }

  /** Sends what waits as far as there is room, and makes room for the rest. */
  #pump(): void {
    if (this.#waiting.size === 0) return;
    const now = performance.now();
    if (now < this.#calmUntil) return;
    for (const exchange of this.#waiting) {
      const connection = this.#takeFree(now);
      if (connection === undefined) break;
      this.#waiting.delete(exchange);
      this.#movedAt = now;
      this.#begin(connection, exchange, now);
    }
    this.#grow(now);
  }

  /** The connection to use next, if one has room. */
  #takeFree(now: number): PooledConnection | undefined {
    for (;;) {
      const connection = this.#free.at(-1);
      if (connection === undefined) return undefined;
      const readiness = connection.readiness(now);
      if (readiness === "ready") return connection;
      this.#forgetFree(connection);
      if (readiness === "checking") this.#checking.add(connection);
      else this.#discard(connection);
    }
  }

  #forgetFree(connection: PooledConnection): void {
    const at = this.#free.lastIndexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
  }

  #discard(connection: PooledConnection): void {
    this.#remove(connection);
    this.#leaving.delete(connection);
    connection.close();
  }

  /** The connection is used no more; whether it was one of ours. */
  #remove(connection: PooledConnection): boolean {
    this.#forgetFree(connection);
    this.#checking.delete(connection);
    return this.#connections.delete(connection);
  }

  /** Opens connections for those that wait, as far as there may be more. */
  #grow(now: number): void {
    const coming = this.#attempts.size + this.#checking.size;
    const standing = this.#connections.size;
    if (now < this.#calmUntil || (standing > 0 && now < this.#quietUntil)) return;
    // Over HTTP/2 one more connection has room for many, and the first one is to tell what is spoken.
    const isHttp1 = this.#protocol === "http/1.1";
    const wanted = isHttp1 ? this.#waiting.size : Math.min(1, this.#waiting.size);
    const most = mostConnections[this.#protocol ?? "h2"] - standing - this.#attempts.size;
    const missing = Math.min(wanted - coming, most);
    for (let count = 0; count < missing; count += 1) void this.#connect();
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    const offered = this.#offered;
    this.#attempts.add(attempt);
    const { connectTimeoutMs } = this.limits;
    const timer = setTimeout(() => {
      attempt.abort(new NoConnection(`no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    const outcome = await this.#open(attempt.signal).catch((error: unknown) => ({ error }));
    clearTimeout(timer);
    this.#attempts.delete(attempt);
    if ("error" in outcome) this.#attemptFailed(outcome.error, offered);
    else this.#admit(outcome);
  }

  async #open(signal: AbortSignal): Promise<PooledConnection> {
    const { socket, protocol } = await openSocket(this.#way, this.#offered, signal);
    return protocol === "h2" ? Http2Connection.open(socket, this, signal) : new Http1Connection(socket, this);
  }

  #admit(connection: PooledConnection): void {
    const now = performance.now();
    if (connection.readiness(now) === "stale") {
      connection.close();
      this.#connectingFailed(new NoConnection("connection closed at once"));
      return;
    }
    // It may have turned out meanwhile that another protocol is wanted.
    if (this.#isClosed || !this.#offered.includes(connection.protocol)) {
      connection.close();
      this.#pump();
      return;
    }
    this.#protocol = connection.protocol;
    this.#movedAt = now;
    this.#connections.add(connection);
    this.freed(connection);
  }

  #attemptFailed(error: unknown, offered: readonly Protocol[]): void {
    const isHttp2Alone = this.#misunderstandings >= mostMisunderstandings && refusesOffer(error);
    if (isHttp2Alone && offered === this.#offered) {
      // There is no other way to speak there, so it has to go on as it can.
      this.#misunderstandings = Number.NEGATIVE_INFINITY;
      this.#offered = ["h2", "http/1.1"];
      this.#protocol = undefined;
    }
    // What is offered has changed meanwhile, so this says nothing about the next connection.
    if (offered === this.#offered || this.#isClosed) this.#connectingFailed(error);
    else this.#pump();
  }

  #endCalm(now: number): number | undefined {
    if (now < this.#calmUntil) return this.#calmUntil;
    this.#pump();
    return undefined;
  }

  /** Nothing was sent. Without another connection this is how all end that wait for one. */
  #connectingFailed(error: unknown): void {
    const now = performance.now();
    if (this.#connections.size > 0) {
      this.#quietUntil = now + quietMs;
      return;
    }
    if (this.#attempts.size > 0) return;
    this.#failWaiting((exchange) => {
      exchange.settle(failureOf(error, { host: this.#way.host, proxy: this.#way.proxy?.host }));
    });
  }

  get #patienceMs(): number {
    return this.limits.timeoutMs + this.limits.connectTimeoutMs;
  }

  #failWaiting(end: (exchange: Exchange) => void): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const exchange of waiting) end(exchange);
  }

  /**
   * What waits for room is sent when others have ended, which they do within the time limit. When in
   * all that time nothing moved, there is no room to come: a service may allow no stream at all.
   */
  #giveUpWaiting(now: number): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    const until = Math.max(this.#movedAt, this.#calmUntil) + this.#patienceMs;
    if (until > now) return until;
    this.#failWaiting((exchange) => {
      exchange.fail("connect", "no room for the request");
    });
    return undefined;
  }
}

const stopped = "stopped before the request was sent";
