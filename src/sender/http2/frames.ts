/**
 * Frames on the wire: RFC 9113 §4 and §6.
 */

/** The octets every frame begins with. */
export const frameHeaderBytes = 9;

/** The largest payload either side may send: the initial value, which we leave as it is (RFC 9113 §4.2). */
export const maxPayloadBytes = 16_384;

/** What a client says first (RFC 9113 §3.4). */
export const clientPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** RFC 9113 §6. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** RFC 9113 §6. `ack` is that of SETTINGS and PING, the others those of DATA and HEADERS. */
export const frameFlag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** RFC 9113 §6.5.2. */
export const setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** RFC 9113 §7. */
export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  enhanceYourCalm: 0xb,
  http11Required: 0xd,
} as const;

/** One frame as it arrived. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The peer broke the protocol, so that the connection cannot go on (RFC 9113 §5.4.1). */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The payload of DATA or HEADERS without its padding (RFC 9113 §6.1).
 *
 * @throws ConnectionError
 */
export function withoutPadding(flags: number, payload: Buffer): Buffer {
  if (!(flags & frameFlag.padded)) return payload;
  const padding = payload[0] ?? 0;
  if (padding >= payload.length)
    throw new ConnectionError(errorCode.protocolError, "there is more padding than frame");
  return payload.subarray(1, payload.length - padding);
}
