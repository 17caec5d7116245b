import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/base/errors.ts";
import { parseFault, readFault } from "../../../src/emulator/faults/read-fault.ts";
import { errorOf } from "../../support/thrown.ts";

describe("a rule in a line and the same as an object", () => {
  test.each<[string, object, object, object?]>([
    [
      "status=429 retry-after=5 every=3",
      { status: 429, retryAfter: 5, every: 3 },
      { type: "status", status: 429, retryAfter: { seconds: 5, isDate: false }, body: "", when: "before" },
      { every: 3 },
    ],
    [
      "status=503 when=after retry-after-date=30",
      { status: 503, when: "after", retryAfterDate: 30 },
      { type: "status", retryAfter: { seconds: 30, isDate: true }, when: "after" },
    ],
    ['status=400 body="try later"', { status: 400, body: "try later" }, { body: "try later" }],
    [
      "latency=200 jitter=50",
      { latency: 200, jitter: 50 },
      { type: "latency", ms: 200, jitterMs: 50, when: "before" },
    ],
    ["goaway nth=10", { goaway: true, nth: 10 }, { type: "goaway", mode: "graceful" }, { nth: 10 }],
    ["goaway=mid-flight", { goaway: "mid-flight" }, { type: "goaway", mode: "mid-flight" }],
    [
      "reset-peer when=after percent=12.5",
      { resetPeer: true, when: "after", percent: 12.5 },
      { type: "reset-peer", ms: 0 },
      { percent: 12.5 },
    ],
    ["reset_peer=20", { reset_peer: 20 }, { type: "reset-peer", ms: 20 }],
    ["answer=apple.jwt times=2", { answer: "apple.jwt", times: 2 }, { type: "answer" }, { times: 2 }],
    [
      "down subscription=abc",
      { down: true, subscription: "https://a.example/push/abc" },
      { type: "down" },
      { pushId: "abc" },
    ],
    ["bandwidth=0.5", { bandwidth: 0.5 }, { type: "bandwidth", bytesPerSecond: 500 }],
    ["slicer=10 variation=2 pause=5", { slicer: 10, variation: 2, pause: 5 }, { type: "slicer", bytes: 10 }],
    ["lying-length=-3", { lyingLength: -3 }, { type: "lying-length", byBytes: -3 }],
    ["disconnect=4774", { disconnect: 4774 }, { type: "disconnect", code: 4774 }],
    [
      "refused-stream protocol=h2",
      { refusedStream: true, protocol: "h2" },
      { type: "refused-stream" },
      { protocol: "h2" },
    ],
    ["redirect", { redirect: true }, { type: "redirect", location: "https://push.invalid/", status: 307 }],
  ])("%s", (line, spec, toxic, conditions = {}) => {
    const fault = parseFault(line);
    expect(fault.toxic).toMatchObject(toxic);
    expect(fault.conditions).toMatchObject(conditions);
    expect(readFault(spec)).toEqual(fault);
    expect(parseFault(fault.rule)).toEqual(fault);
  });
});

describe("a rule that is wrong says which word, and what was meant", () => {
  test.each([
    ["lateny=200", 'a fault has no "lateny"', "did you mean latency?"],
    ["latency=200 jiter=5", 'a fault has no "jiter"', "did you mean jitter?"],
    ["latency", "latency is given nothing", "write latency=<ms>, from 0 to 3600000"],
    ["latency=fast", 'latency is given "fast"', "write latency=<ms>"],
    ["status=99", 'status is given "99"', "from 200 to 599"],
    ["status=429.5", 'status is given "429.5"', "from 200 to 599"],
    ["down=yes", 'down is given "yes"', "write down"],
    ["goaway=rude", 'goaway is given "rude"', "write goaway[=graceful|unprocessed|mid-flight]"],
    ["every=3", "the rule names no fault", "begin with one of status"],
    ["", "the rule names no fault", "begin with"],
    ["down latency=5", "down and latency are two faults", "make a rule of each"],
    ["down jitter=5", "down takes no jitter", "leave it out"],
    ["status=500 jitter=5", "status takes no jitter", "it takes retry-after"],
    ["status=500 status=400", "status is given twice", ""],
    ["nth=1 every=2 down", "nth and every do not go together", ""],
    ["goaway protocol=http/1.1", "goaway is of HTTP/2", ""],
    ["drop origin=https://a.example", "drop strikes receivers", ""],
    ["status=429 retry-after=1 retry-after-date=1", "are one header", ""],
    ["answer=apple.jtw", 'there is no cause "apple.jtw"', "did you mean apple.jwt?"],
    ["disconnect=1005", "no Close frame may carry 1005", "use 1000 to 1003"],
    ["disconnect=2999", "no Close frame may carry 2999", "3000 to 4999"],
    ['body="open status=500', "without its other half", ""],
  ])("%s", (line, words, hint) => {
    const { code, message, hints } = errorOf(() => parseFault(line));
    expect(code).toBe("emulator-fault");
    expect(message).toContain(words);
    expect(hints.join()).toContain(hint);
  });

  test.each<[unknown]>([
    [null],
    [5],
    [[]],
    [{}],
    [{ status: "x" }],
    [{ status: null }],
    [{ down: false }],
    [JSON.parse('{"__proto__":1}')],
    [{ constructor: 1 }],
  ])("%j", (value) => {
    expect(errorOf(() => readFault(value)).code).toBe("emulator-fault");
  });
});

test("whatever is given, it is read or refused, and what is read reads back from its line", () => {
  const word = fc.constantFrom(
    "status",
    "latency",
    "down",
    "goaway",
    "nth",
    "every",
    "when",
    "body",
    "x",
    "redirect",
  );
  const value = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.constantFrom("after", "graceful", "429", true, null, {}, []),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.dictionary(word, value, { maxKeys: 4 }), fc.anything()), (input) => {
      try {
        const fault = readFault(input);
        expect(parseFault(fault.rule)).toEqual(fault);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 2000 },
  );
});
