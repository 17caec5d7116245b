import { describe, expect, test } from "vitest";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { signToken } from "../../../src/protocol/vapid-token.ts";
import { fieldsOf, fixed64, message } from "../../support/mcs-client.ts";
import { samplePair } from "../../support/samples.ts";
import { call, errorOf, sealed } from "../wire.ts";
import {
  app,
  appId,
  deletionForm,
  device,
  openDoor,
  pair,
  postForm,
  registrationForm,
  subscribe,
} from "./parts.ts";

/** What Chromium 156 sends: settings digest, its version and channel. */
const checkInFields = [
  [3, "1-da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  [4, message([12, 3], [13, message([1, 2], [2, "156.0.8078.79"], [3, 5])])],
  [14, 3],
] as const;

async function checkIn(origin: string, body: Uint8Array) {
  const headers = { "content-type": "application/x-protobuf" };
  const answer = await call("POST", `${origin}/chromium/checkin`, { headers, body });
  return { answer, fields: fieldsOf(answer.body) };
}

describe("a check-in", () => {
  test("of a new profile gets a device id and a secret, both above 0 and below 2^63", async () => {
    await using door = await openDoor();
    const { answer, fields } = await checkIn(door.origin, message([2, 0], ...checkInFields));
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/x-protobuf" } });
    expect([fields.get(1), fields.get(3), fields.get(9)]).toEqual([[1n], [BigInt(door.clock.now())], [0n]]);
    for (const number of [7, 8]) {
      const value = fields.get(number)?.[0] as bigint;
      expect(value > 0n && value < 2n ** 63n).toBe(true);
    }
    const second = await checkIn(door.origin, message([2, 0], ...checkInFields));
    expect(second.fields.get(7)).not.toEqual(fields.get(7));
  });

  test("of a device keeps its id and secret, also where nobody has seen it before", async () => {
    await using door = await openDoor();
    const [id, secret] = [BigInt(device), 2n ** 64n - 1n];
    const body = Buffer.concat([message([2, id]), fixed64(13, secret), message(...checkInFields)]);
    const { fields } = await checkIn(door.origin, body);
    expect([fields.get(7), fields.get(8)]).toEqual([[id], [secret]]);
  });

  test.each([
    ["no protobuf", Buffer.from("device=1")],
    ["another message", message([1, "chrome"])],
    ["nothing", Buffer.alloc(0)],
    ["one that breaks off", message([14, 3], [4, "version"]).subarray(0, 6)],
  ])("that is %s is refused", async (_name, body) => {
    await using door = await openDoor();
    const { answer } = await checkIn(door.origin, body);
    expect([answer.status, errorOf(answer).error]).toEqual([400, "check-in-malformed"]);
  });

  test("cannot be sent by a page", async () => {
    await using door = await openDoor();
    const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const answer = await call("POST", `${door.origin}/chromium/checkin`, { headers, body: "x" });
    expect(answer.status).toBe(403);
  });
});

describe("a registration", () => {
  test("makes a subscription for the key, with a token that cannot be guessed", async () => {
    await using door = await openDoor();
    const answer = await postForm(door, registrationForm());
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    const token = /^token=([\w-]{22})$/.exec(answer.body.toString())?.[1];
    expect(door.service.subscriptions()).toMatchObject([
      {
        pushId: token,
        personality: "fcm",
        applicationServerKey: pair.publicKey,
        owner: { userAgentId: device, channelId: appId, app },
      },
    ]);
  });

  test("repeated gets the same token; with another key or app id another one", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    expect(await subscribe(door)).toBe(token);
    expect(await subscribe(door, { "X-subtype": `${appId}2` })).not.toBe(token);
    expect(await subscribe(door, { sender: samplePair("other").publicKey })).not.toBe(token);
    expect(door.service.peekPushId(token)).toMatchObject({ code: "subscription-gone" });
  });

  test("of the browser's account mapper gets a token and makes no subscription", async () => {
    await using door = await openDoor();
    const form = { app: "com.google.android.gms", sender: "745476177629", "X-subtype": undefined };
    const token = await subscribe(door, form);
    expect(token).not.toBe("");
    expect(door.service.subscriptions()).toEqual([]);
    expect(door.newEvents()).toEqual([]);
  });

  test("taken back repeats the app, and senders get 410; a second time is no error", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const answers = [await postForm(door, deletionForm()), await postForm(door, deletionForm())];
    expect(answers.map(({ body }) => body.toString())).toEqual([`token=${app}`, `token=${app}`]);
    expect(door.newEvents()).toEqual(["subscribed", "unsubscribed"]);
    const subject = parseSubject("mailto:ops@harbour.shop").subject;
    const expiresAt = door.clock.now() + 3_600_000;
    const vapid = signToken({ audience: door.origin, subject, pair, expiresAt, encoding: "aes128gcm" });
    const headers = { ...sealed, ...vapid };
    const { status } = await call("POST", `${door.origin}/fcm/send/${token}`, { headers, body: "x" });
    expect(status).toBe(410);
  });

  test("of another device cannot be taken back", async () => {
    await using door = await openDoor();
    await subscribe(door);
    await postForm(door, deletionForm(), "AidLogin 7:7");
    expect(door.service.subscriptions()).toHaveLength(1);
  });

  test.each<[string, number, string, string, string | null]>([
    ["without a device", 401, "AUTHENTICATION_FAILED", registrationForm(), null],
    ["of device 0", 401, "AUTHENTICATION_FAILED", registrationForm(), "AidLogin 0:0"],
    ["of another scheme", 401, "AUTHENTICATION_FAILED", registrationForm(), "Bearer 1:2"],
    ["without an app", 400, "INVALID_PARAMETERS", registrationForm({ app: undefined }), "AidLogin 1:2"],
    [
      "too large",
      400,
      "INVALID_PARAMETERS",
      registrationForm({ device: "1".repeat(20_000) }),
      "AidLogin 1:2",
    ],
    ["with a sender id", 400, "INVALID_SENDER", registrationForm({ sender: "745476177629" }), "AidLogin 1:2"],
    ["without a sender", 400, "INVALID_SENDER", registrationForm({ sender: undefined }), "AidLogin 1:2"],
  ])("%s is refused in a word that Chromium knows", async (_name, status, word, form, authorization) => {
    await using door = await openDoor();
    const answer = await postForm(door, form, authorization);
    expect([answer.status, answer.body.toString()]).toEqual([status, `Error=${word}`]);
    expect(door.events).toMatchObject([{ type: "refused", status }]);
  });

  test("too many is said in Chromium's word for it", async () => {
    await using door = await openDoor({ limits: { maxSubscriptions: 1 } });
    await subscribe(door);
    const answer = await postForm(door, registrationForm({ "X-subtype": "wp:https://a.example/#2-V2" }));
    expect(answer.body.toString()).toBe("Error=TOO_MANY_REGISTRATIONS");
  });
});
