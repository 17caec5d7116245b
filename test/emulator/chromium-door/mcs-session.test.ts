import { describe, expect, test, vi } from "vitest";
import { frame, message, tags, varint } from "../../support/mcs-client.ts";
import { samplePair } from "../../support/samples.ts";
import { textMessage } from "../machine.ts";
import { until } from "../wire.ts";
import {
  app,
  appId,
  deletionForm,
  device,
  loggedIn,
  openDoor,
  pair,
  postForm,
  push,
  registrationForm,
  subscribe,
  type Door,
} from "./parts.ts";

function textOf({ body }: { readonly body: Buffer | undefined }): string | undefined {
  return body?.toString();
}

/** What the door told about user agents. */
function tales({ events }: Door): string[] {
  return events.flatMap((event) => {
    if (event.type === "user-agent-connected") return [`hello ${event.userAgentId}`];
    if (event.type !== "user-agent-disconnected") return [];
    return [`goodbye ${event.userAgentId ?? "stranger"}: ${event.reason}`];
  });
}

function login(user: string): Buffer {
  return frame(tags.login, message([1, "chrome"], [3, user]));
}

describe("a login", () => {
  test("is answered with the version, the device's address, the time and how often to send a heartbeat", async () => {
    await using door = await openDoor({ heartbeatMs: 20_000 });
    const client = door.stream();
    const { tag, fields } = await client.login(device);
    expect([client.version, tag]).toEqual([41, tags.loginResponse]);
    expect(String(fields.get(2)?.[0])).toBe(`${device}@mcs.android.com/${device}`);
    expect(fields.get(8)).toEqual([BigInt(door.clock.now())]);
    expect(fields.get(7)).toEqual([message([3, 20_000])]);
    expect(fields.has(3)).toBe(false); // an error would stand there
  });

  test("tells who came, by what product, and with how many subscriptions", async () => {
    await using door = await openDoor();
    await subscribe(door);
    await loggedIn(door);
    expect(door.events.find(({ type }) => type === "user-agent-connected")).toMatchObject({
      userAgentId: device,
      product: "chrome-156.0.8078.79",
      isKnown: true,
      subscriptionCount: 1,
    });
  });

  test("of a device nobody knows is fine", async () => {
    await using door = await openDoor();
    const client = await loggedIn(door, {}, "7");
    expect((await client.ping()).tag).toBe(tags.pingAck);
    expect(door.events).toMatchObject([{ type: "user-agent-connected", isKnown: false }]);
  });

  test("byte by byte is a login all the same", async () => {
    await using door = await openDoor();
    const client = door.stream();
    const login = frame(tags.login, message([1, "chrome"], [3, device], [10, "x".repeat(200)]));
    for (const byte of [41, ...login]) client.socket.write(Buffer.from([byte]));
    expect((await client.next()).tag).toBe(tags.loginResponse);
  });
});

describe("a message", () => {
  test("names its sender, the browser's app and the subscription, and wants to be acknowledged at once", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    const { messageId } = push(door, token, "sealed");
    expect(await client.nextMessage()).toEqual({
      from: pair.publicKey,
      category: app,
      appData: { subtype: appId, "content-encoding": "aes128gcm" },
      persistentId: messageId,
      streamId: 2,
      lastStreamIdReceived: 1,
      ttl: 60,
      sent: door.clock.now(),
      body: Buffer.from("sealed"),
      immediateAck: true,
    });
  });

  test("echoes whatever the browser called itself", async () => {
    await using door = await openDoor();
    const token = await subscribe(door, { app: "com.chrome.windows" });
    const client = await loggedIn(door);
    push(door, token, "x");
    expect((await client.nextMessage()).category).toBe("com.chrome.windows");
  });

  test("of the aesgcm draft brings its headers along", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    const draft = {
      contentEncoding: "aesgcm",
      encryption: "salt=c2FsdA",
      cryptoKey: "dh=ZGg;p256ecdsa=a2V5",
    };
    push(door, token, "sealed", { headers: draft });
    expect((await client.nextMessage()).appData).toEqual({
      subtype: appId,
      "content-encoding": "aesgcm",
      encryption: "salt=c2FsdA",
      "crypto-key": "dh=ZGg;p256ecdsa=a2V5",
    });
  });

  test("without a payload has neither a body nor an encoding", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    const none = { contentEncoding: undefined, encryption: undefined, cryptoKey: undefined };
    push(door, token, "", { headers: none });
    expect(await client.nextMessage()).toMatchObject({ appData: { subtype: appId }, body: undefined });
  });

  test("of 4096 bytes and thirty more at once come whole and in order", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    const large = "x".repeat(4096);
    push(door, token, large);
    for (let n = 0; n < 30; n++) push(door, token, `no. ${n}`);
    expect(textOf(await client.nextMessage())).toBe(large);
    for (let n = 0; n < 30; n++)
      expect(await client.nextMessage()).toMatchObject({ body: Buffer.from(`no. ${n}`), streamId: n + 3 });
  });

  test("for a subscription made while the browser is connected comes over the same stream", async () => {
    await using door = await openDoor();
    const client = await loggedIn(door);
    push(door, await subscribe(door), "first");
    expect(textOf(await client.nextMessage())).toBe("first");
    const other = await subscribe(door, { "X-subtype": "wp:https://b.example/#2-V2" });
    push(door, other, "second");
    expect((await client.nextMessage()).appData["subtype"]).toBe("wp:https://b.example/#2-V2");
  });

  test("goes to its own device alone, signed with the key it subscribed with", async () => {
    await using door = await openDoor();
    await subscribe(door);
    const otherKey = samplePair("other").publicKey;
    const form = new URLSearchParams({ app, "X-subtype": appId, sender: otherKey }).toString();
    const token = /=(.+)/.exec((await postForm(door, form, "AidLogin 7:7")).body.toString())?.[1] ?? "";
    const [ada, eve] = [await loggedIn(door, {}, "7"), await loggedIn(door)];
    push(door, token, "for 7", { sender: otherKey });
    expect(await ada.nextMessage()).toMatchObject({ from: otherKey });
    expect((await eve.ping()).tag).toBe(tags.pingAck);
  });

  test("no longer comes after unsubscribing", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    await postForm(door, deletionForm());
    const outcome = door.service.send(token, textMessage("x", { sender: pair.publicKey }));
    expect(outcome).toMatchObject({ kind: "refused", status: 410 });
    expect((await client.ping()).tag).toBe(tags.pingAck);
  });
});

