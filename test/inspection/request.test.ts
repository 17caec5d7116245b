/** Requests as curl commands and HAR entries, and answers, taken apart. */
import { describe, expect, test } from "vitest";
import { diagnoses } from "../../src/protocol/diagnoses.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { k, token } from "../emulator/vapid-cases.ts";
import { receiverOf, vectors } from "../protocol/push-parties.ts";
import { testNow } from "../support/test-context.ts";
import { look, lookOnce, troublesOf, valuesOf } from "./surroundings.ts";

const url = "https://fcm.googleapis.com/fcm/send/abcdefghijklmnop";
const vector = vectors.rfc8291;
const receivers = [receiverOf(vector)];
const body = Buffer.from(vector.body, "base64url");

describe("a curl command", () => {
  const readFile = (name: string) => Promise.resolve(name === "body.bin" ? body : Buffer.from("?"));

  test.each<[string, string]>([
    [
      "as webpush send --curl writes it",
      `curl --request POST --silent --globoff \\\n  --header 'ttl: 60' \\\n  --header 'content-encoding: aes128gcm' \\\n  --data-binary '@body.bin' \\\n  '${url}'`,
    ],
    [
      "as Chromium copies it",
      `curl '${url}' \\\n  -X 'POST' \\\n  -H 'ttl: 60' \\\n  -H 'Content-Encoding: aes128gcm' \\\n  --compressed --data-binary @body.bin`,
    ],
    [
      "as Firefox copies it",
      `curl "${url}" --compressed -X POST -H "TTL: 60" -H "Content-Encoding: aes128gcm" --data-binary "@body.bin"`,
    ],
    [
      "in short options, joined",
      `curl -sS -XPOST -H'TTL: 60' -H'content-encoding: aes128gcm' --data-binary=@body.bin --url=${url}`,
    ],
    [
      "through a proxy, with a limit",
      `curl -x http://127.0.0.1:8030 -m 5 -X POST -H 'ttl: 60' -H 'content-encoding: aes128gcm' --data-binary @body.bin ${url}`,
    ],
  ])("%s", async (_name, command) => {
    const [request, endpoint, sealed, ...rest] = await look(command, { receivers, readFile });
    expect(request && valuesOf(request)).toMatchObject({
      method: "POST",
      ttl: "60",
      contentEncoding: "aes128gcm",
      bodyBytes: 144,
    });
    expect(endpoint && valuesOf(endpoint)).toMatchObject({ service: "FCM" });
    expect(sealed && valuesOf(sealed)).toMatchObject({
      plaintext: "When I grow up, I want to be a watermelon",
    });
    expect(rest).toEqual([]);
  });

  test("bash's $'…' is read as bash reads it", async () => {
    const text = Array.from(body, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
    const command = `curl ${url} -H 'ttl: 1' -H 'content-encoding: aes128gcm' --data-raw $'${text}'`;
    const [, , sealed] = await look(command, { receivers });
    expect(sealed && valuesOf(sealed)).toMatchObject({ bytes: 144, plaintextBytes: 41 });
  });

  test.each<[string, string, readonly number[]]>([
    ["bytes in hexadecimal and octal digits", String.raw`$'\xff\0\012\x41'`, [0xff, 0, 10, 0x41]],
    ["a character by its number", String.raw`$'\u20ac'`, [0xe2, 0x82, 0xac]],
    ["a character as it is", "'à€'", [0xc3, 0xa0, 0xe2, 0x82, 0xac]],
  ])("its body is bytes, as a shell makes them: %s", async (_name, written, bytes) => {
    const headers = "-H 'ttl: 1' -H 'content-encoding: aes128gcm'";
    const [request] = await look(`curl ${headers} --data-raw ${written} ${url}`);
    expect(request && valuesOf(request)).toMatchObject({ bodyBytes: bytes.length });
  });

  test.each([
    ["joined short options", `curl -isX POST -H 'ttl: 1' ${url}`],
    ["joined short options behind the address", `curl ${url} -sSXPOST -H 'ttl: 1'`],
    ["options that are not known, with a value", `curl -X POST -H 'ttl: 1' ${url} --max-filesize 5k`],
    ["curl's own JSON", `curl ${url} -H 'ttl: 1' --json '{}'`],
  ])("finds method and address among %s", async (_name, command) => {
    const [request, endpoint] = await look(command);
    expect(request && valuesOf(request)).toMatchObject({ method: "POST", ttl: "1" });
    expect(endpoint && valuesOf(endpoint)).toMatchObject({ service: "FCM" });
  });

  test.each<[string, string, RegExp]>([
    ["no TTL", `curl -X POST ${url}`, /^there is no TTL header$/],
    ["a TTL that is too long", `curl -X POST -H 'ttl: 9999999' ${url}`, /^FCM refuses a TTL above 2419200$/],
    ["a TTL that is none", `curl -X POST -H 'ttl: soon' ${url}`, /is no number of seconds$/],
    ["GET", `curl -H 'ttl: 1' ${url}`, /^the method is GET$/],
    ["no token", `curl -X POST -H 'ttl: 1' ${url}`, /^there is no Authorization header, and FCM wants one$/],
    [
      "an urgency that is none",
      `curl -X POST -H 'ttl: 1' -H 'urgency: urgent' ${url}`,
      /urgency "urgent" is none/,
    ],
    ["a topic that is none", `curl -X POST -H 'ttl: 1' -H 'topic: a b' ${url}`, /topic/],
    [
      "a body that does not say its coding",
      `curl -X POST -H 'ttl: 1' -d hello ${url}`,
      /no Content-Encoding$/,
    ],
    [
      "a TTL of 0 for WNS",
      "curl -X POST -H 'ttl: 0' 'https://wns2-am3p.notify.windows.com/w/?token=abc'",
      /refuses a TTL of 0/,
    ],
  ])("%s is wrong", async (_name, command, what) => {
    const [request] = await look(command);
    expect(request && troublesOf(request).some((one) => what.test(one))).toBe(true);
  });
});

describe("a HAR file", () => {
  const headers = [
    { name: "TTL", value: "60" },
    { name: "Content-Encoding", value: "aes128gcm" },
  ];
  const request = {
    method: "POST",
    url,
    headers,
    postData: { mimeType: "", text: body.toString("base64"), encoding: "base64" },
  };
  const response = {
    status: 403,
    headers: [],
    content: { text: "the key in the authorization header does not correspond to the sender ID" },
  };
  const page = {
    request: { method: "GET", url: "https://harbour.shop/", headers: [] },
    response: { status: 200, headers: [] },
  };

  test("has its messages taken apart, answers included, and its pages left out", async () => {
    const har = JSON.stringify({ log: { version: "1.2", entries: [page, { request, response }, page] } });
    const inspections = await look(har, { receivers });
    expect(inspections.map(({ kind }) => kind)).toEqual(["request", "endpoint", "body", "response"]);
    expect(inspections.flatMap((one) => (one.kind === "response" ? [valuesOf(one)] : []))).toMatchObject([
      { status: 403, cause: "fcm.key-mismatch", subscription: "wrong-key" },
    ]);
    expect(inspections.flatMap((one) => (one.kind === "body" ? [valuesOf(one)] : []))).toMatchObject([
      { plaintextBytes: 41 },
    ]);
  });

  test("an entry alone will do, its body as characters too", async () => {
    const entry = {
      request: { ...request, postData: { text: body.toString("latin1") } },
      response: { status: 0 },
    };
    const inspections = await look(JSON.stringify(entry), { receivers });
    expect(inspections.map(({ kind }) => kind)).toEqual(["request", "endpoint", "body"]);
    expect(inspections.at(-1)?.facts).toContainEqual(
      expect.objectContaining({ name: "plaintextBytes", value: 41 }),
    );
  });

  test("is judged by the time of its recording", async () => {
    const claims = { aud: new URL(url).origin, exp: testNow / 1000 + 3600, sub: "mailto:ops@harbour.shop" };
    const authorization = { name: "Authorization", value: `vapid t=${token(claims)}, k=${k}` };
    const entry = {
      startedDateTime: new Date(testNow).toISOString(),
      request: { ...request, headers: [...headers, authorization] },
    };
    const inYears = { clock: { now: () => testNow + 10 ** 11 } };
    const inspections = await look(JSON.stringify(entry), inYears);
    expect(inspections.flatMap((one) => (one.kind === "token" ? [troublesOf(one)] : []))).toEqual([[]]);
    expect(inspections[0]?.facts).toContainEqual(
      expect.objectContaining({ name: "sentAt", value: entry.startedDateTime }),
    );
  });

  test("of more messages than anybody reads is refused, not cut", async () => {
    const har = JSON.stringify({
      log: { entries: Array.from({ length: 101 }, () => ({ request, response })) },
    });
    await expect(look(har)).rejects.toMatchObject({
      message: "there are 101 push messages in it, at most 100 are explained",
    });
  });

  test("without any message is refused", async () => {
    const har = JSON.stringify({ log: { entries: [page, page] } });
    await expect(look(har)).rejects.toMatchObject({ code: "inspect-unreadable" });
  });
});

describe("an answer", () => {
  const answers = diagnoses.filter(({ example, service }) => example !== undefined && service !== "ntfy");

  test.each(answers.map(({ id }) => [id] as const))("of %s is diagnosed as send does", async (id) => {
    const row = diagnoses.find((one) => one.id === id);
    const { status = 0, headers = {}, body: words = "" } = row?.example ?? {};
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `HTTP/2 ${status} \r\n${lines.join("")}\r\n${words}`;
    const inspection = await lookOnce(text, { endpoint: endpointOf(row?.service ?? "any") });
    expect(valuesOf(inspection)).toMatchObject({ status, cause: id, outcome: row?.outcome });
    const [judgement] = inspection.judgements;
    expect(judgement).toMatchObject({ what: row?.meaning, fix: row?.advice });
  });

  test("after a proxy's own and an interim one is the last", async () => {
    const text =
      "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n";
    expect(valuesOf(await lookOnce(text))).toMatchObject({ status: 410, cause: "http.410" });
  });

  test("of thousands of interim ones is read at once, and a Date ahead of ours is said to be", async () => {
    const date = new Date(testNow + 299_000).toUTCString();
    const text = `${"HTTP/1.1 100 Continue\n\n".repeat(20_000)}HTTP/2 401\ndate: ${date}\n\n`;
    const inspection = await lookOnce(text);
    expect(valuesOf(inspection)).toMatchObject({ status: 401, clockSkewMs: -299_000 });
    const clock = inspection.facts.find(({ name }) => name === "clockSkewMs");
    expect(clock?.text).toMatch(/^its Date is 5 min ahead of this machine's clock/);
  });

  test("without an endpoint is told by the vendor's own words, and asks whose it is", async () => {
    const inspection = await lookOnce('HTTP/2 403\n\n{"reason":"BadJwtToken"}');
    expect(valuesOf(inspection)).toMatchObject({ cause: "apple.jwt" });
    expect(inspection.judgements.at(-1)).toMatchObject({ level: "note", fix: "add --for with the endpoint" });
  });
});

const endpoints: Readonly<Record<string, string>> = {
  fcm: url,
  mozilla: "https://updates.push.services.mozilla.com/wpush/v2/abcdefghijklmnop",
  apple: "https://web.push.apple.com/abcdefghijklmnop",
  wns: "https://wns2-am3p.notify.windows.com/w/?token=abcdefghijklmnop",
  any: "https://push.example.net/abcdefghijklmnop",
};

function endpointOf(service: string) {
  return parseEndpoint(endpoints[service] ?? url);
}
