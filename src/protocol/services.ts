/**
 * The push services in the wild, as data: whose host it is, what it accepts, how it refuses.
 *
 * The vendors' limits stand here once. Pre-flight checks, the request builder, the
 * diagnosis of answers and the emulator's personalities all read these records, so
 * a correction is one line, with its source beside it. What each refusal means is
 * in `diagnoses.ts`. No code elsewhere branches on a vendor's name.
 */

import { isLoopbackHost, type ContentEncoding, type Endpoint } from "./subscription.ts";

/** Who runs a push service. `removed` and `gcm` are hosts where nothing listens any more. */
export type ServiceId = "fcm" | "mozilla" | "apple" | "wns" | "ntfy" | "gcm" | "removed" | "other";

/** The authentication schemes of VAPID and its drafts, in lower case (RFC 8292 §3, draft-ietf-webpush-vapid-01). */
export type VapidScheme = "vapid" | "webpush" | "bearer";

/** How to tell a service by the endpoint's parsed host name, never by searching in the URL. */
interface ServiceHosts {
  /** Host names that are the service. */
  readonly exact: readonly string[];
  /** Domains that are the service together with all their subdomains; written without the leading dot. */
  readonly suffixes: readonly string[];
  /**
   * What paths begin with at an emulator on this machine that answers as the service does. On any
   * other host the path says nothing: whoever chose it would choose whose rules we go by.
   */
  readonly loopbackPaths?: readonly string[];
  /** A query parameter that marks endpoints of a service anybody can host. */
  readonly query?: readonly [name: string, value: string];
}

/** What a service accepts in one request. */
interface ServiceLimits {
  /** The largest body accepted, in bytes. */
  readonly bodyBytes: number;
  /** The status that answers a larger body. */
  readonly tooLargeStatus: number;
  /** A plaintext size beyond which some of its receivers fail, though the service accepts the body. */
  readonly tightest?: { readonly plaintextBytes: number; readonly where: string };
  /** The largest TTL kept; `undefined` where none is documented. */
  readonly maxTtlSeconds: number | undefined;
  /** What becomes of a TTL above `maxTtlSeconds`: an error, or silently shortened. */
  readonly aboveMaxTtl: "refuse" | "cut" | "unknown";
  /** Headers that a `TTL: 0` needs to be accepted; empty where it needs none. */
  readonly ttlZeroHeaders: Readonly<Record<string, string>>;
  /**
   * The rule for `Topic` beyond RFC 8030 §5.4. `base64url` services decode it, so a
   * length of 1 modulo 4 is refused.
   */
  readonly topic: "rfc8030" | "base64url" | "unknown";
  /** Whether the service looks at `Urgency` (RFC 8030 §5.3). */
  readonly urgency: "honoured" | "ignored" | "unknown";
}

/** What a service demands of the sender's identity (RFC 8292). */
interface ServiceAuthorization {
  /** Whether a request without VAPID is refused. */
  readonly required: boolean;
  /** The schemes understood, the preferred one first. */
  readonly schemes: readonly VapidScheme[];
  /** Whether a token without a plausible `sub` is refused. */
  readonly subjectRequired: boolean;
  /** The status that answers a token signed by another key than the subscription's. */
  readonly mismatchStatus: number;
}

/** What becomes of a message that its browser cannot decrypt, such as a probe (`probe.ts`). */
interface UndecryptableFate {
  /** `dropped`: before the page's service worker is started, so that nobody sees it and no quota counts it. */
  readonly fate: "dropped" | "unknown";
  /** Who has seen it, or why nobody has; in words for a person. */
  readonly source: string;
}

/** Everything known about one push service. */
export interface PushServiceFacts {
  readonly id: ServiceId;
  /** The name people know it by. */
  readonly name: string;
  /** The browsers that subscribe there. */
  readonly browsers: readonly string[];
  readonly hosts: ServiceHosts;
  /** Nothing answers there: a request would be wasted. */
  readonly dead: boolean;
  readonly limits: ServiceLimits;
  readonly authorization: ServiceAuthorization;
  readonly encodings: readonly ContentEncoding[];
  /** The statuses it uses to accept; any other 2xx is acceptance too. */
  readonly successStatuses: readonly number[];
  /** The statuses that say the subscription is over. */
  readonly goneStatuses: readonly number[];
  /** The response headers that name the request to the vendor's support, the best first. */
  readonly requestIdHeaders: readonly string[];
  readonly undecryptable: UndecryptableFate;
  /** Whether HTTP/2 may be offered to it. */
  readonly http2: boolean;
  readonly source: string;
  /** When the record was last compared with its sources, `YYYY-MM`. */
  readonly checked: string;
}

const day = 86_400;
const checked = "2026-11";

/** What RFC 8030 and RFC 8291 promise of any push service (RFC 8030 §7.2, RFC 8291 §4). */
const portableLimits: ServiceLimits = {
  bodyBytes: 4096,
  tooLargeStatus: 413,
  maxTtlSeconds: undefined,
  aboveMaxTtl: "unknown",
  ttlZeroHeaders: {},
  topic: "rfc8030",
  urgency: "unknown",
};

