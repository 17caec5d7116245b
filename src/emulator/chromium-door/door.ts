/**
 * The door of a stock Chromium: check-in and registration over HTTP (http.ts), messages over MCS in TLS.
 *
 * It owns the streams and their bounds; what their frames mean is the session's. All that it remembers stands
 * with the subscriptions (`Owner`), so that a restored service serves the browsers of the one before.
 */
import type { Duplex } from "node:stream";
import type { Clock, Random } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { PushService } from "../push-service.ts";
import { refuse } from "../refusals.ts";
import type { Route } from "../route.ts";
import { Absences } from "./absences.ts";
import { chromiumRoutes } from "./http.ts";
import { McsFrameReader } from "./mcs-frames.ts";
import { McsSession, type McsWire } from "./mcs-session.ts";

export interface ChromiumDoorOptions {
  readonly service: PushService;
  readonly random: Random;
  readonly clock: Clock;
  /** How long a browser may take to log in; 10 s by default. */
  readonly loginTimeoutMs?: number;
  /** How often browsers are to send a heartbeat; every minute by default. */
  readonly heartbeatMs?: number;
  /** How long after it subscribed a browser is missed that has not logged in; 10 s by default. */
  readonly missedAfterMs?: number;
}

export interface ChromiumDoor {
  /** `POST /chromium/checkin` and `POST /chromium/register`. */
  readonly routes: readonly Route[];
  /** Takes a stream that begins with the version byte of MCS. */
  accept(socket: Duplex): void;
  /** Ends every stream. */
  close(): void;
}

const maxStreams = 1000;
/** What may wait for a browser that does not read, before it is dropped. */
const maxBufferedBytes = 16 * 1_048_576;
/** How long a farewell may take to leave. */
const farewellMs = 1000;

/**
 * Why a browser that subscribed may not come: each was seen with Chromium 156, where `subscribe()` succeeds all
 * the same.
 */
const whyMissing =
  "it was started without --gcm-mcs-endpoint, does not trust our certificate " +
  "(--ignore-certificate-errors-spki-list), or sees no network but loopback";

/** The door of a push service for Chromium. */
export function createChromiumDoor(options: ChromiumDoorOptions): ChromiumDoor {
  const { service, random, clock } = options;
  const { loginTimeoutMs = 10_000, heartbeatMs = 60_000, missedAfterMs = 10_000 } = options;
  const streams = new Set<Duplex>();
  const sessions = new Map<string, McsSession>();
  const absences = new Absences(missedAfterMs, (userAgentId) => {
    service.tell({ type: "user-agent-missing", userAgentId, reason: whyMissing });
  });
  const claim = (deviceId: string, session: McsSession): void => {
    const earlier = sessions.get(deviceId);
    sessions.set(deviceId, session);
    absences.came(deviceId);
    earlier?.supersede();
  };
  const forget = (session: McsSession): void => {
    const { deviceId } = session;
    if (deviceId !== undefined && sessions.get(deviceId) === session) sessions.delete(deviceId);
  };
  const serve = (socket: Duplex): void => {
    const wire = wireOf(socket);
    const session = new McsSession({ service, random, clock, claim, heartbeatMs, wire });
    const login = setTimeout(() => {
      if (session.deviceId === undefined) session.violate("no LoginRequest came in time");
    }, loginTimeoutMs);
    // A bug of ours costs this stream alone.
    const fail = (error: unknown): void => {
      service.report(refuse("internal", `the emulator failed: ${messageOf(error)}`));
      socket.destroy();
    };
    readFrames(socket, session, fail);
    socket.on("close", () => {
      clearTimeout(login);
      streams.delete(socket);
      forget(session);
      session.closed();
    });
  };
  const subscribed = (deviceId: string, subscription: Parameters<McsSession["attach"]>[0]): void => {
    const session = sessions.get(deviceId);
    if (session === undefined) absences.expect(deviceId);
    else session.attach(subscription);
  };
  return {
    routes: chromiumRoutes({ service, random, clock, subscribed }),
    accept(socket) {
      // Browsers hang up in the middle of a handshake and whenever they like; "close" follows.
      socket.on("error", () => undefined);
      if (socket.destroyed || streams.size >= maxStreams) {
        socket.destroy();
        return;
      }
      streams.add(socket);
      serve(socket);
    },
    close() {
      absences.close();
      for (const socket of streams) socket.destroy();
    },
  };
}

function readFrames(socket: Duplex, session: McsSession, fail: (error: unknown) => void): void {
  const reader = new McsFrameReader();
  socket.on("data", (chunk: Uint8Array) => {
    try {
      const { frames, violation } = reader.read(chunk);
      for (const frame of frames) session.receive(frame);
      if (violation !== undefined) session.violate(violation);
    } catch (error) {
      fail(error);
    }
  });
  socket.on("end", () => socket.end());
}

function wireOf(socket: Duplex): McsWire {
  return {
    send: (bytes) => {
      if (socket.writableLength > maxBufferedBytes) socket.destroy();
      else if (socket.writable) socket.write(bytes);
    },
    end: () => {
      socket.end();
      setTimeout(() => {
        socket.destroy();
      }, farewellMs).unref();
    },
  };
}
