/**
 * Which frames may come when, and how many of them in vain.
 */
import { ConnectionError, errorCode, frameFlag, frameType, type Frame } from "./frames.ts";

/** Frames that get no request further: beyond this many in a row somebody only keeps us busy. */
const maxIdleFrames = 10_000;

/** Watches over the frames of one connection. */
export class FrameGuard {
  #greeted = false;
  #idleFrames = 0;

  /** @throws ConnectionError when the frame may not come now */
  assertMayCome({ type, flags }: Frame): void {
    // RFC 9113 §3.4: the peer's settings come first. Something else speaks another protocol.
    if (!this.#greeted && (type !== frameType.settings || (flags & frameFlag.ack) !== 0))
      throw new ConnectionError(errorCode.protocolError, "it does not begin with settings");
    this.#greeted = true;
    this.#idleFrames += 1;
    if (this.#idleFrames > maxIdleFrames)
      throw new ConnectionError(errorCode.enhanceYourCalm, "there are frames without end");
  }

  /** A request has ended. */
  progress(): void {
    this.#idleFrames = 0;
  }
}