const portableAuthorization: ServiceAuthorization = {
  required: false,
  schemes: ["vapid"],
  subjectRequired: false,
  mismatchStatus: 403, // RFC 8292 §4.2
};

const fcm: PushServiceFacts = {
  id: "fcm",
  name: "FCM",
  browsers: ["Chrome", "Edge on Android", "Opera", "Vivaldi", "Samsung Internet", "Brave"],
  hosts: {
    exact: ["fcm.googleapis.com", "jmt17.google.com"],
    suffixes: [],
    loopbackPaths: ["/fcm/send/", "/wp/", "/preprod/wp/"],
  },
  dead: false,
  limits: {
    bodyBytes: 4096,
    tooLargeStatus: 400, // not 413, and checked before authorisation
    maxTtlSeconds: 28 * day,
    aboveMaxTtl: "refuse",
    ttlZeroHeaders: {},
    topic: "rfc8030",
    urgency: "honoured",
  },
  authorization: {
    required: true,
    schemes: ["vapid", "webpush"],
    subjectRequired: false,
    mismatchStatus: 403,
  },
  encodings: ["aes128gcm", "aesgcm"],
  successStatuses: [201],
  goneStatuses: [404, 410],
  requestIdHeaders: ["location"],
  undecryptable: {
    fate: "dropped",
    source: "measured with Chromium on Linux, November 2026; its other browsers are built on it",
  },
  http2: true,
  source: "Chromium components/gcm_driver/web_push_common.cc; Firebase, Best practices for sending at scale",
  checked,
};

const mozilla: PushServiceFacts = {
  id: "mozilla",
  name: "Mozilla autopush",
  browsers: ["Firefox"],
  hosts: { exact: [], suffixes: ["push.services.mozilla.com", "mozaws.net"], loopbackPaths: ["/wpush/"] },
  dead: false,
  limits: {
    bodyBytes: 4096, // documented; the code's default is 5630
    tooLargeStatus: 413,
    tightest: { plaintextBytes: 2744, where: "Firefox for Android" }, // relayed through FCM, base64 in JSON
    maxTtlSeconds: 30 * day,
    aboveMaxTtl: "cut",
    ttlZeroHeaders: {},
    topic: "rfc8030",
    urgency: "ignored",
  },
  // Only v2 endpoints, bound to a key, insist; every browser of today makes those.
  authorization: {
    required: true,
    schemes: ["vapid", "webpush", "bearer"],
    subjectRequired: false,
    mismatchStatus: 401,
  },
  encodings: ["aes128gcm", "aesgcm"],
  successStatuses: [201],
  goneStatuses: [404, 410],
  requestIdHeaders: ["location"],
  undecryptable: {
    fate: "dropped",
    source: "measured with Firefox on Linux, November 2026; Firefox for Android is inferred",
  },
  http2: true,
  source: "autopush-rs 1.83 docs/src/http.md, autoendpoint/src/extractors/notification_headers.rs",
  checked,
};

const apple: PushServiceFacts = {
  id: "apple",
  name: "Apple",
  browsers: ["Safari on macOS", "web apps on iOS and iPadOS"],
  hosts: { exact: [], suffixes: ["push.apple.com"], loopbackPaths: ["/apple/"] },
  dead: false,
  limits: {
    bodyBytes: 4096,
    tooLargeStatus: 413,
    maxTtlSeconds: 30 * day,
    aboveMaxTtl: "cut",
    ttlZeroHeaders: {},
    topic: "base64url",
    urgency: "honoured",
  },
  authorization: { required: true, schemes: ["vapid"], subjectRequired: true, mismatchStatus: 400 },
  encodings: ["aes128gcm"],
  successStatuses: [201],
  goneStatuses: [410],
  requestIdHeaders: ["apns-id"],
  undecryptable: {
    fate: "unknown",
    source: "it takes an Apple device to see, and a third silent push there ends the subscription",
  },
  http2: true,
  source: "Apple, Sending web push notifications in web apps and browsers; AltanS/collie#90 for Topic",
  checked,
};

const wns: PushServiceFacts = {
  id: "wns",
  name: "Microsoft WNS",
  browsers: ["Edge on Windows"],
  hosts: { exact: [], suffixes: ["notify.windows.com"], loopbackPaths: ["/wns/"] },
  dead: false,
  limits: {
    bodyBytes: 5000,
    tooLargeStatus: 413,
    maxTtlSeconds: undefined,
    aboveMaxTtl: "unknown",
    ttlZeroHeaders: { "x-wns-cache-policy": "no-cache" }, // without it TTL 0 is 400; pywebpush#162
    topic: "unknown",
    urgency: "unknown",
  },
  authorization: { required: true, schemes: ["vapid"], subjectRequired: false, mismatchStatus: 401 },
  encodings: ["aes128gcm", "aesgcm"],
  successStatuses: [201, 200],
  goneStatuses: [404, 410],
  requestIdHeaders: ["ms-cv", "x-wns-msg-id"],
  undecryptable: { fate: "dropped", source: "inferred: Edge is built on Chromium, which was measured" },
  http2: false, // "HTTP/1.1, no chunked encoding, no pipelining"
  source: "Microsoft, WNS request and response headers; webpush-go#66",
  checked,
};

