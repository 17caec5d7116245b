/** Every check of a project, in a world in which it finds something and in one in which it does not. */
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { Check, Level } from "../../src/doctor/check.ts";
import { environmentChecks } from "../../src/doctor/environment-checks.ts";
import type { ProjectFacts } from "../../src/doctor/facts.ts";
import { fileChecks } from "../../src/doctor/file-checks.ts";
import { keyChecks } from "../../src/doctor/key-checks.ts";
import { networkChecks } from "../../src/doctor/network-checks.ts";
import { settingChecks } from "../../src/doctor/setting-checks.ts";
import { subscriptionChecks } from "../../src/doctor/subscription-checks.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { samplePair } from "../support/samples.ts";
import { testNow } from "../support/test-context.ts";
import {
  configWith,
  day,
  type Spoilt,
  entryOf,
  goodFacts,
  pair,
  recordOf,
  stateWith,
  visitOf,
} from "./project-facts.ts";

const checks: readonly Check<ProjectFacts>[] = [
  ...fileChecks,
  ...keyChecks,
  ...subscriptionChecks,
  ...settingChecks,
  ...environmentChecks,
  ...networkChecks,
];

/** A world in which the check finds something: what is other than in a healthy project, how bad, and in what words. */
type Case = readonly [id: string, level: Level, words: string, over: Spoilt];

const stored = (...records: ReturnType<typeof recordOf>[]): Spoilt => ({ records });
const visited = (over: Parameters<typeof visitOf>[0]): Partial<ProjectFacts> => ({
  visits: { value: [visitOf(over)] },
});
const setTo = (settings: Readonly<Record<string, string>>): Partial<ProjectFacts> => ({
  settings: { value: settings },
});
const damagedFile = new UserError("store-damaged", ".webpush/config.json is damaged: it is not JSON", {
  hints: ["repair the file"],
});
const one = recordOf("one");
const other = samplePair("other");
const olderPair = { pair: other, createdAt: testNow - 9 * day, currentSince: testNow - 9 * day };
const { state } = stateWith();
const unreachable = { kind: "connect", message: "fcm.googleapis.com: connection refused" } as const;
const untrusted = {
  kind: "tls",
  message: "fcm.googleapis.com: the certificate's issuer is not trusted",
} as const;
const result = { at: testNow - 1000, status: 403, outcome: "rejected", cause: "fcm.sender-id" };

