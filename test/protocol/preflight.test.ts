import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { Message } from "../../src/protocol/message.ts";
import { cautionsFor, checkForService, pickPair } from "../../src/protocol/preflight.ts";
import { serviceOf } from "../../src/protocol/services.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";

const [current, older, theirs] = [samplePair("current"), samplePair("older"), samplePair("theirs")];
const { subject } = parseSubject("mailto:push@ada.dev");
const days = 86_400;

const message = (over: Partial<Message> = {}): Message => ({
  ...{ payload: Buffer.from("hi"), ttlSeconds: 600, urgency: undefined, topic: undefined },
  ...over,
});

const fcm = "https://fcm.googleapis.com/fcm/send/abc";
const mozilla = "https://updates.push.services.mozilla.com/wpush/v2/abc";
const apple = "https://web.push.apple.com/QAbc";
const wns = "https://db5p.notify.windows.com/w/?token=abc";
const unknown = "https://push.example.net/abc";

const at = (endpoint: string) => sampleSubscription("phone", { endpoint });

describe("the pair that signs", () => {
  const tenures = [
    { pair: older, since: 100 },
    { pair: current, since: 200 },
  ];
  const ring = { current, pairs: [older, current], tenures };

  test.each([
    ["is the one the subscription was made with", older.publicKey, 250, older],
    ["is none when that key is not at hand", theirs.publicKey, 250, undefined],
    ["is the current one when it neither says nor is stored", undefined, undefined, current],
    ["is the one of its time when it does not say", undefined, 199, older],
    ["is the new one from the moment of the rotation", undefined, 200, current],
    ["is the earliest for what was stored before any pair", undefined, 50, older],
  ])("%s", (_name, applicationServerKey, registeredAt, expected) => {
    expect(pickPair({ applicationServerKey, registeredAt }, ring)).toBe(expected);
  });

  test("is the current one when nobody knows which was current when", () => {
    const to = { applicationServerKey: undefined, registeredAt: 50 };
    expect(pickPair(to, { ...ring, tenures: [] })).toBe(current);
  });

  test("is none when there is none", () => {
    const to = { applicationServerKey: undefined, registeredAt: 50 };
    expect(pickPair(to, { current: undefined, pairs: [], tenures: [] })).toBeUndefined();
  });
});

/** What is refused, or undefined. */
function refusalOf(
  endpoint: string,
  over: Partial<Message>,
  sender: { subject: typeof subject | undefined } = { subject },
) {
  try {
    checkForService(message(over), at(endpoint), sender);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

describe("refused before the network", () => {
  test("a TTL that the service refuses, with the most it takes", () => {
    expect(refusalOf(fcm, { ttlSeconds: 28 * days })).toBeUndefined();
    const error = refusalOf(fcm, { ttlSeconds: 28 * days + 1 });
    expect(error).toMatchObject({ code: "ttl-too-long", kind: "input" });
    expect(error?.hints).toEqual(["use at most 2419200 (28 days)"]);
  });

  test.each([mozilla, apple, wns, unknown])(
    "not a TTL that the service shortens or says nothing of: %s",
    (endpoint) => {
      expect(refusalOf(endpoint, { ttlSeconds: 365 * days })).toBeUndefined();
    },
  );

  test("no contact, at Apple only", () => {
    const nobody = { subject: undefined };
    const error = refusalOf(apple, {}, nobody);
    expect(error).toMatchObject({ code: "subject-missing", kind: "credentials" });
    expect(error?.hints[0]).toContain("webpush keys --subject");
    for (const endpoint of [fcm, mozilla, wns, unknown])
      expect(refusalOf(endpoint, {}, nobody)).toBeUndefined();
  });
});

describe("at an emulator, what the service it stands for refuses", () => {
  test("FCM's TTL and Apple's contact, but not at its own endpoints", () => {
    const emulator = "http://127.0.0.1:8030";
    const long = { ttlSeconds: 28 * days + 1 };
    expect(refusalOf(`${emulator}/fcm/send/abc`, long)).toMatchObject({ code: "ttl-too-long" });
    expect(refusalOf(`${emulator}/push/abc`, long)).toBeUndefined();
    const nobody = { subject: undefined };
    expect(refusalOf(`${emulator}/apple/abc`, {}, nobody)).toMatchObject({ code: "subject-missing" });
    expect(refusalOf(`${emulator}/push/abc`, {}, nobody)).toBeUndefined();
  });
});

describe("said before the network", () => {
  const cautions = (over: Partial<Message>, ...endpoints: string[]) =>
    cautionsFor(message(over), new Set(endpoints.map((endpoint) => serviceOf(at(endpoint).endpoint))));

  test("nothing of a message that everybody takes", () => {
    expect(cautions({}, fcm, mozilla, apple, wns, unknown)).toEqual([]);
    expect(cautions({ payload: undefined, ttlSeconds: 0 }, fcm, mozilla, apple, wns, unknown)).toEqual([]);
  });

  test("that a service shortens the TTL", () => {
    expect(cautions({ ttlSeconds: 30 * days }, mozilla, apple)).toEqual([]);
    expect(cautions({ ttlSeconds: 30 * days + 1 }, mozilla, apple)).toEqual([
      expect.stringMatching(/^Mozilla.* at most 30 days$/),
      expect.stringMatching(/^Apple.* at most 30 days$/),
    ]);
  });

  test("that some browsers of a service take less", () => {
    expect(cautions({ payload: Buffer.alloc(2744) }, mozilla, fcm)).toEqual([]);
    expect(cautions({ payload: Buffer.alloc(2745) }, mozilla, fcm)).toEqual([
      "Firefox for Android may refuse a payload of more than 2744 bytes",
    ]);
  });
});