const ntfy: PushServiceFacts = {
  id: "ntfy",
  name: "ntfy",
  browsers: ["UnifiedPush apps on Android"],
  hosts: { exact: ["ntfy.sh"], suffixes: [], query: ["up", "1"] },
  dead: false,
  limits: portableLimits,
  authorization: portableAuthorization,
  encodings: ["aes128gcm", "aesgcm"],
  successStatuses: [200],
  goneStatuses: [404, 410],
  requestIdHeaders: [],
  undecryptable: { fate: "unknown", source: "each app that gets it decrypts by itself" },
  http2: true,
  source: "UnifiedPush specification AND_3.0.0; binwiederhier/ntfy",
  checked,
};

const gcm: PushServiceFacts = {
  ...fcm,
  id: "gcm",
  name: "GCM, switched off",
  browsers: [],
  hosts: { exact: ["android.googleapis.com"], suffixes: [] },
  dead: true,
  source: "GCM was switched off in 2019",
};

const removed: PushServiceFacts = {
  id: "removed",
  name: "no push service",
  browsers: ["Edge on Android that could not register"],
  hosts: { exact: ["permanently-removed.invalid"], suffixes: ["invalid"] }, // RFC 2606 §2: never resolves
  dead: true,
  limits: portableLimits,
  authorization: portableAuthorization,
  encodings: ["aes128gcm"],
  successStatuses: [],
  goneStatuses: [],
  requestIdHeaders: [],
  undecryptable: { fate: "unknown", source: "nobody is there" },
  http2: false,
  source: "couchers#8212; RFC 2606 §2",
  checked,
};

/** What can be relied on where nobody knows the service: UnifiedPush, self-hosted, an emulator. */
const other: PushServiceFacts = {
  id: "other",
  name: "push service",
  browsers: [],
  hosts: { exact: [], suffixes: [] },
  dead: false,
  limits: portableLimits,
  authorization: portableAuthorization,
  encodings: ["aes128gcm", "aesgcm"],
  successStatuses: [201, 202, 200],
  goneStatuses: [404, 410],
  requestIdHeaders: ["apns-id", "ms-cv", "x-wns-msg-id"],
  undecryptable: { fate: "unknown", source: "any browser or app may subscribe there" },
  http2: true,
  source: "RFC 8030 §5; UnifiedPush specification AND_3.0.0",
  checked,
};

/** Every push service known, `other` last. */
export const pushServices: readonly PushServiceFacts[] = [
  fcm,
  mozilla,
  apple,
  wns,
  gcm,
  removed,
  ntfy,
  other,
];

/** The facts of one service by its id. */
export function factsOf(id: ServiceId): PushServiceFacts {
  return pushServices.find((facts) => facts.id === id) ?? other;
}

/**
 * Who is behind an endpoint, by its parsed host name: equal to a known one, or a subdomain of one.
 * On this machine, where no vendor is, the path says whose rules an emulator goes by.
 */
export function serviceOf(endpoint: Endpoint): PushServiceFacts {
  const url = new URL(endpoint);
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  const byHost = pushServices.find((facts) => servesHost(facts, host)) ?? emulatedService(url);
  return byHost ?? pushServices.find(({ hosts }) => isMarked(url, hosts)) ?? other;
}

/** Whether an endpoint's host is a known push service's by its name alone: a path or query that looks like one is no proof. */
export function hasKnownHost(endpoint: Endpoint): boolean {
  const host = new URL(endpoint).hostname.toLowerCase().replace(/\.$/, "");
  return pushServices.some((facts) => servesHost(facts, host));
}

function emulatedService({ hostname, pathname }: URL): PushServiceFacts | undefined {
  if (!isLoopbackHost(hostname)) return undefined;
  return pushServices.find(({ hosts }) => hosts.loopbackPaths?.some((path) => pathname.startsWith(path)));
}

/** Whether a host name, in lower case and without a dot at its end, is this service's. */
export function servesHost({ hosts: { exact, suffixes } }: PushServiceFacts, host: string): boolean {
  // The dot matters: notpush.apple.com is somebody else.
  return exact.includes(host) || suffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

function isMarked(url: URL, { query }: ServiceHosts): boolean {
  return query !== undefined && url.searchParams.get(query[0]) === query[1];
}

/** What to call the service behind an endpoint: the vendor's name, or the host of one nobody knows. */
export function serviceLabel(endpoint: Endpoint): string {
  const { id, name } = serviceOf(endpoint);
  const { host, hostname } = new URL(endpoint);
  if (id === "other") return host;
  return isLoopbackHost(hostname) ? `${name} (emulator)` : name;
}
