/**
 * What HTTP/2 does differently, made the same: headers read as those of HTTP/1.1, and time is limited.
 */
import { constants, type Http2ServerRequest, type ServerHttp2Session } from "node:http2";

/**
 * Makes `headers` what `joinDuplicateHeaders` makes them in HTTP/1.1: `host` is there, every repeated
 * header is joined by commas. Node drops a second `authorization` and its like otherwise.
 */
export function unifyHeaders({
  headers,
  rawHeaders,
}: Pick<Http2ServerRequest, "headers" | "rawHeaders">): void {
  const joined = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [rawName = "", value = ""] = rawHeaders.slice(at, at + 2);
    const name = rawName === ":authority" ? "host" : rawName.toLowerCase();
    if (name.startsWith(":")) continue;
    const earlier = joined.get(name);
    // RFC 9113 §8.3.1: a Host beside an equal :authority says nothing new.
    if (earlier === undefined) joined.set(name, value);
    else if (name !== "host" || earlier !== value) joined.set(name, `${earlier}, ${value}`);
  }
  for (const [name, value] of joined) if (name !== "set-cookie") headers[name] = value;
}

/** Ends a stream whose request does not arrive in time. */
export function boundRequest({ stream }: Http2ServerRequest, limitMs: number): void {
  if (stream.endAfterHeaders) return;
  const timer = setTimeout(() => {
    stream.close(constants.NGHTTP2_CANCEL);
  }, limitMs);
  const stop = () => {
    clearTimeout(timer);
  };
  stream.once("end", stop).once("close", stop);
}

/** Ends a connection over which nothing is asked for so long. */
export function boundSession(session: ServerHttp2Session, limitMs: number): void {
  const end = () => {
    session.close();
  };
  let openCount = 0;
  // Not the session's own time limit, which counts the wait of a poll and stops when it was reached once.
  let idle = setTimeout(end, limitMs);
  session.on("error", () => undefined); // "close" follows
  session.on("stream", (stream) => {
    clearTimeout(idle);
    openCount += 1;
    stream.on("error", () => undefined);
    stream.once("close", () => {
      openCount -= 1;
      if (openCount === 0 && !session.closed) idle = setTimeout(end, limitMs);
    });
  });
  session.once("close", () => {
    clearTimeout(idle);
  });
}
