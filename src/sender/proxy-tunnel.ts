/**
 * A tunnel through a proxy (RFC 9110 §9.3.6).
 *
 * What a proxy answers must never pass for the service's word: a 410 would delete a
 * subscription. So anything but a tunnel is a connection that did not come about.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { NoConnection } from "./failure.ts";
import type { Trust } from "./trust.ts";

/** Where a tunnel leads. */
interface TunnelEnd {
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Asks the proxy for a tunnel; rejects with what went wrong on the way to it.
 */
export function openTunnel(proxy: URL, { hostname, port }: TunnelEnd, trust: Trust, signal: AbortSignal) {
  const target = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const isTls = proxy.protocol === "https:";
  const request = (isTls ? httpsRequest : httpRequest)({
    ...(isTls ? trust : {}),
    host: proxy.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: proxy.port === "" ? (isTls ? 443 : 80) : Number(proxy.port),
    method: "CONNECT",
    path: target,
    headers: { host: target, ...credentialsOf(proxy) },
    agent: false,
    signal,
  });
  return new Promise<Socket>((resolve, reject) => {
    request.once("connect", ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
      if (statusCode !== 200 || head.length > 0) {
        socket.destroy();
        // Behind a tunnel a TLS server waits for us: bytes that come with it are not the service's.
        const what = statusCode === 200 ? "spoke out of turn" : `answered ${statusCode}`;
        reject(new NoConnection(`proxy ${proxy.host} ${what}`));
      } else resolve(socket);
    });
    request.once("response", ({ statusCode = 0 }: IncomingMessage) => {
      request.destroy();
      reject(new NoConnection(`proxy ${proxy.host} answered ${statusCode}`));
    });
    request.on("error", reject);
    request.end();
  });
}

function credentialsOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}
