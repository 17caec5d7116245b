/**
 * Breaking connections on purpose, below HTTP: FIN, RST, and what HTTP/2 says before it goes.
 *
 * A connection over TLS has no RST of its own; the TCP connection under it has.
 */
import { constants, type Http2Session } from "node:http2";
import { Socket } from "node:net";
import type { HttpWire } from "../http-wire.ts";
import type { GoAway } from "./fault.ts";

/** How long a GOAWAY may take to leave before the connection is cut. */
const farewellMs = 100;

/** Hangs up without a word. */
export function hangUp(wire: HttpWire): void {
  const socket = socketOf(wire);
  if (socket !== undefined) tcpUnder(socket).destroySoon();
}

/** Resets the connection, where it has a reset. */
export function resetPeer(wire: HttpWire): void {
  const socket = socketOf(wire);
  if (socket === undefined) return;
  const tcp = tcpUnder(socket);
  try {
    tcp.resetAndDestroy();
  } catch {
    tcp.destroySoon(); // Not a TCP socket, such as the inside of a tunnel.
  }
}

/** Refuses one request of HTTP/2 as not processed (RFC 9113 §8.7). */
export function refuseStream(wire: HttpWire): void {
  if (wire.kind === "http2") wire.stream.close(constants.NGHTTP2_REFUSED_STREAM);
}

/** Closes a connection of HTTP/2 for the load it makes (RFC 9113 §7). */
export function enhanceYourCalm(wire: HttpWire): void {
  if (wire.kind !== "http2" || wire.session === undefined) return;
  wire.session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, Math.max(1, (wire.stream.id ?? 1) - 2));
  cutSoon(wire.session);
}

/** Says GOAWAY (RFC 9113 §6.8); but for the graceful one the connection is cut soon after. */
export function goAway(wire: HttpWire, mode: GoAway): void {
  if (wire.kind !== "http2" || wire.session === undefined) return;
  const { stream, session } = wire;
  const id = stream.id ?? 0;
  switch (mode) {
    case "graceful":
      session.goaway(constants.NGHTTP2_NO_ERROR, id);
      session.close();
      return;
    case "unprocessed":
      // Node cannot say that the last stream processed is 0, so the first one is refused by itself.
      if (id <= 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      session.goaway(constants.NGHTTP2_NO_ERROR, Math.max(1, id - 2));
      cutSoon(session);
      return;
    case "mid-flight":
      session.goaway(constants.NGHTTP2_NO_ERROR, id);
      cutSoon(session);
      return;
    default:
      mode satisfies never;
  }
}

function cutSoon(session: Http2Session): void {
  const cut = setTimeout(() => {
    const socket = socketOfSession(session);
    if (socket !== undefined) tcpUnder(socket).destroySoon();
  }, farewellMs);
  session.once("close", () => {
    clearTimeout(cut);
  });
}

function socketOf(wire: HttpWire): Socket | undefined {
  if (wire.kind === "http1") return wire.socket;
  return wire.session === undefined ? undefined : socketOfSession(wire.session);
}

/** Node hands out a stand-in that refuses to be written to or destroyed, but not to be reset or ended. */
function socketOfSession({ socket, destroyed }: Http2Session): Socket | undefined {
  return destroyed ? undefined : socket;
}

/** The socket under TLS; Node keeps it as `_parent`, which is not documented, so nothing depends on its being there. */
function tcpUnder(socket: Socket): Socket {
  const parent: unknown = Reflect.get(socket, "_parent");
  return parent instanceof Socket ? tcpUnder(parent) : socket;
}