const cases: readonly Case[] = [
  ["files.node", "problem", "needs 20.17.0", { nodeVersion: "18.20.4" }],
  ["files.node", "problem", "needs 20.17.0", { nodeVersion: "20.9.0" }],
  ["files.node", "note", "no fixes since 2026-04-30", { nodeVersion: "20.19.2" }],
  ["files.folder", "note", "there is none yet", { state: { ...state, isThere: false, entries: [] } }],
  [
    "files.folder",
    "warning",
    "somebody else",
    stateWith(entryOf(".webpush/subscriptions.json", { isMine: false })),
  ],
  ["files.modes", "warning", "0644", stateWith(entryOf(".webpush/subscriptions.json", { mode: 0o644 }))],
  [
    "files.modes",
    "warning",
    "0755",
    stateWith(entryOf(".webpush/receivers", { kind: "folder", mode: 0o755 })),
  ],
  ["files.ignored", "warning", "git would take", { state: { ...state, isIgnored: false } }],
  ["files.env", "warning", "VAPID private key", { secretFiles: [{ path: ".env", isIgnored: false }] }],
  ["files.damaged", "problem", "is damaged", { config: { error: damagedFile } }],
  ["files.damaged", "problem", "is damaged", { subscriptions: { error: damagedFile } }],
  ["files.damaged", "problem", "is damaged", { damaged: [damagedFile] }],
  ["files.leftovers", "note", "temporary file", stateWith(entryOf(".webpush/config.json.tmp-1234"))],
  [
    "files.leftovers",
    "note",
    "nobody holds",
    stateWith(entryOf(".webpush/config.json.lock", { kind: "folder" })),
  ],
  ["files.room", "warning", "only 9 MB", { state: { ...state, freeBytes: 10_000_000 } }],
  ["files.room", "skipped", "does not say", { state: { ...state, freeBytes: undefined } }],

  ["keys.environment", "problem", "is set but", { environmentKeys: { error: halfPair() } }],
  ["keys.environment", "note", "not the project's", { environmentKeys: given(other) }],
  [
    "keys.environment",
    "note",
    "an older pair",
    {
      environmentKeys: given(other),
      config: configWith({ pairs: [...configWith().value.pairs, olderPair] }),
    },
  ],
  ["keys.pair", "problem", "there is none", { config: configWith({ pairs: [], current: undefined }) }],
  ["keys.pair", "skipped", "cannot be read", { config: { error: damagedFile } }],
  ["keys.rotation", "note", "no living subscription", { config: withOlder() }],
  [
    "keys.rotation",
    "note",
    "1 living subscription",
    { config: withOlder(), ...stored(recordOf("old", {}, { applicationServerKey: other.publicKey })) },
  ],
  ["keys.subject", "problem", "Apple will refuse", { config: configWith({ subject: undefined }) }],
  [
    "keys.subject",
    "warning",
    "nobody can be reached at example.com",
    { config: configWith({ subject: parseSubject("mailto:me@example.com").subject }) },
  ],

  ["subscriptions.stored", "note", "none yet", stored()],
  [
    "subscriptions.gone",
    "problem",
    "gone (fcm.gone), and no other is left",
    stored(recordOf("phone", { gone: { at: testNow, cause: "fcm.gone" } })),
  ],
  [
    "subscriptions.gone",
    "note",
    "gone (fcm.gone)",
    stored(recordOf("phone", { gone: { at: testNow, cause: "fcm.gone" } }), recordOf("laptop")),
  ],
  ["subscriptions.expired", "problem", "it expired", stored(recordOf("phone", {}, { expirationTime: 1000 }))],
  [
    "subscriptions.key.unknown",
    "problem",
    "not among yours",
    stored(recordOf("phone", {}, { applicationServerKey: other.publicKey })),
  ],
  [
    "subscriptions.key.refused",
    "warning",
    "refused key",
    stored(
      recordOf("phone", { wrongKey: { at: testNow, cause: "fcm.mismatch", publicKey: pair.publicKey } }),
    ),
  ],
  [
    "subscriptions.endpoint.dead",
    "problem",
    "",
    stored(recordOf("phone", {}, { endpoint: "https://android.googleapis.com/gcm/send/x" })),
  ],
  [
    "subscriptions.encoding",
    "problem",
    "does not take aesgcm",
    stored(recordOf("phone", {}, { endpoint: "https://web.push.apple.com/x", contentEncoding: "aesgcm" })),
  ],
  ["subscriptions.refused", "warning", "was refused", stored(recordOf("phone", { lastResult: result }))],
  [
    "subscriptions.address",
    "warning",
    "10.0.0.7 is not a public address",
    stored(recordOf("phone", {}, { endpoint: "https://10.0.0.7/push/x" })),
  ],
  [
    "subscriptions.address",
    "warning",
    "is not 443",
    stored(recordOf("phone", {}, { endpoint: "https://push.example.net:8443/push/x" })),
  ],
  [
    "subscriptions.local",
    "note",
    "on this machine",
    stored(recordOf("phone", {}, { endpoint: "http://localhost:8030/push/x" })),
  ],
  [
    "subscriptions.duplicates",
    "warning",
    "the same keys as",
    stored(
      recordOf("phone"),
      recordOf("phone", { name: "copy" }, { endpoint: "https://fcm.googleapis.com/fcm/send/second" }),
    ),
  ],
  [
    "subscriptions.idle",
    "warning",
    "more than 30 days",
    stored(
      recordOf("phone", {
        registeredAt: testNow - 40 * day,
        lastResult: { at: testNow - day, outcome: "unreachable", cause: "network.dns", status: undefined },
      }),
    ),
  ],
  ["subscriptions.number", "note", "10001 is more", stored(...Array.from({ length: 10_001 }, () => one))],

  ["settings.valid", "problem", "ttl", setTo({ ttl: "soon" })],
  ["settings.valid", "warning", "urgency is one", setTo({ urgencyy: "high" })],
  ["settings.valid", "skipped", "cannot be read", { settings: { error: damagedFile } }],
  ["settings.unusual", "warning", "ttl is 0", setTo({ ttl: "0" })],
  ["settings.unusual", "warning", "replaces the one before", setTo({ topic: "news" })],
  ["settings.unusual", "warning", "retries is 0", setTo({ retries: "0" })],
  ["settings.unusual", "warning", "a draft of 2016", setTo({ encoding: "aesgcm" })],

  ["environment.proxy", "problem", "is a socks5 URL", { env: { HTTPS_PROXY: "socks5://10.0.0.1" } }],
  ["environment.proxy", "problem", "not a URL", { proxy: "my proxy" }],
  [
    "environment.proxy-twins",
    "warning",
    "differ",
    { env: { https_proxy: "http://a.example:1", HTTPS_PROXY: "http://b.example:1" } },
  ],
  [
    "environment.no-proxy",
    "note",
    "FCM reached directly",
    { env: { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: ".googleapis.com" } },
  ],
  ["environment.tls", "warning", "switches it off", { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } }],
  [
    "environment.authorities",
    "warning",
    "cannot be read",
    { env: { NODE_EXTRA_CA_CERTS: "ca.pem" }, isExtraCaReadable: false },
  ],
  ["environment.keylog", "warning", "printed", { env: { ECE_KEYLOG: "1" } }],
  ["environment.ci", "warning", "folder of the build", { env: { CI: "true" } }],
  [
    "environment.ci",
    "note",
    "is not set",
    { env: { CI: "true" }, config: configWith({ pairs: [], current: undefined }) },
  ],

  [
    "network.way",
    "problem",
    "cannot read ca.pem",
    { visits: { error: new UserError("file-unreadable", "cannot read ca.pem (ENOENT)") } },
  ],
  [
    "network.name",
    "problem",
    "does not resolve",
    visited({ failure: { kind: "dns", message: "fcm.googleapis.com: the name does not resolve" } }),
  ],
  [
    "network.name",
    "problem",
    "leads to 10.1.2.3",
    visited({ addresses: [{ address: "10.1.2.3", isPublic: false }] }),
  ],
  ["network.reach", "problem", "connection refused", visited({ failure: unreachable })],
  ["network.tls", "problem", "issued by Corp", visited({ failure: untrusted, issuer: "Corp" })],
  ["network.tls", "note", "may read along", visited({ issuer: "Corp", isPubliclyTrusted: false })],
  ["network.http2", "note", "not agreed to", visited({ protocol: "http/1.1" })],
  ["network.clock", "warning", "45 s ahead", visited({ clockSkewMs: 45_000 })],
  ["network.clock", "warning", "10 min behind", visited({ clockSkewMs: -600_000 })],
  ["network.clock", "problem", "longer than 24 hours", visited({ clockSkewMs: 13 * 3_600_000 })],
  ["network.clock", "problem", "expired before", visited({ clockSkewMs: -13 * 3_600_000 })],
  ["network.time", "warning", "4000 ms", visited({ durationMs: 4000 })],
];

