/**
 * Reads a request body within a limit.
 *
 * A client that sends too much is read on for a while and its bytes dropped, since
 * most clients look for an answer only when they have sent everything.
 */
import type { HttpRequest } from "./http-wire.ts";

/** How much of a body that is too large is read and dropped before the connection is. */
const drainedBytes = 1_048_576;

export interface RequestBody {
  /** At most one byte more than the limit: then the body was too large. */
  readonly bytes: Uint8Array;
  /** Whether all of it was read, so that the connection can go on. */
  readonly isComplete: boolean;
}

/** The body of `request`; `undefined` when the client went away before its end. */
export function readBody(request: HttpRequest, limit: number): Promise<RequestBody | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const bodyOf = (isComplete: boolean) => ({
    bytes: Buffer.concat(chunks).subarray(0, limit + 1),
    isComplete,
  });
  return new Promise((resolve) => {
    request.on("data", (chunk: Uint8Array) => {
      if (length <= limit) chunks.push(chunk);
      length += chunk.length;
      if (length <= limit + drainedBytes) return;
      request.pause();
      resolve(bodyOf(false));
    });
    request.on("end", () => {
      resolve(bodyOf(true));
    });
    for (const event of ["error", "close"]) {
      request.on(event, () => {
        resolve(undefined);
      });
    }
  });
}
