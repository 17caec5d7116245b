/**
 * What pages may ask: each request is checked before it is believed.
 *
 * Unknown members are refused by name: a misspelt one would otherwise be lost in silence.
 */
import { refusalOf } from "./addresses.js";
import { isPublicKey } from "./config.js";
import { Refusal, quote } from "./refusal.js";

/** A browser labels its requests with Origin and Sec-Fetch-Site, which no page can forge. */
export function checkOrigin(headers, { publicOrigin }) {
  const { origin, host, "sec-fetch-site": site } = headers;
  const own = (sent) =>
    publicOrigin ? sent === publicOrigin : URL.canParse(sent) && new URL(sent).host === host;
  if (origin !== undefined && !own(origin)) {
    throw new Refusal(403, "cross-site", `a page of ${quote(origin)} sent this request`);
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    throw new Refusal(403, "cross-site", "another site's page sent this request");
  }
}

/** A form of another site can post text, but never JSON. */
export function checkType({ "content-type": type = "" }) {
  if (/^application\/json\s*(?:;|$)/i.test(type)) return;
  throw new Refusal(415, "not-json", "the Content-Type is not application/json");
}

/** The text of a body as JSON. */
export function parseBody(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "body-malformed", text ? "the body is not JSON" : "the request has no body");
  }
}

/** The subscription in a request, as it is stored; `oldEndpoint` is the one it stands for now. */
export function readSubscription(body, { keys, endpoints }) {
  const known = ["endpoint", "expirationTime", "keys", "applicationServerKey", "oldEndpoint"];
  const members = membersOf(body, known, "the subscription");
  const { p256dh, auth } = membersOf(members.keys, ["p256dh", "auth"], "the subscription's keys");
  if (!isPublicKey(p256dh)) throw malformed("key-malformed", "p256dh is no public key on P-256");
  if (!isAuth(auth)) throw malformed("key-malformed", "auth is not 16 bytes in base64url");
  const made = members.applicationServerKey ?? null;
  if (made !== null && !keys.byPublicKey.has(made)) {
    throw new Refusal(409, "key-unknown", `it was made with the key ${quote(made)}, which this server lacks`);
  }
  const { expirationTime = null } = members;
  if (expirationTime !== null && !Number.isSafeInteger(expirationTime)) {
    throw malformed("expiration-malformed", "expirationTime is neither null nor a time in milliseconds");
  }
  const url = urlOf(members.endpoint);
  const refused = refusalOf(url, endpoints);
  if (refused) throw new Refusal(403, "endpoint-refused", `the endpoint is refused: ${refused}`);
  const old = members.oldEndpoint ?? null;
  return {
    endpoint: url.href,
    p256dh,
    auth,
    applicationServerKey: made,
    expirationTime,
    oldEndpoint: old === null ? null : urlOf(old).href,
  };
}

/** The endpoint in a request that names a stored subscription. */
export function readEndpoint(body) {
  return urlOf(membersOf(body, ["endpoint"], "the request").endpoint).href;
}

const beaconTypes = ["received", "shown", "clicked", "closed", "error"];

/** What the service worker says of a message. */
export function readBeacon(body) {
  const { type, id = null, at, title } = membersOf(body, ["type", "id", "at", "title"], "the beacon");
  const isId = id === null || Number.isFinite(id) || isText(id, 200);
  const isFine = beaconTypes.includes(type) && isId && Number.isFinite(at);
  if (!isFine || !(title === undefined || title === null || isText(title, 4096))) {
    throw malformed("beacon-malformed", "the beacon has a wrong type, id, at or title");
  }
  return { type, id };
}

const urgencies = ["very-low", "low", "normal", "high"];
/** What every push service takes, less what encryption adds (RFC 8291 §4). */
const maxPayloadBytes = 3993;

/**
 * What the application wants to send: `{ payload, ttl, urgency, topic }`.
 *
 * The payload is what sw.js shows, `title` and what it knows besides.
 */
export function readMessage(body) {
  const known = ["payload", "ttl", "urgency", "topic"];
  const { payload, ttl = 86_400, urgency = "normal", topic } = membersOf(body, known, "the message");
  if (typeof payload !== "object" || payload === null || !isText(payload.title, 1000) || !payload.title) {
    throw malformed("message-malformed", "payload is no object with a title");
  }
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > maxPayloadBytes) {
    throw new Refusal(413, "message-too-large", `the payload is larger than ${maxPayloadBytes} bytes`);
  }
  if (!Number.isSafeInteger(ttl) || ttl < 0 || ttl > 28 * 86_400) {
    throw malformed("message-malformed", "ttl is not a number of seconds, 28 days at most");
  }
  if (!urgencies.includes(urgency)) {
    throw malformed("message-malformed", `urgency is none of ${urgencies.join(", ")}`);
  }
  // Apple decodes it as base64url, so a length of 4n + 1 is refused there (RFC 8030 §5.4 allows it).
  const isTopic = isText(topic, 32) && /^[\w-]+$/.test(topic) && topic.length % 4 !== 1;
  if (topic !== undefined && !isTopic) {
    throw malformed("message-malformed", "topic is not base64url of 32 characters at most");
  }
  return { payload: text, options: { TTL: ttl, urgency, ...(topic === undefined ? {} : { topic }) } };
}

function membersOf(value, known, what) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("body-malformed", `${what} is not a JSON object`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw malformed("field-unknown", `${what} has the unknown member ${quote(unknown)}`);
  }
  return value;
}

function urlOf(value) {
  if (isText(value, 2048) && URL.canParse(value)) return new URL(value);
  throw malformed("endpoint-malformed", "the endpoint is no address");
}

function isAuth(value) {
  return isText(value, 24) && /^[\w-]{22}$/.test(value);
}

function isText(value, longest) {
  return typeof value === "string" && value.length <= longest;
}

function malformed(code, message) {
  return new Refusal(400, code, message);
}
