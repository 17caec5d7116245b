/** PROTOCOL.md A.2 over HTTP: every defect of a VAPID token, against a subscription made with a key. */
import { createECDH, createHmac, createPrivateKey, sign } from "node:crypto";
import { expect, test } from "vitest";
import { call, errorOf, openTestEmulator, sealed, subscribeAt } from "./wire.ts";

interface Pair {
  readonly publicKey: Buffer;
  readonly privateKey: Buffer;
}

function pairOf(seed: number): Pair {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(Buffer.alloc(32, seed));
  return { publicKey: ecdh.getPublicKey(), privateKey: ecdh.getPrivateKey() };
}

const own = pairOf(1);
const other = pairOf(2);
const k = own.publicKey.toString("base64url");

interface TokenParts {
  readonly header?: object;
  readonly claims?: object;
  readonly signer?: Pair;
  readonly encoding?: "ieee-p1363" | "der";
}

/** A JWT, right but for the parts that are given. */
function token(validClaims: object, parts: TokenParts = {}): string {
  const { header = { typ: "JWT", alg: "ES256" }, claims = {}, signer = own, encoding = "ieee-p1363" } = parts;
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode(header)}.${encode({ ...validClaims, ...claims })}`;
  const x = signer.publicKey.subarray(1, 33).toString("base64url");
  const y = signer.publicKey.subarray(33).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", d: signer.privateKey.toString("base64url"), x, y };
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: encoding });
  return `${signed}.${signature.toString("base64url")}`;
}

/** What a sender writes, given a valid token's claims and the origin it sends to. */
type Write = (valid: { aud: string; exp: number; sub?: string }) => string | undefined;

const withClaims =
  (change: (valid: { aud: string; exp: number }) => object): Write =>
  (valid) =>
    `vapid t=${token(valid, { claims: change(valid) })}, k=${k}`;

const day = 24 * 60 * 60;

const accepted: readonly (readonly [string, Write])[] = [
  ["a valid token", (valid) => `vapid t=${token(valid)}, k=${k}`],
  ["parameters in the other order", (valid) => `vapid k=${k}, t=${token(valid)}`],
  ["extra spaces", (valid) => `vapid  t=${token(valid)} ,  k=${k}`],
  ["no space after the comma", (valid) => `vapid t=${token(valid)},k=${k}`],
  ["an unknown parameter", (valid) => `vapid t=${token(valid)}, k=${k}, x=1`],
  ["the scheme in capitals", (valid) => `VAPID t=${token(valid)}, k=${k}`],
  ["no sub", (valid) => `vapid t=${token({ aud: valid.aud, exp: valid.exp })}, k=${k}`],
  ["an extra claim", withClaims(() => ({ iat: 1 }))],
  ["exp in exactly 24 hours", withClaims(({ exp }) => ({ exp: exp - 3600 + day }))],
];

const refused: readonly (readonly [string, Write])[] = [
  ["another scheme", () => "Basic dXNlcjpwYXNz"],
  ["no t", () => `vapid k=${k}`],
  ["no k", (valid) => `vapid t=${token(valid)}`],
  ["nothing after the scheme", () => "vapid"],
  ["a t that is no token", () => `vapid t=abc, k=${k}`],
  ["alg none", (valid) => `vapid t=${token(valid, { header: { typ: "JWT", alg: "none" } })}, k=${k}`],
  [
    "alg none and no signature",
    (valid) =>
      `vapid t=${token(valid, { header: { typ: "JWT", alg: "none" } }).replace(/[^.]*$/, "")}, k=${k}`,
  ],
  [
    "HS256 with the public key for a secret",
    (valid) => {
      const [head = "", body = ""] = token(valid, { header: { typ: "JWT", alg: "HS256" } }).split(".");
      const mac = createHmac("sha256", own.publicKey).update(`${head}.${body}`).digest("base64url");
      return `vapid t=${head}.${body}.${mac}, k=${k}`;
    },
  ],
  ["a DER signature", (valid) => `vapid t=${token(valid, { encoding: "der" })}, k=${k}`],
  ["a signature by another key", (valid) => `vapid t=${token(valid, { signer: other })}, k=${k}`],
  [
    "another key, with its own good signature",
    (valid) => `vapid t=${token(valid, { signer: other })}, k=${other.publicKey.toString("base64url")}`,
  ],
  ["aud with a path", withClaims(({ aud }) => ({ aud: `${aud}/push` }))],
  ["aud with a trailing slash", withClaims(({ aud }) => ({ aud: `${aud}/` }))],
  ["aud of another origin", withClaims(() => ({ aud: "https://push.example.net" }))],
  ["no aud", withClaims(() => ({ aud: undefined }))],
  ["a list for aud", withClaims(({ aud }) => ({ aud: [aud] }))],
  ["no exp", withClaims(() => ({ exp: undefined }))],
  ["exp as text", withClaims(({ exp }) => ({ exp: String(exp) }))],
  ["exp in the past", withClaims(({ exp }) => ({ exp: exp - 3601 }))],
  ["exp in 24 hours and a minute", withClaims(({ exp }) => ({ exp: exp - 3600 + day + 60 }))],
  [
    "k compressed",
    (valid) => {
      const parity = (own.publicKey.at(-1) ?? 0) % 2;
      const point = Buffer.concat([Buffer.from([2 + parity]), own.publicKey.subarray(1, 33)]);
      return `vapid t=${token(valid)}, k=${point.toString("base64url")}`;
    },
  ],
  [
    "two Authorization headers in one",
    (valid) => `vapid t=${token(valid)}, k=${k}, vapid t=${token(valid)}, k=${k}`,
  ],
];

async function sendWith(write: Write) {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const exp = emulator.clock.now() / 1000 + 3600;
  const authorization = write({ aud: emulator.origin, exp, sub: "mailto:me@example.com" });
  const headers = { ...sealed, ...(authorization === undefined ? {} : { authorization }) };
  const answer = await call("POST", endpoint, { headers, body: "x" });
  return { answer, event: emulator.events.at(-1) };
}

test("no Authorization: 401, which names the scheme", async () => {
  const { answer, event } = await sendWith(() => undefined);
  expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": "vapid" } });
  expect(errorOf(answer).error).toBe("vapid-missing");
  expect(event).toMatchObject({ type: "refused", status: 401, subscriptionId: expect.any(String) as string });
});

test("who sends is looked at after TTL, Urgency and Topic, and before the body", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const errorWith = async (headers: Record<string, string>) =>
    errorOf(await call("POST", endpoint, { headers, body: Buffer.alloc(5000) })).error;
  expect(await errorWith({})).toBe("ttl-missing");
  expect(await errorWith({ ttl: "1", topic: "?" })).toBe("topic-malformed");
  expect(await errorWith({ ttl: "1" })).toBe("vapid-missing");
  const exp = emulator.clock.now() / 1000 + 60;
  const authorization = `vapid t=${token({ aud: emulator.origin, exp })}, k=${k}`;
  expect(await errorWith({ ttl: "1", authorization })).toBe("content-encoding-missing");
  expect(await errorWith({ ...sealed, authorization })).toBe("body-too-large");
});

test.each(accepted)("%s is accepted, and the sender's key known", async (_name, write) => {
  const { answer, event } = await sendWith(write);
  expect(answer.body.toString()).toBe("");
  expect(answer.status).toBe(201);
  expect(event).toMatchObject({ type: "accepted", sender: k });
});

test.each(refused)("%s: 403, and says why", async (_name, write) => {
  const { answer, event } = await sendWith(write);
  expect(errorOf(answer)).toMatchObject({ code: 403, error: expect.stringMatching(/^vapid-/) as string });
  expect(event).toMatchObject({ type: "refused", status: 403 });
});

test("a subscription made without a key takes no token, a good one, and not a bad one", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin);
  const send = (authorization?: string) =>
    call("POST", endpoint, { headers: { ...sealed, ...(authorization && { authorization }) }, body: "x" });
  const valid = { aud: emulator.origin, exp: emulator.clock.now() / 1000 + 60 };
  expect(await send()).toMatchObject({ status: 201 });
  expect(
    await send(`vapid t=${token(valid, { signer: other })}, k=${other.publicKey.toString("base64url")}`),
  ).toMatchObject({ status: 201 });
  expect(await send("vapid t=a.b.c, k=d")).toMatchObject({ status: 403 });
});

test("a token for localhost is for the sender who posts to localhost", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const localhost = `localhost:${emulator.port}`;
  const exp = emulator.clock.now() / 1000 + 60;
  const authorization = `vapid t=${token({ aud: `http://${localhost}`, exp })}, k=${k}`;
  const send = (host: string) =>
    call("POST", endpoint, { headers: { ...sealed, authorization, host }, body: "x" });
  expect(await send(localhost)).toMatchObject({ status: 201 });
  expect(await send(`127.0.0.1:${emulator.port}`)).toMatchObject({ status: 403 });
});
