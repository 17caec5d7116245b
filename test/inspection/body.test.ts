/** Encrypted bodies: RFC 8291's vector, and every way in which a body cannot be read (PROTOCOL.md A.1). */
import { describe, expect, test } from "vitest";
import { badBodies } from "../protocol/bad-bodies.ts";
import { receiverOf, vectors } from "../protocol/push-parties.ts";
import { lookOnce, troublesOf, valuesOf } from "./surroundings.ts";

const vector = vectors.rfc8291;
const body = Buffer.from(vector.body, "base64url");
const receiver = receiverOf(vector);

test("RFC 8291 §5: its fields, and with the receiver's keys its words", async () => {
  const inspection = await lookOnce(body, { receivers: [receiver] });
  expect(valuesOf(inspection)).toEqual({
    encoding: "aes128gcm",
    bytes: 144,
    salt: vector.salt,
    recordSize: 4096,
    senderKey: vector.as_public,
    ciphertextBytes: 58,
    plaintextBytes: 41,
    paddingBytes: 0,
    plaintext: "When I grow up, I want to be a watermelon",
  });
  expect(troublesOf(inspection)).toEqual([]);
});

test("without keys it says how long the text is at most, and who can read it", async () => {
  const inspection = await lookOnce(body);
  expect(valuesOf(inspection)).toMatchObject({ mostPlaintextBytes: 41 });
  expect(inspection.judgements.at(-1)).toMatchObject({
    level: "note",
    what: "only its receiver can read it",
  });
});

test("with another receiver's keys it says that they are another's", async () => {
  const other = receiverOf({ ...vector, auth_secret: "AAAAAAAAAAAAAAAAAAAAAA" });
  expect(troublesOf(await lookOnce(body, { receivers: [other] }))).toEqual([
    "the receiver cannot read it: made for other keys, or changed on the way",
  ]);
  expect(troublesOf(await lookOnce(body, { receivers: [other, receiver] }))).toEqual([]);
});

describe("cannot be read", () => {
  test.each(badBodies)("%s", async (_name, damaged) => {
    expect(troublesOf(await lookOnce(damaged, { receivers: [receiver] }, "body"))).not.toEqual([]);
  });

  test("more than services take", async () => {
    const [what] = troublesOf(await lookOnce(Buffer.concat([body, Buffer.alloc(4000)]), {}, "body")).slice(
      -1,
    );
    expect(what).toBe(
      "4144 bytes are more than some push services take: FCM (4096), Mozilla autopush (4096), Apple (4096), ntfy (4096)",
    );
  });
});
