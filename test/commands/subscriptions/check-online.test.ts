/** `webpush subscriptions check --online`, with the emulator as each vendor. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmulator, type PersonalityId, type PushEmulator } from "../../../src/emulator/index.ts";
import { linesOf, runJson, runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, ourPair, storedIn, type Browser } from "../send/sending.ts";

const check = ["subscriptions", "check", "--online", "--yes"];
const silent = ["fcm", "mozilla", "wns"] as const;
const vendors = [...silent, "apple"] as const;

let emulator: PushEmulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** A browser called `name`, subscribed at the emulator as this vendor's. */
function subscribed(as: PersonalityId, name = "phone", key = ourPair.publicKey): Browser {
  const { endpoint, keys } = emulator.subscribe({ as, applicationServerKey: key });
  return createBrowser(endpoint, { name, keys });
}

async function checking(browsers: readonly Browser[], ...flags: readonly string[]) {
  const cwd = await openProject({ browsers });
  return { ...(await runJson([...check, ...flags], { cwd })), cwd, stored: await storedIn(cwd) };
}

describe.each(vendors)("as %s", (as) => {
  test("a probe is accepted, is for now or never, and nobody can read it", async () => {
    emulator.clearMessages();
    const { exitCode, records, stored } = await checking([subscribed(as)], "--include-unproven");
    expect(exitCode).toBe(0);
    expect(records).toMatchObject([
      { name: "phone", service: as, probe: "accepted", status: 201, advice: null },
    ]);
    const [message] = emulator.messages();
    expect(message).toMatchObject({ ttlSeconds: 0, urgency: "very-low", topic: null });
    expect(message?.payload).toBeNull();
    expect(stored.get("phone")).toMatchObject({ gone: undefined, lastResult: undefined });
  });

  test("one that is gone is found, marked and said: exit code 1", async () => {
    const phone = subscribed(as);
    emulator.unsubscribe(phone.subscription.endpoint);
    const { exitCode, records, stored } = await checking([phone], "--include-unproven");
    expect(exitCode).toBe(1);
    expect(records).toMatchObject([{ name: "phone", probe: "gone", status: 410 }]);
    expect(stored.get("phone")).toMatchObject({
      gone: expect.anything() as unknown,
      lastResult: { outcome: "gone" },
    });
  });

  test("one made with another key is found and marked", async () => {
    const stranger = subscribed(as, "phone", samplePair("lost").publicKey);
    const { exitCode, records, stored } = await checking([stranger], "--include-unproven");
    expect(exitCode).toBe(1);
    expect(records).toMatchObject([{ probe: "wrong-key" }]);
    expect(stored.get("phone")?.wrongKey).toMatchObject({ publicKey: ourPair.publicKey });
  });

  test("throttled is for later: exit code 6, asked once, nothing stored", async () => {
    const phone = subscribed(as);
    emulator.clearMessages();
    emulator.addFault(`answer=http.429 subscription=${phone.subscription.endpoint}`);
    const { exitCode, records, stored } = await checking([phone], "--include-unproven");
    expect(exitCode).toBe(6);
    expect(records).toMatchObject([{ probe: "throttled", status: 429 }]);
    expect(stored.get("phone")?.lastResult).toBeUndefined();
  });
});

describe("who is not asked", () => {
  test("those of services where nobody knows that it stays unseen, unless that is wanted", async () => {
    const browsers = [
      ...silent.map((as) => subscribed(as, as)),
      subscribed("apple", "iphone"),
      subscribed("strict", "other"),
    ];
    const { exitCode, records } = await checking(browsers);
    expect(exitCode).toBe(0);
    expect(records).toMatchObject([
      { name: "iphone", probe: "not-asked", cause: "probe.unproven" },
      { name: "other", probe: "not-asked", cause: "probe.unproven" },
      ...silent.map((name) => ({ name, probe: "accepted" })).sort(byArrival(records)),
    ]);
    expect((await checking(browsers, "--include-unproven")).records).not.toContainEqual(
      expect.objectContaining({ probe: "not-asked" }),
    );
  });

  test("those marked gone, at no host, or made with a key that is not at hand", async () => {
    const dead = createBrowser("https://permanently-removed.invalid/fcm/send/x", { name: "dead" });
    const { endpoint, keys } = emulator.subscribe({ as: "fcm" });
    const stranger = createBrowser(endpoint, {
      name: "stranger",
      keys,
      applicationServerKey: samplePair("lost").publicKey,
    });
    const gone = subscribed("fcm", "gone");
    const cwd = await openProject({ browsers: [dead, stranger, gone], gone: ["gone"] });
    const { exitCode, stderr, stdout } = await runMain(check, { cwd, stdin: "" });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("gone");
    expect(linesOf(stderr).slice(-4)).toEqual([
      "nobody was asked",
      "not asked: 1 subscription at a host where no push service is",
      "not asked: 1 subscription marked gone before",
      "not asked: 1 subscription made with a key you do not have",
    ]);
  });
});

