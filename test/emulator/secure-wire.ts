/** The ways to an emulator besides plain HTTP: TLS, HTTP/2, and the inside of a tunnel. */
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { readAnswer, type Answer, type Call, type TestEmulator } from "./wire.ts";

/** One HTTPS request over HTTP/1.1, through `socket` when there is one. */
export function callSecurely(
  emulator: Pick<TestEmulator, "tls">,
  method: string,
  url: string,
  { headers = {}, body = "", socket }: Call & { readonly socket?: Socket } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname } = new URL(url);
    const secure =
      socket &&
      (() =>
        connectTls({
          socket,
          ...(hostname.startsWith("127.") ? {} : { servername: hostname }),
          ca: emulator.tls.caPem,
        }) as Socket);
    const way =
      secure === undefined ? { agent: false as const } : { createConnection: secure, defaultPort: 443 };
    const outgoing = httpsRequest(url, { method, ca: emulator.tls.caPem, ...way }, (incoming) => {
      readAnswer(incoming).then(resolve, reject);
    });
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** What a proxy answered a CONNECT, and the connection. */
export interface Tunnel {
  readonly socket: Socket;
  readonly status: number;
  readonly answer: string;
}

/** Asks for a tunnel, over TLS if the proxy is to be spoken to so. */
export async function connectThrough(
  { port, tls }: Pick<TestEmulator, "port" | "tls">,
  authority: string,
  how: "plain" | "tls" = "plain",
): Promise<Tunnel> {
  const socket =
    how === "plain" ? connect(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ca: tls.caPem });
  socket.on("error", () => undefined);
  await once(socket, how === "plain" ? "connect" : "secureConnect");
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  const answer = chunk.toString("latin1");
  return { socket, answer, status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]) };
}

/** An HTTP/2 connection, to be closed by whoever asked for it. */
export async function openHttp2({
  httpsOrigin,
  tls,
}: Pick<TestEmulator, "httpsOrigin" | "tls">): Promise<ClientHttp2Session> {
  const session = connectHttp2(httpsOrigin, { ca: tls.caPem });
  session.on("error", () => undefined);
  await once(session, "connect");
  return session;
}

/** One request over HTTP/2. */
export async function callHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array = "",
): Promise<Answer> {
  const stream = session.request(headers, { endStream: body.length === 0 });
  const answered = once(stream, "response");
  if (body.length > 0) stream.end(body);
  const [answer] = (await answered) as [Record<string, string>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: Number(answer[":status"]), headers: answer, body: Buffer.concat(chunks) };
}

/** Resolves when `socket` speaks no more. */
export async function ended(socket: Socket | TLSSocket): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await once(socket, "close");
}