/** A device with three messages out: its frames 2, 3 and 4. */
async function threeOut() {
  const door = await openDoor();
  const token = await subscribe(door);
  const client = await loggedIn(door);
  const ids = ["a", "b", "c"].map((text) => push(door, token, text).messageId);
  while (client.framesReceived < 4 || client.pending > 0) await client.nextMessage();
  return { door, token, client, ids, [Symbol.asyncDispose]: door.close };
}

function acknowledged({ events }: Door): string[] {
  return events.flatMap((event) => (event.type === "acknowledged" ? [event.messageId] : []));
}

describe("an acknowledgement", () => {
  test("by Chromium's stream ack is of all frames up to a number", async () => {
    await using three = await threeOut();
    const { door, client, ids } = three;
    client.acknowledge(1);
    client.acknowledge(3);
    await until(() => acknowledged(door).length > 0);
    expect(acknowledged(door)).toEqual(ids.slice(0, 2));
    client.acknowledge(4);
    client.acknowledge(4);
    await client.ping();
    expect(acknowledged(door)).toEqual(ids);
  });

  test.each<[string, number, Buffer]>([
    ["a heartbeat", tags.ping, message([2, 4])],
    ["the answer to a heartbeat", tags.pingAck, message([2, 4])],
    ["a message of the browser's", tags.message, message([3, "x"], [5, "y"], [11, 4])],
  ])("can come with %s", async (_name, tag, payload) => {
    await using three = await threeOut();
    const { door, client, ids } = three;
    client.send(tag, payload);
    await client.ping();
    expect(acknowledged(door)).toEqual(ids);
  });

  test("can name messages one by one", async () => {
    await using three = await threeOut();
    const { door, client, ids } = three;
    const list = message([1, ids[2] ?? ""], [1, ids[0] ?? ""]);
    client.send(tags.iq, message([2, 1], [3, ""], [7, message([1, 12], [2, list])]));
    await client.ping();
    expect(acknowledged(door)).toEqual([ids[2], ids[0]]);
  });

  test("counts the door's heartbeat answers as the frames they are", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    const answer = await client.ping();
    expect([answer.fields.get(1), answer.fields.get(2)]).toEqual([[2n], [2n]]);
    push(door, token, "x");
    expect(await client.nextMessage()).toMatchObject({ streamId: 3, lastStreamIdReceived: 2 });
    client.acknowledge(2);
    await client.ping();
    expect(acknowledged(door)).toEqual([]);
    client.acknowledge(3);
    await client.ping();
    expect(acknowledged(door)).toHaveLength(1);
  });

  test("of a message that was cancelled on its way is no error", async () => {
    await using three = await threeOut();
    const { door, client, ids } = three;
    door.service.cancel(ids[1] ?? "");
    client.acknowledge(4);
    await client.ping();
    expect(acknowledged(door)).toEqual([ids[0], ids[2]]);
    expect(door.events.filter(({ type }) => type === "refused")).toEqual([]);
  });

  test("of a message of another device is refused", async () => {
    await using three = await threeOut();
    const { door, ids } = three;
    const eve = await loggedIn(door, { received: ids }, "7");
    const list = message([1, ids[0] ?? ""]);
    eve.send(tags.iq, message([2, 1], [3, ""], [7, message([1, 12], [2, list])]));
    await eve.ping();
    expect(acknowledged(door)).toEqual([]);
    expect(door.events.at(-1)).toMatchObject({ type: "refused", code: "no-such-message" });
  });
});

