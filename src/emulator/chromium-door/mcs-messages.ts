/**
 * What the frames of MCS say: those of a browser become members of a closed union, those of a service are written.
 *
 * Field numbers and meanings are those of Chromium's own client, of which only what web push uses is here.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { readFields, type Fields } from "./protobuf-fields.ts";
import { mcsTags, type McsFrame } from "./mcs-frames.ts";

/** How many frames of the other side have arrived when this one was sent; acknowledges them. */
interface Counted {
  readonly lastStreamIdReceived: number | undefined;
}

/** What a browser says. */
export type ClientMessage =
  | {
      readonly type: "login";
      /** As `chrome-156.0.8078.79`. */
      readonly product: string;
      /** The device id, in decimal; unlike the rest of a login it may be anything. */
      readonly user: string;
      /** Messages that it has, though the service may not know. */
      readonly receivedMessageIds: readonly string[];
    }
  | (Counted & { readonly type: "ping" | "ping-ack" | "other" })
  | (Counted & { readonly type: "selective-ack"; readonly messageIds: readonly string[] })
  | { readonly type: "close" };

const selectiveAckExtension = 12;

/** The message of a frame, or what is wrong with it. */
export function parseClientMessage(frame: McsFrame): ClientMessage | { readonly violation: string } {
  const fields = readFields(frame.payload);
  if (fields === undefined) return { violation: `a frame with tag ${frame.tag} is not protobuf` };
  switch (frame.tag) {
    case mcsTags.loginRequest:
      return {
        type: "login",
        product: fields.text(1) ?? "",
        user: fields.text(3) ?? "",
        receivedMessageIds: fields.texts(10),
      };
    case mcsTags.heartbeatPing:
      return { type: "ping", lastStreamIdReceived: fields.number(2) };
    case mcsTags.heartbeatAck:
      return { type: "ping-ack", lastStreamIdReceived: fields.number(2) };
    case mcsTags.iq:
      return iqOf(fields);
    // Messages to a server of the app's, which web push has not; they count all the same.
    case mcsTags.dataMessage:
      return { type: "other", lastStreamIdReceived: fields.number(11) };
    case mcsTags.close:
      return { type: "close" };
    default:
      return { violation: `a frame has the tag ${frame.tag}, which a browser does not send` };
  }
}

/** An Iq is an envelope; acknowledgements of a stream say all they have to say by its number. */
function iqOf(fields: Fields): ClientMessage {
  const lastStreamIdReceived = fields.number(10);
  const extension = fields.message(7);
  if (extension?.number(1) !== selectiveAckExtension) return { type: "other", lastStreamIdReceived };
  const messageIds = readFields(extension.bytes(2) ?? new Uint8Array())?.texts(1) ?? [];
  return { type: "selective-ack", lastStreamIdReceived, messageIds };
}

export interface LoginResponse {
  readonly id: string;
  readonly user: string;
  readonly heartbeatMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The answer to a LoginRequest, which is always the first frame of each side. */
export function loginResponse({ id, user, heartbeatMs, now }: LoginResponse): McsFrame {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(id);
  writer.tag(2, WireType.LengthDelimited).string(`${user}@mcs.android.com/${user}`);
  writer.tag(5, WireType.Varint).int32(1);
  writer.tag(6, WireType.Varint).int32(1);
  writer.tag(7, WireType.LengthDelimited).fork().tag(3, WireType.Varint).int32(heartbeatMs).join();
  writer.tag(8, WireType.Varint).int64(now);
  return { tag: mcsTags.loginResponse, payload: writer.finish() };
}

export interface DataMessage {
  readonly messageId: string;
  /** The `sender` of the registration: by it the browser finds the keys to decrypt with. */
  readonly from: string;
  /** The `app` of the registration; a browser drops messages for another without a word. */
  readonly category: string;
  /** The rest by key: `subtype` names the subscription, `content-encoding` and its kin say how the body is encrypted. */
  readonly appData: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly ttlSeconds: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly streamId: number;
  readonly lastStreamIdReceived: number;
}

/** A push message. It asks to be acknowledged at once, rather than with the tenth or the next heartbeat. */
export function dataMessage(message: DataMessage): McsFrame {
  const writer = new BinaryWriter();
  writer.tag(3, WireType.LengthDelimited).string(message.from);
  writer.tag(5, WireType.LengthDelimited).string(message.category);
  for (const [key, value] of Object.entries(message.appData)) {
    writer.tag(7, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).string(value);
    writer.join();
  }
  writer.tag(9, WireType.LengthDelimited).string(message.messageId);
  writer.tag(10, WireType.Varint).int32(message.streamId);
  writer.tag(11, WireType.Varint).int32(message.lastStreamIdReceived);
  writer.tag(17, WireType.Varint).int32(Math.min(message.ttlSeconds, 2 ** 31 - 1));
  writer.tag(18, WireType.Varint).int64(message.sentAt);
  if (message.body.length > 0) writer.tag(21, WireType.LengthDelimited).bytes(message.body);
  writer.tag(24, WireType.Varint).bool(true);
  return { tag: mcsTags.dataMessage, payload: writer.finish() };
}

/** The answer to a heartbeat. */
export function heartbeatAck(counts: {
  readonly streamId: number;
  readonly lastStreamIdReceived: number;
}): McsFrame {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(counts.streamId);
  writer.tag(2, WireType.Varint).int32(counts.lastStreamIdReceived);
  return { tag: mcsTags.heartbeatAck, payload: writer.finish() };
}

/** A farewell. */
export function closeFrame(): McsFrame {
  return { tag: mcsTags.close, payload: new Uint8Array() };
}
