/**
 * The autopush door: a WebSocket on the HTTP door's port, for `webpush listen` and Firefox.
 *
 * It owns the connections and their bounds; what frames mean is the session's. A
 * connection is ended by a Close frame and then by force, since Firefox never
 * answers one and would believe for half a minute that it is still connected.
 */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Random } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { AutopushSession, type Wire } from "./autopush-session.ts";
import { parsePersonality, type PersonalityId } from "./personalities.ts";
import type { PushService } from "./push-service.ts";
import { quote } from "./push-headers.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { answerPlainly } from "./replies.ts";
import { websocketOriginOf, type GuardOptions } from "./request-guard.ts";

export interface AutopushDoorOptions {
  readonly service: PushService;
  readonly random: Random;
  /** How long a client may take to say hello; 5 s by default, as at autopush. */
  readonly handshakeTimeoutMs?: number;
}

export interface AutopushDoor {
  /** Takes an upgrade request of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, guard: GuardOptions): void;
  /** Ends every connection. */
  close(): void;
}

/** Far above any frame a client has reason to send. */
const maxFrameBytes = 65_536;
const maxConnections = 1000;
/** What may wait for a client that does not read, before it is dropped. */
const maxBufferedBytes = 16 * 1_048_576;
/** How long the Close frame may take to leave. */
const farewellMs = 1000;

/** The WebSocket door of a push service, to be given upgrade requests. */
export function createAutopushDoor(options: AutopushDoorOptions): AutopushDoor {
  const server = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, clientTracking: true });
  const sessions = new Map<string, AutopushSession>();
  const claim = (userAgentId: string, session: AutopushSession): void => {
    const earlier = sessions.get(userAgentId);
    sessions.set(userAgentId, session);
    earlier?.supersede();
  };
  const forget = (session: AutopushSession): void => {
    const { userAgentId } = session;
    if (userAgentId !== undefined && sessions.get(userAgentId) === session) sessions.delete(userAgentId);
  };
  const serve = (socket: WebSocket, tcp: Duplex, place: Place): void => {
    const { service, random, handshakeTimeoutMs = 5000 } = options;
    const session = new AutopushSession({ service, random, ...place, claim, wire: wireOf(socket, tcp) });
    const handshake = setTimeout(() => {
      if (session.userAgentId === undefined) session.violate("HandshakeTimeout");
    }, handshakeTimeoutMs);
    socket.on("message", (data, isBinary) => {
      try {
        if (isBinary) session.violate("Json");
        else session.receive(textOf(data));
      } catch (error) {
        // A bug of ours costs this session alone.
        service.report(refuse("internal", `the emulator failed: ${messageOf(error)}`));
        session.fail();
      }
    });
    // ws closes by itself after what is no WebSocket; "close" follows.
    socket.on("error", () => undefined);
    socket.on("close", (code, reason) => {
      clearTimeout(handshake);
      session.closed(code, reason.toString());
      forget(session);
    });
  };
  return {
    upgrade(request, socket, head, guard) {
      socket.on("error", () => socket.destroy());
      const place = placeOf(request, guard, options.service);
      if (place.kind === "refused") {
        answerPlainly(socket, options.service.report(place));
      } else if (server.clients.size >= maxConnections) {
        const refusal = refuse("too-many-connections", `${maxConnections} user agents are connected`);
        answerPlainly(socket, options.service.report(refusal));
      } else {
        server.handleUpgrade(request, socket, head, (webSocket) => {
          serve(webSocket, socket, place);
        });
      }
    },
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

/** Where a connection came to: the origin, and whose push service it asked for. */
interface Place {
  readonly kind: "place";
  readonly origin: string;
  readonly personality: PersonalityId;
}

/** `?as=apple` and the like in the address ask for another personality than Mozilla's. */
function placeOf(request: IncomingMessage, guard: GuardOptions, service: PushService): Place | Refusal {
  const origin = websocketOriginOf(request, guard);
  if (origin.kind === "refused") return origin;
  const name = new URLSearchParams((request.url ?? "").split("?", 2)[1]).get("as");
  const personality = name === null ? service.personalityAt("mozilla") : parsePersonality(name);
  if (personality !== undefined) return { kind: "place", origin: origin.origin, personality };
  return refuse("personality-unknown", `there is no push service called ${quote(name ?? "")}`);
}

function wireOf(socket: WebSocket, tcp: Duplex): Wire {
  return {
    send: (text) => {
      if (socket.bufferedAmount > maxBufferedBytes) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    end: (code, reason) => {
      socket.close(code, reason);
      // Not terminate(), which would drop the Close frame with the connection.
      if (tcp instanceof Socket) tcp.destroySoon();
      setTimeout(() => {
        socket.terminate();
      }, farewellMs).unref();
    },
  };
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