describe("a browser that was away", () => {
  test("gets what waited, in order: topics replaced, TTL 0 and expired ones gone", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    push(door, token, "now or never", { ttlSeconds: 0 });
    push(door, token, "short-lived", { ttlSeconds: 1 });
    push(door, token, "old news", { topic: "news" });
    push(door, token, "plain");
    push(door, token, "fresh news", { topic: "news" });
    door.clock.advance(2);
    const client = await loggedIn(door);
    expect([textOf(await client.nextMessage()), textOf(await client.nextMessage())]).toEqual([
      "plain",
      "fresh news",
    ]);
    expect((await client.ping()).tag).toBe(tags.pingAck);
  });

  test("and did not acknowledge gets it again; what it says it has is not sent again", async () => {
    await using three = await threeOut();
    const { door, client, ids } = three;
    client.socket.destroy();
    await until(() => door.service.subscriptions()[0]?.isConnected === false);
    const again = await loggedIn(door, { received: [ids[0] ?? "", ids[2] ?? "", "long-forgotten"] });
    expect(await again.nextMessage()).toMatchObject({ persistentId: ids[1], streamId: 2 });
    expect((await again.ping()).tag).toBe(tags.pingAck);
    expect(acknowledged(door)).toEqual([ids[0], ids[2]]);
    expect(door.events.filter(({ type }) => type === "refused")).toEqual([]);
  });

  test("gets TTL 0 at once when it is there", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    push(door, token, "now", { ttlSeconds: 0 });
    expect(await client.nextMessage()).toMatchObject({ body: Buffer.from("now"), ttl: 0 });
  });
});

describe("a device that connects again", () => {
  test("ends its earlier stream and gets there what that one did not acknowledge", async () => {
    await using three = await threeOut();
    const { door, client, ids, token } = three;
    client.acknowledge(2);
    await client.ping();
    const again = await loggedIn(door);
    expect((await client.next()).tag).toBe(tags.close);
    await client.ended;
    expect([(await again.nextMessage()).persistentId, (await again.nextMessage()).persistentId]).toEqual(
      ids.slice(1),
    );
    push(door, token, "new");
    expect(textOf(await again.nextMessage())).toBe("new");
    expect(tales(door)).toEqual([`hello ${device}`, `goodbye ${device}: taken over`, `hello ${device}`]);
  });

  test("twice within a moment, as Chromium does at its first start, is no error", async () => {
    await using door = await openDoor();
    door.stream().socket.destroy();
    door.stream().socket.end(Buffer.from([41, tags.login, 5]));
    const afterLogin = door.stream();
    afterLogin.socket.end(Buffer.concat([Buffer.from([41]), login(device)]));
    await afterLogin.ended;
    const token = await subscribe(door);
    const client = await loggedIn(door);
    push(door, token, "x");
    expect(textOf(await client.nextMessage())).toBe("x");
    expect(door.events.filter(({ type }) => type === "refused")).toEqual([]);
    expect(tales(door)).toEqual([`hello ${device}`, `goodbye ${device}: `, `hello ${device}`]);
  });
});

