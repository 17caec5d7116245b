/**
 * How much a peer may send: RFC 9113 §6.9, our side of it.
 */
import { ConnectionError, errorCode } from "./frames.ts";

/** What the window of a connection begins with; only an update could change it. */
const windowBytes = 65_535;

/**
 * The window of one connection. What arrives is used up at once, so it is opened again whenever half
 * of it is gone; a stream's own is never opened again, for no more of an answer is read.
 */
export class ReceiveWindow {
  #left = windowBytes;

  /**
   * Counts what arrived, padding too, and returns by how much to open the window, or 0.
   *
   * @throws ConnectionError when the peer sent more than it may
   */
  take(bytes: number): number {
    this.#left -= bytes;
    if (this.#left < 0)
      throw new ConnectionError(errorCode.flowControlError, "more is sent than was allowed");
    if (this.#left > windowBytes / 2) return 0;
    const growth = windowBytes - this.#left;
    this.#left = windowBytes;
    return growth;
  }
}
