/**
 * A push service on this machine, ready to use: the state machine and its doors, opened together.
 *
 * `webpush demo`, `webpush emulator` and the tests start it; what it does is told
 * through `onEvent`.
 */
import type { Clock, Random } from "../base/clock.ts";
import type { PushServiceListener } from "./events.ts";
import { createAutopushDoor } from "./autopush-door.ts";
import { autopushRoutes } from "./autopush-http.ts";
import { createTlsIdentity, type TlsIdentity } from "./certificate.ts";
import type { PushServiceLimits } from "./limits.ts";
import { openPort, type PortOptions } from "./port.ts";
import { PushService } from "./push-service.ts";
import { rfc8030Routes } from "./rfc8030-routes.ts";
import type { PushServiceSnapshot } from "./snapshot.ts";

export interface EmulatorOptions extends Omit<
  PortOptions,
  "service" | "autopush" | "mcs" | "routes" | "tls"
> {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: PushServiceLimits;
  readonly onEvent?: PushServiceListener;
  /** What `service.snapshot()` said when an earlier emulator stopped. */
  readonly state?: PushServiceSnapshot;
  /** How long an autopush client may take to say hello; 5 s by default. */
  readonly handshakeTimeoutMs?: number;
  /** What to show those who connect over TLS; made anew by default, which nobody trusts yet. */
  readonly tls?: TlsIdentity;
}

/** A running push service. */
export interface Emulator extends AsyncDisposable {
  /** Where receivers subscribe, as `http://127.0.0.1:8030`. */
  readonly origin: string;
  /** The same over TLS, as `https://127.0.0.1:8030`. */
  readonly httpsOrigin: string;
  readonly port: number;
  /** What to trust for TLS. */
  readonly tls: TlsIdentity;
  /** The state behind the doors: to look into, to expire things, to take a snapshot of. */
  readonly service: PushService;
  close(): Promise<void>;
}

/** How often expiry is looked at when no request does it, so that events and receipts come in time. */
const expiryCheckMs = 1000;

/**
 * Starts a push service on loopback.
 *
 * @throws UserError `emulator-host`, `emulator-port`
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const {
    clock,
    random,
    limits = {},
    onEvent = () => undefined,
    state,
    handshakeTimeoutMs,
    tls = createTlsIdentity({ clock, random }),
    ...portOptions
  } = options;
  const service = new PushService({
    clock,
    random,
    limits,
    onEvent,
    ...(state === undefined ? {} : { state }),
  });
  const handshake = handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs };
  const autopush = createAutopushDoor({ service, random, ...handshake });
  const routes = [...rfc8030Routes, ...autopushRoutes];
  const port = await openPort({ ...portOptions, clock, service, tls, autopush, routes });
  const timer = setInterval(() => service.expireDue(), expiryCheckMs);
  timer.unref();
  const close = async () => {
    clearInterval(timer);
    autopush.close();
    await port.close();
  };
  return {
    origin: port.origin,
    httpsOrigin: port.httpsOrigin,
    port: port.port,
    tls,
    service,
    close,
    [Symbol.asyncDispose]: close,
  };
}