/** Answers come in any order. */
function byArrival(records: readonly unknown[]) {
  const names = records.map((record) => (record as { name: string }).name);
  return (a: { name: string }, b: { name: string }) => names.indexOf(a.name) - names.indexOf(b.name);
}

describe("before anything is sent", () => {
  test("a script has to say --yes, and is told what it would do and what it costs", async () => {
    const cwd = await openProject({ browsers: [subscribed("fcm"), subscribed("mozilla", "desk")] });
    emulator.clearMessages();
    const { exitCode, stderr } = await runMain(["subscriptions", "check", "--online"], { cwd, stdin: "" });
    expect(exitCode).toBe(2);
    expect(linesOf(stderr)).toEqual([
      "2 subscriptions checked, nothing found here",
      "note: 2 requests: a push each that no browser can decrypt, so it is dropped unseen; it is not stored and not repeated",
      "note: a device may wake for a moment, it counts against rate limits, and accepted proves little: so is one for a browser that is off",
      "error: would send 2 pushes that nobody sees",
      "hint: add --yes if that is what you want",
    ]);
    expect(emulator.messages()).toEqual([]);
  });

  test("of Apple's it is warned", async () => {
    const cwd = await openProject({ browsers: [subscribed("apple")] });
    const { stderr } = await runMain([...check, "--include-unproven"], { cwd, stdin: "" });
    expect(stderr).toContain(
      "warning: 1 of them where nobody knows that it stays unseen: an iPhone ends a subscription at the third silent push",
    );
  });

  test("keys are needed to sign with", async () => {
    const cwd = await openProject({ browsers: [subscribed("fcm")], pairs: [] });
    const { exitCode, stderr } = await runMain(check, { cwd, stdin: "" });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("this project has no VAPID keys");
  });
});

test("a browser that is off is accepted as well", async () => {
  const phone = subscribed("fcm");
  emulator.setOnline(phone.subscription.endpoint, false);
  expect((await checking([phone])).records).toMatchObject([{ probe: "accepted" }]);
});

test("what only the network says is for later, and no probe says it twice", async () => {
  await using service = await ScriptedPushService.start({ status: 503 });
  const { exitCode, records, stored } = await checking(
    [createBrowser(service.endpoint("/fcm/send/x"), { name: "phone" })],
    "--allow-private",
  );
  expect(exitCode).toBe(6);
  expect(records).toMatchObject([{ probe: "unavailable", cause: "http.5xx" }]);
  expect(stored.get("phone")?.lastResult).toBeUndefined();
});

test("what is wrong without asking counts for more than a bad moment", async () => {
  await using service = await ScriptedPushService.start({ status: 503 });
  const phone = createBrowser(service.endpoint("/fcm/send/x"), { name: "phone", expirationTime: 1 });
  expect((await checking([phone])).exitCode).toBe(1);
});

test("a service that calls more than half of twenty gone at once is not believed", async () => {
  const browsers = Array.from({ length: 20 }, (_, index) => subscribed("fcm", `b${index}`));
  for (const { subscription } of browsers.slice(0, 11)) emulator.unsubscribe(subscription.endpoint);
  const cwd = await openProject({ browsers });
  const { exitCode, stderr } = await runMain(check, { cwd, stdin: "" });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    "called 11 of 20 gone at once; if that is right: webpush subscriptions prune --called-gone",
  );
  expect([...(await storedIn(cwd)).values()].filter(({ gone }) => gone !== undefined)).toEqual([]);
  await runMain(["subscriptions", "prune", "--called-gone", "--yes"], { cwd });
  expect((await storedIn(cwd)).size).toBe(9);
});

test("stopped in the middle, it says what it has heard and from whom not: exit code 130", async () => {
  const stop = new AbortController();
  const cwd = await openProject({ browsers: [subscribed("fcm"), subscribed("fcm", "desk")] });
  const unfollow = emulator.onEvent(({ type }) => {
    if (type === "accepted") stop.abort();
  });
  const { exitCode, stderr } = await runMain([...check, "--concurrency", "1"], {
    cwd,
    stdin: "",
    signal: stop.signal,
  });
  unfollow();
  expect(exitCode).toBe(130);
  expect(linesOf(stderr).slice(-2)).toEqual([
    "1 in all: 1 accepted",
    "not asked: 1 subscription whose turn had not come when it was stopped",
  ]);
});

test("people get a table, what went wrong by cause, and the sum", async () => {
  const [phone, desk] = [subscribed("fcm"), subscribed("mozilla", "desk")];
  emulator.unsubscribe(phone.subscription.endpoint);
  const cwd = await openProject({ browsers: [phone, desk, subscribed("apple", "iphone")] });
  const { stdout, stderr } = await runMain(check, { cwd, stdin: "" });
  expect(stdout).toMatch(/^phone .* gone +410/m);
  expect(stdout).toMatch(/^desk .* accepted +201/m);
  expect(stderr).toContain("2 in all: 1 accepted, 1 gone");
  expect(linesOf(stderr).at(-1)).toBe(
    "not asked: 1 subscription where nobody knows that it stays unseen (--include-unproven asks them too)",
  );
});
