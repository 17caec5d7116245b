import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ResponseReader } from "../../../src/sender/http1/response-reader.ts";

/** Reads bytes that come in pieces of the given lengths, the rest at last, and then the connection's end. */
function read(text: string, pieces: readonly number[] = []) {
  const reader = new ResponseReader();
  let at = 0;
  let reading = "more";
  for (const length of [...pieces, text.length]) {
    if (reading !== "more" || at >= text.length) break;
    reading = reader.push(Buffer.from(text.slice(at, at + length), "latin1"));
    at += length;
  }
  if (reading === "more") reading = reader.end();
  return { reading, response: reader.response?.finish(), isReusable: reader.isReusable };
}

const answered = (status: number, body = "", headers: Record<string, string> = {}) => ({
  status,
  headers,
  body,
});

describe("where an answer ends", () => {
  test.each([
    [
      "a length",
      "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
      answered(201, "ok", { "content-length": "2" }),
    ],
    ["no body by its status", "HTTP/1.1 204 No Content\r\n\r\n", answered(204)],
    [
      "no words in the status line",
      "HTTP/1.1 201\r\ncontent-length:0\r\n\r\n",
      answered(201, "", { "content-length": "0" }),
    ],
    [
      "chunks",
      "HTTP/1.1 400 Bad\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
      answered(400, "abc0123456789", { "transfer-encoding": "Chunked" }),
    ],
    [
      "chunks and trailers",
      "HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n000\r\nx: y\r\n\r\n",
      answered(400, "a", { "transfer-encoding": "chunked" }),
    ],
    ["interim answers", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 204 No\r\n\r\n", answered(204)],
  ])("%s, however it is cut", (_, text, response) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), (pieces) => {
        expect(read(text, pieces)).toEqual({ reading: "done", response, isReusable: true });
      }),
    );
  });

  test("the end of the connection, where nothing else says so", () => {
    expect(read("HTTP/1.1 410 Gone\r\n\r\nunsubscribed")).toEqual({
      reading: "done",
      response: answered(410, "unsubscribed"),
      isReusable: false,
    });
  });

  test("a body beyond 8 kB is not read to its end", () => {
    const text = `HTTP/1.1 400 Bad\r\ncontent-length: 9000\r\n\r\n${"x".repeat(8500)}`;
    expect(read(text)).toMatchObject({ reading: "enough", response: { body: "x".repeat(8192) } });
  });

  test.each([
    ["a length", "HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\nshort"],
    ["a chunk", "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n9\r\nshort"],
  ])("%s that is cut short leaves the status", (_, text) => {
    expect(read(text)).toMatchObject({ reading: "malformed", response: { status: 201, body: "short" } });
  });
});

test.each([
  ["close", "HTTP/1.1 201 Created\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n"],
  ["close among others", "HTTP/1.1 201 Created\r\nconnection: foo, close\r\ncontent-length: 0\r\n\r\n"],
  ["HTTP/1.0", "HTTP/1.0 201 Created\r\ncontent-length: 0\r\n\r\n"],
  ["bytes after it", "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n"],
])("an answer with %s is the last one of its connection", (_, text) => {
  expect(read(text)).toMatchObject({ reading: "done", response: { status: 201 }, isReusable: false });
});

test.each([
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
  ["another version", "HTTP/2.0 201 Created\r\n\r\n"],
  ["a line in front", "\r\nHTTP/1.1 201 Created\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 99 Odd\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2010 Odd\r\n\r\n"],
  ["a switch of protocols", "HTTP/1.1 101 Go\r\nupgrade: x\r\n\r\n"],
  ["interim answers without end", `${"HTTP/1.1 103 Early\r\n\r\n".repeat(17)}HTTP/1.1 204 No\r\n\r\n`],
  ["two lengths", "HTTP/1.1 410 Gone\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
  ["a negative length", "HTTP/1.1 410 Gone\r\ncontent-length: -1\r\n\r\n"],
  [
    "a length and chunks",
    "HTTP/1.1 410 Gone\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["another coding", "HTTP/1.1 410 Gone\r\ntransfer-encoding: gzip, chunked\r\n\r\n"],
  ["a folded line", "HTTP/1.1 410 Gone\r\nx: a\r\n b\r\n\r\n"],
  ["a space in front of the colon", "HTTP/1.1 410 Gone\r\nx : a\r\n\r\n"],
  ["a line without a colon", "HTTP/1.1 410 Gone\r\nx\r\n\r\n"],
  ["a bare line feed", "HTTP/1.1 410 Gone\r\nx: a\ny: b\r\n\r\n"],
  ["a control character", "HTTP/1.1 410 Gone\r\nx: \u001b]0;owned\u0007\r\n\r\n"],
  ["too many headers", `HTTP/1.1 410 Gone\r\n${"x: y\r\n".repeat(101)}\r\n`],
  ["headers without end", `HTTP/1.1 410 Gone\r\nx: ${"y".repeat(17_000)}`],
])("an answer with %s is none", (_, text) => {
  expect(read(text)).toEqual({ reading: "malformed", response: undefined, isReusable: false });
});

test.each([
  ["a chunk without a size", "x\r\n"],
  ["a chunk longer than its size", "1\r\nab\r\n"],
  ["a size without end", "1".repeat(2000)],
])("%s ends the answer, and the status counts", (_, chunks) => {
  const text = `HTTP/1.1 410 Gone\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
  expect(read(text)).toMatchObject({ reading: "malformed", response: { status: 410 } });
});
