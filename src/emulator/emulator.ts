/**
 * A push service on this machine, ready to use: the state machine and its doors, opened together.
 *
 * `webpush demo`, `webpush emulator` and the tests start it; what it does is told
 * through `onEvent`.
 */
import type { Clock, Random } from "../base/clock.ts";
import { AdjustableClock } from "./adjustable-clock.ts";
import { apiTokenFor } from "./control/api-guard.ts";
import { apiRoutes } from "./control/api-routes.ts";
import { Control } from "./control/control.ts";
import { EventLog } from "./event-log.ts";
import { eventRecordOf } from "./event-record.ts";
import type { Fault } from "./faults/fault.ts";
import { withPushFaults } from "./faults/push-faults.ts";
import { receiverFaults } from "./faults/receiver-faults.ts";
import { FaultRules } from "./faults/rules.ts";
import { Labels } from "./labels.ts";
import { MessageLog } from "./message-log.ts";
import type { PushServiceListener } from "./events.ts";
import { createAutopushDoor } from "./autopush-door.ts";
import { createTlsIdentity, type TlsIdentity } from "./certificate.ts";
import { createChromiumDoor } from "./chromium-door/door.ts";
import type { PushServiceLimits } from "./limits.ts";
import type { PersonalityId } from "./personalities.ts";
import { openPort, type PortOptions } from "./port.ts";
import { pushRoutes } from "./push-routes.ts";
import { PushService } from "./push-service.ts";
import { rfc8030Routes } from "./rfc8030-routes.ts";
import type { PushServiceSnapshot } from "./snapshot.ts";

export interface EmulatorOptions extends Omit<
  PortOptions,
  "service" | "autopush" | "chromium" | "routes" | "tls"
> {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: PushServiceLimits;
  readonly onEvent?: PushServiceListener;
  /** How subscriptions behave that were not asked for otherwise; by default as is the way of their door. */
  readonly personality?: PersonalityId | undefined;
  /** What `service.snapshot()` said when an earlier emulator stopped. */
  readonly state?: PushServiceSnapshot;
  /** How long an autopush client may take to say hello; 5 s by default. */
  readonly handshakeTimeoutMs?: number;
  /** The token of the JSON API; a random one by default. */
  readonly apiToken?: string | undefined;
  /** What goes wrong from the start. */
  readonly faults?: readonly Fault[];
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
  /** What tests ask for: subscriptions with known keys, messages as they came, the clock. */
  readonly control: Control;
  /** Opens the JSON API under `/api/`. */
  readonly apiToken: string;
  close(): Promise<void>;
}

/** How often expiry is looked at when no request does it, so that events and receipts come in time. */
const expiryCheckMs = 1000;

/**
 * Starts a push service on loopback.
 *
 * @throws UserError `emulator-host`, `emulator-port`, `emulator-api-token`
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { random, limits = {}, onEvent, personality, state, handshakeTimeoutMs, ...rest } = options;
  const { apiToken: givenToken, faults = [], clock: outerClock, tls: givenTls, ...portOptions } = rest;
  // By the clock that clients judge it by, which nobody advances.
  const tls = givenTls ?? createTlsIdentity({ clock: outerClock, random });
  const apiToken = apiTokenFor(givenToken, random);
  const clock = new AdjustableClock(outerClock, (byMs) => {
    service.tell({ type: "clock-moved", byMs });
    service.expireDue();
  });
  const [messages, events, labels] = [new MessageLog(), new EventLog(), new Labels(state)];
  const record: PushServiceListener = (event) => {
    labels.learn(event);
    messages.record(event);
    events.append(eventRecordOf(event, labels));
    onEvent?.(event);
  };
  const rules = new FaultRules(random);
  for (const fault of faults) rules.add(fault);
  const intercept = receiverFaults(rules, () => service);
  const restored = state === undefined ? {} : { state };
  const service: PushService = new PushService({
    clock,
    random,
    limits,
    personality,
    intercept,
    onEvent: record,
    ...restored,
  });
  const control = new Control({ service, clock, random, messages, events, faults: rules });
  const handshake = handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs };
  const autopush = createAutopushDoor({ service, random, ...handshake });
  const chromium = createChromiumDoor({ service, random, clock });
  const routes = [
    ...apiRoutes(control, apiToken),
    ...rfc8030Routes,
    ...withPushFaults(pushRoutes, { rules, service }),
    ...chromium.routes,
  ];
  const opened = await openPort({ ...portOptions, clock, service, tls, autopush, chromium, routes });
  const { origin, httpsOrigin, port } = opened;
  labels.place(origin);
  control.place({ http: origin, https: httpsOrigin });
  const timer = setInterval(() => service.expireDue(), expiryCheckMs).unref();
  const close = async () => {
    clearInterval(timer);
    autopush.close();
    chromium.close();
    await opened.close();
  };
  const places = { origin, httpsOrigin, port, tls, apiToken };
  return { ...places, service, control, close, [Symbol.asyncDispose]: close };
}