function halfPair(): UserError {
  return new UserError("vapid-environment", "VAPID_PUBLIC_KEY is set but VAPID_PRIVATE_KEY is not");
}

function given(one: typeof pair): ProjectFacts["environmentKeys"] {
  return { value: { pair: one, subject: undefined } };
}

function withOlder(): ProjectFacts["config"] {
  return configWith({ pairs: [...configWith().value.pairs, olderPair] });
}

async function find(id: string, facts: ProjectFacts) {
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return check.examine(facts);
}

describe("a check finds what is wrong:", () => {
  test.each(cases)("%s, a %s: %s", async (id, level, words, over) => {
    const found = await find(id, goodFacts(over));
    const matching = found.filter((finding) => finding.level === level && finding.what.includes(words));
    expect(matching, JSON.stringify(found)).not.toEqual([]);
    for (const { fix } of matching) if (level === "problem" || level === "warning") expect(fix).toBeTruthy();
  });
});

describe("in a healthy project a check is content:", () => {
  test.each(checks.map(({ id }) => [id]))("%s", async (id) => {
    const found = await find(id, goodFacts());
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter(({ level }) => level !== "good")).toEqual([]);
  });
});

test("that only some push services are visited is said, when there are more", async () => {
  const records = Array.from({ length: 13 }, (_, index) =>
    recordOf(`r${index}`, {}, { endpoint: `https://push${index}.example.net/1` }),
  );
  expect(await find("network.way", goodFacts({ records }))).toEqual([
    {
      level: "note",
      what: "1 push services visited, no more at once: the stored subscriptions have others too",
    },
  ]);
});

test("every check has a world in which it finds something", () => {
  const shown = new Set(cases.map(([id]) => id));
  expect(checks.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
});

test("a check says in a sentence why it matters, and ids are told apart", () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { why, title } of checks) {
    expect(why).toMatch(/^[^A-Z ]|^[A-Z]{2}|^(?:Apple|Node|VAPID)/);
    expect(`${why}${title}`).not.toMatch(/\.$|!/);
  }
});

test("a proxy's password is in no finding", async () => {
  const env = {
    HTTPS_PROXY: "http://me:hunter2@proxy.example:3128",
    https_proxy: "http://me:hunter2@other.example",
  };
  for (const { examine } of environmentChecks)
    expect(JSON.stringify(await examine(goodFacts({ env, proxy: "socks://me:hunter2@x" })))).not.toContain(
      "hunter2",
    );
});
