/**
 * `CONNECT`: an unmodified sender that uses us as its proxy reaches the endpoints browsers gave out.
 *
 * Every tunnel ends here. It leads to a vendor's push host, which we are, or back to
 * our own port; nothing is ever forwarded, so that no message leaves this machine.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isLoopbackHost } from "../protocol/subscription.ts";
import type { PushService } from "./push-service.ts";
import { quote } from "./push-headers.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { answerPlainly } from "./replies.ts";
import { isVendorHost } from "./vendor-hosts.ts";

/** Takes a CONNECT request of an HTTP/1.1 server, with what came after it. */
export type OpenTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface TunnelOptions {
  readonly service: PushService;
  /** Our own port. */
  readonly port: number;
  /** Takes the inside of a tunnel as a connection of its own. */
  readonly enter: (socket: Duplex) => void;
}

/** A proxy for push services and for ourselves. */
export function createTunnels({ service, port, enter }: TunnelOptions): OpenTunnel {
  return ({ url = "" }, socket, head) => {
    const refusal = targetRefusal(url, port);
    if (refusal !== undefined) {
      answerPlainly(socket, service.report(refusal));
      return;
    }
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    enter(socket);
  };
}

/** Inside a tunnel there is no other: each would cost us, and nobody needs one. */
export function refuseTunnels(service: PushService): OpenTunnel {
  return (_request, socket) => {
    answerPlainly(socket, service.report(refuse("tunnel-not-allowed", "this is a tunnel already")));
  };
}

function targetRefusal(authority: string, ownPort: number): Refusal | undefined {
  const target = /^(?:[\w.-]+|\[[\da-f:.]+\]):\d+$/i.test(authority) ? `https://${authority}/` : "";
  if (!URL.canParse(target))
    return refuse("tunnel-not-allowed", `CONNECT ${quote(authority)} names no host and port`);
  const { hostname, port } = new URL(target);
  const isVendor = isVendorHost(hostname) && port === "";
  const isOwn = isLoopbackHost(hostname) && Number(port === "" ? "443" : port) === ownPort;
  if (isVendor || isOwn) return undefined;
  const where = `the tunnels of this emulator lead to push services at port 443 and to localhost:${ownPort} alone`;
  return refuse("tunnel-not-allowed", `CONNECT ${quote(authority)} leads nowhere: ${where}`);
}
