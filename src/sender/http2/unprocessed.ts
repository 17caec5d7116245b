/**
 * What becomes of a request that the service says it did not process: RFC 9113 §8.7.
 */
import type { ConnectionOwner } from "../connection.ts";
import type { Exchange } from "../exchange.ts";
import { errorCode } from "./frames.ts";

/** The codes of a reset that say so of the one stream they end. That of our load is none: it may come at any time. */
const unprocessedCodes: readonly number[] = [errorCode.refusedStream, errorCode.http11Required];

/** Whether a reset with this code came before the request was looked at. */
export function isUnprocessed(code: number): boolean {
  return unprocessedCodes.includes(code);
}

/** Decides about a request that was not processed, by the code of the RST_STREAM or GOAWAY that said so. */
export function failUnprocessed(exchange: Exchange, code: number, owner: ConnectionOwner): void {
  if (code === errorCode.http11Required) owner.wantsHttp1(exchange);
  else if (code === errorCode.enhanceYourCalm) exchange.fail("calm", "the service asks for calm");
  else if (code === errorCode.noError && !exchange.moved) {
    // Servers close a connection after so many requests; that is no reason to trouble anybody. Only
    // once: one that closes each new connection has something else to say.
    exchange.moved = true;
    owner.unprocessed(exchange);
  } else exchange.fail("refused-stream", "the service did not look at the request");
}
