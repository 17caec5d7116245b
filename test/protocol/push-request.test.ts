import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { parseTopic, type Message, type Topic } from "../../src/protocol/message.ts";
import { createPushRequest } from "../../src/protocol/push-request.ts";
import { parseSubscription } from "../../src/protocol/subscription.ts";

// RFC 8291 Appendix A.
const material = {
  salt: Buffer.from("DGv6ra1nlYgDCS1FRnbzlw", "base64url"),
  privateKey: Buffer.from("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", "base64url"),
};
const keys = {
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
};
const alice = parseSubscription({ endpoint: "https://push.example/alice", keys });
const edge = parseSubscription({ endpoint: "https://wns2-par02p.notify.windows.com/w/?token=a%2bb", keys });
const old = parseSubscription({ endpoint: "https://push.example/old", keys, contentEncoding: "aesgcm" });

const empty: Message = { payload: undefined, ttlSeconds: 60, urgency: undefined, topic: undefined };
const hello: Message = { ...empty, payload: Buffer.from("hello") };

describe("a push request", () => {
  test("carries the RFC's example byte for byte", () => {
    const payload = Buffer.from("When I grow up, I want to be a watermelon");
    const { body, headers } = createPushRequest({ ...empty, payload }, alice, {}, material);
    expect(Buffer.from(body).toString("base64url")).toBe(
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
    expect(headers).toEqual({
      ttl: "60",
      "content-length": "144",
      "content-type": "application/octet-stream",
      "content-encoding": "aes128gcm",
    });
  });

  test("without payload says so with its length and has no content headers", () => {
    expect(createPushRequest(empty, alice, { authorization: "vapid t=a, k=b" }, material)).toEqual({
      method: "POST",
      url: "https://push.example/alice",
      headers: { ttl: "60", "content-length": "0", authorization: "vapid t=a, k=b" },
      body: new Uint8Array(),
    });
  });

  test("an empty payload is still a payload", () => {
    const { headers, body } = createPushRequest({ ...empty, payload: new Uint8Array() }, alice, {}, material);
    expect(headers["content-encoding"]).toBe("aes128gcm");
    expect(body).toHaveLength(103);
  });

  test("says urgency and topic when they are given", () => {
    const message: Message = { ...hello, urgency: "high", topic: parseTopic("news") };
    expect(createPushRequest(message, alice, {}, material).headers).toMatchObject({
      urgency: "high",
      topic: "news",
    });
  });

  test("with ttl 0 says 0, and to WNS that nothing is to be cached", () => {
    const now: Message = { ...empty, ttlSeconds: 0 };
    expect(createPushRequest(now, alice, {}, material).headers).toEqual({ ttl: "0", "content-length": "0" });
    expect(createPushRequest(now, edge, {}, material).headers).toMatchObject({
      ttl: "0",
      "x-wns-cache-policy": "no-cache",
    });
    expect(createPushRequest(empty, edge, {}, material).headers).not.toHaveProperty("x-wns-cache-policy");
  });

  test("keeps the endpoint byte for byte", () => {
    expect(createPushRequest(hello, edge, {}, material).url).toBe(edge.endpoint);
  });

  test("in the old encoding joins both keys in one header, by a semicolon", () => {
    const { headers } = createPushRequest(hello, old, { "crypto-key": "p256ecdsa=BA1H" }, material);
    expect(headers["content-encoding"]).toBe("aesgcm");
    expect(headers["crypto-key"]).toMatch(/^dh=[\w-]{87};p256ecdsa=BA1H$/);
    expect(headers["encryption"]).toMatch(/^salt=[\w-]{22}/);
  });

  test("holds 4078 bytes and refuses more", () => {
    const sized = (bytes: number): Message => ({ ...empty, payload: new Uint8Array(bytes) });
    for (const to of [alice, old]) {
      expect(createPushRequest(sized(4078), to, {}, material).body.length).toBeGreaterThan(4078);
      expect(() => createPushRequest(sized(4079), to, {}, material)).toThrow(UserError);
    }
  });

  test.each<[string, Partial<Message>, Record<string, string>]>([
    ["a line break in a topic", { topic: "a\r\nx: y" as Topic }, {}],
    ["a line break in the authorization", {}, { authorization: "vapid\r\nx: y" }],
    ["a header name with a space", {}, { "a b": "c" }],
    ["an empty header", {}, { authorization: "" }],
    ["a ttl that is no whole number", { ttlSeconds: 1.5 }, {}],
    ["a negative ttl", { ttlSeconds: -1 }, {}],
  ])("never leaves with %s, which only a bug can bring", (_, message, authorization) => {
    expect(() => createPushRequest({ ...empty, ...message }, alice, authorization, material)).toThrow(
      TypeError,
    );
  });
});
