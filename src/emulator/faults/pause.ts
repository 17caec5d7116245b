/** Waiting within a request, for as long as its client does. */
import type { HttpExchange } from "../http-exchange.ts";

/** Resolves after `ms`, or as soon as the client is gone; `for-ever` waits for that alone. */
export function pause(
  ms: number | "for-ever",
  { response, wire }: Pick<HttpExchange, "response" | "wire">,
): Promise<"over" | "gone"> {
  const isGone = wire.kind === "http2" ? wire.stream.destroyed : response.destroyed;
  if (isGone) return Promise.resolve("gone");
  if (ms === 0) return Promise.resolve("over");
  return new Promise((resolve) => {
    const end = (how: "over" | "gone") => {
      clearTimeout(timer);
      response.off("close", leave);
      resolve(how);
    };
    const leave = () => {
      end("gone");
    };
    const timer = ms === "for-ever" ? undefined : setTimeout(end, ms, "over");
    response.once("close", leave);
  });
}
