/**
 * How much of the requests' bodies may be sent: RFC 9113 §5.2 and §6.9.
 *
 * Push messages fit the windows that a peer begins with many times over. Yet a peer may
 * keep them shut, and then a body waits here until they open or its time is up.
 */
import type { FrameWriter } from "./frame-writer.ts";
import { ConnectionError, errorCode, maxPayloadBytes } from "./frames.ts";
import type { Stream } from "./stream.ts";

const maxWindow = 2 ** 31 - 1;

/** Sends the bodies of one connection's requests as its windows allow. */
export class SendFlow {
  readonly #writer: FrameWriter;
  #window = 65_535;
  readonly #blocked = new Set<Stream>();

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Sends what may be sent of a stream's body. */
  send(stream: Stream): void {
    while (stream.unsent.length > 0) {
      const bytes = Math.min(stream.unsent.length, maxPayloadBytes, this.#window, stream.sendWindow);
      if (bytes <= 0) {
        this.#blocked.add(stream);
        return;
      }
      const part = stream.takeUnsent(bytes);
      this.#window -= bytes;
      this.#writer.data(stream.id, stream.unsent.length === 0, part);
    }
    this.#blocked.delete(stream);
  }

  /** The peer takes more on the whole connection. */
  widen(bytes: number): void {
    this.#window = widened(this.#window, bytes);
    this.sendBlocked();
  }

  /** The peer takes more on one stream. */
  widenStream(stream: Stream, bytes: number): void {
    stream.sendWindow = widened(stream.sendWindow, bytes);
    this.send(stream);
  }

  /** Tries again with all that did not get through. */
  sendBlocked(): void {
    for (const stream of this.#blocked) this.send(stream);
  }

  /** The stream has ended. */
  forget(stream: Stream): void {
    this.#blocked.delete(stream);
  }
}

function widened(window: number, bytes: number): number {
  if (bytes === 0) throw new ConnectionError(errorCode.protocolError, "a window grows by nothing");
  if (window + bytes > maxWindow)
    throw new ConnectionError(errorCode.flowControlError, "a window is too large");
  return window + bytes;
}
