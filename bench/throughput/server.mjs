/**
 * A push service that costs as little as it can, so that what is measured is the sender.
 *
 * TLS on two ports: one offers HTTP/2 and HTTP/1.1 by ALPN, one HTTP/1.1 alone. It takes any request, reads its body and
 * answers `201` with a `Location` (RFC 8030 §5). It checks nothing: neither token nor coding, nor the headers, which over
 * HTTP/2 it does not even decode. Frames and heads are read by hand, since Node's own servers would use as much CPU as
 * the senders under test, and the answers to all that arrived together leave in one write.
 *
 * Runs as a child of `service.mjs`: `{ ports }` when it listens, then for each message that comes in, what happened
 * since the one before.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:tls";

const tls = new URL("../../test/support/tls/", import.meta.url);
const location = "/message/0123456789abcdefghijklmnopqrstuvwxyz";
/** What push services usually allow (PROTOCOL.md §7.2). */
const maxConcurrentStreams = 100;

/** The frames of RFC 9113 §6 that matter here, and their flags, which share bits. */
const frame = { data: 0, headers: 1, settings: 4, ping: 6, windowUpdate: 8 };
const flags = { ack: 1, endStream: 1, endHeaders: 4 };
const preface = 24;
const windowBytes = 2 ** 30;

let counted = { messages: 0, bytes: 0, connections: 0 };
let cpuBefore = process.cpuUsage();

const ports = { http2: await listen(["h2", "http/1.1"]), http1: await listen(["http/1.1"]) };
process.send({ ports });
process.on("message", () => {
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send({ ...counted, cpuUs: user + system });
  counted = { messages: 0, bytes: 0, connections: 0 };
  cpuBefore = process.cpuUsage();
});
process.on("disconnect", () => process.exit(0));

/** Opens a port of its own for these protocols; the number it got. */
async function listen(ALPNProtocols) {
  const cert = readFileSync(new URL("cert.pem", tls));
  const key = readFileSync(new URL("key.pem", tls));
  const server = createServer({ cert, key, ALPNProtocols, noDelay: true }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

function serve(socket) {
  counted.connections += 1;
  socket.on("error", () => socket.destroy());
  const read = socket.alpnProtocol === "h2" ? readHttp2(socket) : readHttp1(socket);
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = read(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  });
}

/** Answers the requests in `input`; returns what is left of it. */
function readHttp1(socket) {
  const answer = `HTTP/1.1 201 Created\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
  return (input) => {
    let [at, answers] = [0, 0];
    for (;;) {
      const head = input.indexOf("\r\n\r\n", at, "latin1");
      if (head === -1) break;
      const length = /\r\ncontent-length: *(\d+)/i.exec(input.latin1Slice(at, head))?.[1];
      if (length === undefined) {
        socket.end("HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n");
        return Buffer.alloc(0);
      }
      const end = head + 4 + Number(length);
      if (end > input.length) break;
      counted.messages += 1;
      counted.bytes += Number(length);
      answers += 1;
      at = end;
    }
    if (answers > 0) socket.write(answer.repeat(answers));
    return input.subarray(at);
  };
}

/** Answers the requests in `input`; returns what is left of it. */
function readHttp2(socket) {
  const answer = answerBlock();
  let [greeted, unacknowledged] = [false, 0];
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(3, 0); // SETTINGS_MAX_CONCURRENT_STREAMS
  settings.writeUInt32BE(maxConcurrentStreams, 2);
  socket.write(Buffer.concat([frameOf(frame.settings, 0, 0, settings), grant(windowBytes)]));

  return (input) => {
    let at = 0;
    if (!greeted) {
      if (input.length < preface) return input;
      greeted = true;
      at = preface;
    }
    const answers = [];
    while (at + 9 <= input.length) {
      const length = input.readUIntBE(at, 3);
      const end = at + 9 + length;
      if (end > input.length) break;
      const [type, flag, stream] = [input[at + 3], input[at + 4], input.readUInt32BE(at + 5)];
      if (type === frame.data) {
        counted.bytes += length;
        unacknowledged += length;
      }
      if ((type === frame.data || type === frame.headers) && (flag & flags.endStream) !== 0) {
        counted.messages += 1;
        answer.writeUInt32BE(stream, 5);
        answers.push(Buffer.from(answer));
      } else if (type === frame.settings && (flag & flags.ack) === 0) {
        answers.push(frameOf(frame.settings, flags.ack, 0, Buffer.alloc(0)));
      } else if (type === frame.ping && (flag & flags.ack) === 0) {
        answers.push(frameOf(frame.ping, flags.ack, 0, input.subarray(at + 9, end)));
      }
      at = end;
    }
    if (unacknowledged > windowBytes / 2) {
      answers.push(grant(unacknowledged));
      unacknowledged = 0;
    }
    if (answers.length > 0) socket.write(answers.length === 1 ? answers[0] : Buffer.concat(answers));
    return input.subarray(at);
  };
}

function frameOf(type, flag, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** More room in the connection's window. A stream's own is never used up: a push message fits the first 65 535 bytes. */
function grant(bytes) {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(bytes, 0);
  return frameOf(frame.windowUpdate, 0, 0, increment);
}

/** A HEADERS frame with `:status: 201` and `location`, literals without indexing (RFC 7541 §6.2.2); the stream is filled in. */
function answerBlock() {
  const block = Buffer.concat([
    Buffer.from([0x08, 3]), // :status is 8 in the static table
    Buffer.from("201"),
    Buffer.from([0x0f, 46 - 15, location.length]), // location is 46, in a prefix of 4 bits
    Buffer.from(location),
  ]);
  return frameOf(frame.headers, flags.endStream | flags.endHeaders, 0, block);
}
