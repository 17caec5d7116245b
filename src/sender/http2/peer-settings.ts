/**
 * What a push service asks of us on one connection: RFC 9113 §6.5.
 */
import { ConnectionError, errorCode, maxPayloadBytes, setting } from "./frames.ts";

const maxWindow = 2 ** 31 - 1;

/** Where the peer names no limit of streams; a usual value of those that do. */
const usualStreams = 100;
/** A peer may allow millions; what is in flight is bounded all the same. */
const mostStreams = 1000;

/** The values that hold now; before the peer said anything, those of RFC 9113 §6.5.2. */
export class PeerSettings {
  maxStreams = usualStreams;
  initialWindow = 65_535;

  /**
   * Takes one setting over. Those nobody knows, or that are not kept here, are passed over.
   *
   * @throws ConnectionError for a value outside of its range
   */
  apply(id: number, value: number): void {
    switch (id) {
      case setting.maxConcurrentStreams:
        this.maxStreams = Math.min(value, mostStreams);
        return;
      case setting.initialWindowSize:
        if (value > maxWindow) throw new ConnectionError(errorCode.flowControlError, "a window is too large");
        this.initialWindow = value;
        return;
      case setting.enablePush:
        if (value !== 0) throw new ConnectionError(errorCode.protocolError, "a server cannot enable push");
        return;
      case setting.maxFrameSize:
        // No frame of ours is larger than the least that a peer can ask for.
        if (value < maxPayloadBytes || value >= 2 ** 24)
          throw new ConnectionError(errorCode.protocolError, "a frame size is out of range");
        return;
      default:
    }
  }
}
