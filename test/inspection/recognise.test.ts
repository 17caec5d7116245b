/** What is taken for what, without anybody saying so. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { formatKeys, keyFormats } from "../../src/protocol/key-formats.ts";
import { vectors } from "../protocol/push-parties.ts";
import { sampleJson, samplePair } from "../support/samples.ts";
import { look } from "./surroundings.ts";

const pair = samplePair("inspected");
const json = JSON.stringify(sampleJson("phone"));
const token = vectors.rfc8292;
const { body } = vectors.rfc8291;

async function kindsOf(thing: string | Uint8Array): Promise<readonly string[]> {
  return (await look(thing)).map(({ kind }) => kind);
}

describe("is recognised", () => {
  test.each<[string, string | Uint8Array, readonly string[]]>([
    ["a subscription", json, ["subscription"]],
    ["a flat one", '{"endpoint":"https://push.example.net/1","p256dh":"x","auth":"y"}', ["subscription"]],
    ["one behind a byte order mark", `\uFEFF${json}`, ["subscription"]],
    ["a list of them", `[${json},${json}]`, ["subscription", "subscription"]],
    ["one on each line", `${json}\n${json}\n`, ["subscription", "subscription"]],
    ["a map of them", `{"alice":${json},"bob":${json}}`, ["subscription", "subscription"]],
    ["keys without an endpoint", '{"keys":{"p256dh":"x","auth":"y"}}', ["subscription"]],
    ["an endpoint", "https://fcm.googleapis.com/fcm/send/abc", ["endpoint"]],
    ["a public key", pair.publicKey, ["key"]],
    ["a public key in hexadecimal digits", Buffer.from(pair.publicKey, "base64url").toString("hex"), ["key"]],
    ["a JWT", token.t, ["token"]],
    ["an Authorization value", `vapid t=${token.t}, k=${token.k}`, ["token"]],
    ["an Authorization line", `Authorization: vapid t=${token.t}, k=${token.k}`, ["token"]],
    ["the draft's lines", `authorization: WebPush ${token.t}\ncrypto-key: p256ecdsa=${token.k}`, ["token"]],
    ["a body in base64url", body, ["body"]],
    [
      "a body in base64, broken into lines",
      Buffer.from(body, "base64url").toString("base64").replace(/.{64}/g, "$&\n"),
      ["body"],
    ],
    ["a body in hexadecimal digits", Buffer.from(body, "base64url").toString("hex"), ["body"]],
    ["the bytes of a body", Buffer.from(body, "base64url"), ["body"]],
    ["a curl command", "curl -X POST https://push.example.net/1 -H 'TTL: 60'", ["request", "endpoint"]],
    ["an answer", "HTTP/2 410 \r\n\r\n", ["response"]],
    ["a cause", "fcm.gone", ["cause"]],
    ["the shortest cause", "ok", ["cause"]],
  ])("%s", async (_name, thing, kinds) => {
    expect(await kindsOf(thing)).toEqual(kinds);
  });

  test.each(keyFormats)("a pair as %s", async (format) => {
    expect(await kindsOf(formatKeys(pair, undefined, format))).toEqual(["key"]);
  });
});

test("an id that is no cause is looked up in the list of all", async () => {
  await expect(kindsOf("key.unknown")).rejects.toMatchObject({
    hints: expect.arrayContaining([expect.stringContaining("docs/errors.md")]) as unknown,
  });
});

describe("is refused, without repeating any of it", () => {
  test.each<[string, string, string]>([
    ["nothing", " \n", "there is nothing to inspect"],
    ["a word", "hello-there-secret", "18 characters that are nothing webpush knows"],
    [
      "the id of a commit",
      "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
      "40 characters that are nothing webpush knows",
    ],
    ["JSON of something else", '{"password":"secret"}', "21 characters that are nothing webpush knows"],
    [
      "a Firebase token",
      "APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqxsecret",
      "this is a registration token of the Firebase SDK",
    ],
    [
      "a curl command without its end",
      "curl -H 'secret",
      "the curl command has a quotation mark without its other",
    ],
    ["a curl command without an address", "curl -H 'ttl: 1'", "the curl command names no address"],
  ])("%s", async (_name, thing, message) => {
    const refusal = await look(thing).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(UserError);
    const { message: said, hints } = refusal as UserError;
    expect(said).toBe(message);
    expect([said, ...hints].join(" ")).not.toContain("secret");
  });

  test("a word before a very long gap, in no time", async () => {
    await expect(look(`publickey${" ".repeat(300_000)}x`)).rejects.toMatchObject({ code: "inspect-unknown" });
  }, 2000);

  test.each([undefined, "cause"] as const)(
    "what might be a cause but for its length, as %s",
    async (kind) => {
      await expect(look(`a.${"b".repeat(3_000_000)}`, {}, kind)).rejects.toMatchObject({
        code: "inspect-unknown",
      });
    },
    2000,
  );

  test("a cause that is nearly one, with the one that was meant", async () => {
    await expect(look("fcm.key-mismach")).rejects.toMatchObject({
      hints: ["did you mean fcm.key-mismatch?", expect.anything()],
    });
    await expect(look("fcm.key-mismach", {}, "cause")).rejects.toMatchObject({
      hints: ["did you mean fcm.key-mismatch?"],
    });
  });
});

describe("whatever it is", () => {
  const thing = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.json(),
    fc.string({ maxLength: 60 }).map((text) => `curl ${text}`),
    fc.string({ maxLength: 60 }).map((text) => `Authorization: vapid t=${text}, k=${text}`),
    fc.string({ maxLength: 60 }).map((text) => `https://${text}`),
    fc
      .tuple(fc.object(), fc.object())
      .map(([request, response]) =>
        JSON.stringify({ request: { url: "https://a.dev/1", ...request }, response }),
      ),
    fc.tuple(fc.object(), fc.object()).map((parts) =>
      parts
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .concat("AA")
        .join("."),
    ),
  );

  test("it is explained or refused, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(thing, async (given) => {
        try {
          expect((await look(given)).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
