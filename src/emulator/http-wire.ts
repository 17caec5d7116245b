/** HTTP/1.1 and HTTP/2 as one: requests and answers of either version, and what carries them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** A request of either version; `headers` reads the same: `host` is there, repetitions are joined by commas. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** What carries one request. */
export type HttpWire =
  | { readonly kind: "http1"; readonly socket: Socket }
  /** `session` is `undefined` once the connection is gone. */
  | {
      readonly kind: "http2";
      readonly stream: ServerHttp2Stream;
      readonly session: Http2Session | undefined;
    };

/** What carries `request`. */
export function wireOf(request: HttpRequest): HttpWire {
  return "stream" in request
    ? { kind: "http2", stream: request.stream, session: request.stream.session }
    : { kind: "http1", socket: request.socket };
}