describe("a stream that breaks the protocol is closed and told, and nothing else is harmed", () => {
  test.each<[string, Buffer, RegExp, boolean?]>([
    ["by its version", Buffer.from([40, 2, 0]), /version 40/],
    ["with no login first", Buffer.from([41, tags.ping, 0]), /not a LoginRequest/],
    ["with a device that is no number", Buffer.concat([Buffer.from([41]), login("eve")]), /no device/],
    ["with device 0", Buffer.concat([Buffer.from([41]), login("0")]), /no device/],
    ["with a second login", login(device), /second LoginRequest/, true],
    ["with no protobuf", frame(tags.ping, Buffer.from([7, 7])), /not protobuf/, true],
    ["with an unknown tag", frame(9, Buffer.alloc(0)), /tag 9/, true],
    ["with a frame of the service's", frame(tags.loginResponse, message([1, "x"])), /tag 3/, true],
    ["with a frame too long", Buffer.from([8, ...varint(2 ** 30)]), /longer than/, true],
    ["by acknowledging what was never sent", frame(tags.ping, message([2, 9])), /frame 9 .* only 1/, true],
  ])("%s", async (_name, bytes, reason, logsIn = false) => {
    await using door = await openDoor();
    const bystander = await loggedIn(door, {}, "7");
    const client = logsIn ? await loggedIn(door) : door.stream();
    client.socket.write(bytes);
    await client.ended;
    const last = tales(door).at(-1) ?? "";
    expect(last.startsWith(`goodbye ${logsIn ? device : "stranger"}: `)).toBe(true);
    expect(last).toMatch(reason);
    expect((await bystander.ping()).tag).toBe(tags.pingAck);
  });

  test("by saying nothing", async () => {
    await using door = await openDoor({ loginTimeoutMs: 20 });
    const client = door.stream();
    await client.ended;
    expect(tales(door)).toEqual(["goodbye stranger: no LoginRequest came in time"]);
  });

  test("a browser that says goodbye is only that", async () => {
    await using door = await openDoor();
    const client = await loggedIn(door);
    client.send(tags.close);
    await client.ended;
    expect(tales(door).at(-1)).toBe(`goodbye ${device}: closed by the browser`);
  });

  test("a door that is told to hang up does, and the browser may come back", async () => {
    await using door = await openDoor();
    const token = await subscribe(door);
    const client = await loggedIn(door);
    door.service.reset();
    await client.ended;
    expect(tales(door).at(-1)).toBe(`goodbye ${device}: reset`);
    expect(door.service.peekPushId(token)).toMatchObject({ code: "no-such-subscription" });
    expect((await (await loggedIn(door)).ping()).tag).toBe(tags.pingAck);
  });

  test("a bug of ours ends the stream it struck, and is told", async () => {
    await using door = await openDoor();
    const bystander = await loggedIn(door, {}, "7");
    const client = await loggedIn(door);
    vi.spyOn(door.service, "subscriptionOf").mockImplementation(() => {
      throw new Error("no such luck");
    });
    client.send(tags.iq, message([2, 1], [3, ""], [7, message([1, 12], [2, message([1, "x"])])]));
    await client.ended;
    expect(door.events.some((event) => event.type === "refused" && event.code === "internal")).toBe(true);
    expect((await bystander.ping()).tag).toBe(tags.pingAck);
  });
});

function missed({ events }: Door): string[] {
  return events.flatMap((event) => (event.type === "user-agent-missing" ? [event.userAgentId] : []));
}

describe("a browser that subscribed", () => {
  test("and does not come for its messages is missed, once", async () => {
    await using door = await openDoor({ missedAfterMs: 20 });
    await subscribe(door);
    await subscribe(door, { "X-subtype": "wp:https://b.example/#2-V2" });
    await until(() => missed(door).length > 0);
    expect(missed(door)).toEqual([device]);
    expect(door.events.at(-1)).toMatchObject({
      reason: expect.stringContaining("--gcm-mcs-endpoint") as string,
    });
  });

  test("and comes, or is there already, is not", async () => {
    await using door = await openDoor({ missedAfterMs: 20 });
    await subscribe(door);
    await loggedIn(door);
    await subscribe(door, { "X-subtype": "wp:https://b.example/#2-V2" });
    await postForm(door, registrationForm(), "AidLogin 7:7");
    // The other one is missed no sooner than this one would have been.
    await until(() => missed(door).length > 0);
    expect(missed(door)).toEqual(["7"]);
  });
});

test("devices, subscriptions and waiting messages survive a restart; nothing was lost or comes twice", async () => {
  const before = await threeOut();
  before.client.acknowledge(2);
  await before.client.ping();
  const state = JSON.parse(JSON.stringify(before.door.service.snapshot())) as never;
  await before.door.close();
  await using door = await openDoor({ state });
  push(door, before.token, "after");
  const client = await loggedIn(door, { received: [before.ids[1] ?? ""] });
  expect(await client.nextMessage()).toMatchObject({
    persistentId: before.ids[2],
    category: app,
    from: pair.publicKey,
  });
  expect(textOf(await client.nextMessage())).toBe("after");
  expect((await client.ping()).tag).toBe(tags.pingAck);
  expect(acknowledged(door)).toEqual([before.ids[1]]);
});

test("a message the browser has is not sent again, though the state is from before it was", async () => {
  await using before = await openDoor();
  const token = await subscribe(before);
  const { messageId } = push(before, token, "x");
  const state = JSON.parse(JSON.stringify(before.service.snapshot())) as never;
  await using door = await openDoor({ state });
  const client = await loggedIn(door, { received: [messageId] });
  expect((await client.ping()).tag).toBe(tags.pingAck);
  expect(acknowledged(door)).toEqual([messageId]);
});

test("a state from before there was a Chromium door still has its owners", async () => {
  await using before = await openDoor();
  await subscribe(before);
  const state = JSON.parse(JSON.stringify(before.service.snapshot(), without("app"))) as never;
  await using door = await openDoor({ state });
  expect(door.service.subscriptions()[0]?.owner).toEqual({ userAgentId: device, channelId: appId });
});

function without(name: string) {
  return (key: string, value: unknown) => (key === name ? undefined : value);
}
