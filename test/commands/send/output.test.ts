import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { ScriptedPushService, type Reply } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, ourPair, sendJson, storedIn } from "./sending.ts";

const mismatch: Reply = {
  status: 403,
  body: "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n",
};
const accepted: Reply = { headers: { location: "/m/1", ttl: "60" } };

/** Sends to browsers of these names, a reply each, one after the other. */
async function sendTo(replies: Readonly<Record<string, Reply>>, argv: readonly string[] = [], columns = 80) {
  await using service = await ScriptedPushService.start(...Object.values(replies));
  const browsers = Object.keys(replies).map((name) =>
    createBrowser(service.endpoint(`/push/secret-of-${encodeURIComponent(name)}`), { name }),
  );
  const cwd = await openProject({ browsers });
  const ran = await runMain(["send", "hi", "--concurrency", "1", ...argv], {
    cwd,
    stdin: "",
    tty: false,
    columns,
  });
  const steady = (text: string): string =>
    text.replaceAll(/ {0,3}\b\d+ ms/g, "  7 ms").replaceAll(String(service.port), "80");
  return { ...ran, service, stdout: steady(ran.stdout), stderr: steady(ran.stderr) };
}

describe("for people", () => {
  test("a table, what went wrong by cause, and the sum", async () => {
    const { stdout, stderr } = await sendTo({
      phone: accepted,
      tv: mismatch,
      laptop: mismatch,
      old: { status: 410 },
    });
    expect(linesOf(stdout).map((line) => line.split(/ +/))).toEqual([
      ["to", "endpoint", "outcome", "status", "time"],
      ["phone", "127.0.0.1:80/…-phone", "accepted", "201", "7", "ms"],
      ["tv", "127.0.0.1:80/…-of-tv", "wrong-key", "403", "7", "ms"],
      ["laptop", "127.0.0.1:80/…laptop", "wrong-key", "403", "7", "ms"],
      ["old", "127.0.0.1:80/…of-old", "gone", "410", "7", "ms"],
    ]);
    expect(linesOf(stderr)).toEqual([
      "",
      "2 × the subscription was made with another VAPID key (127.0.0.1:80)  fcm.key-mismatch",
      "    said: the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.",
      "    do:   send with the key it was made with, or have the page subscribe again with this one",
      "",
      "1 × the browser unsubscribed or the subscription expired (127.0.0.1:80)  http.410",
      "    do:   remove it",
      "marked 1 subscription gone; forget for good: webpush subscriptions prune",
      "",
      "4 in all: 1 accepted, 1 gone, 2 refused credentials",
    ]);
  });

  test("success needs no more than the table and a line", async () => {
    const { stderr } = await sendTo({ phone: accepted });
    expect(stderr).toBe("1 in all: 1 accepted\n");
  });

  test.each([80, 72, 60, 40])(
    "no line of the table is wider than %i columns, and outcomes are whole",
    async (columns) => {
      const names = {
        "a rather long name of a browser, longer than anybody needs": accepted,
        携帯電話携帯電話携帯電話携帯電話携帯電話携帯電話: { status: 503 },
      };
      const { stdout } = await sendTo(names, [], columns);
      const lines = linesOf(stdout);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines[1]).toContain("accepted");
      expect(lines[2]).toContain("unavailable");
      expect(lines[0]?.includes("endpoint")).toBe(columns >= 72);
    },
  );

  test("more than forty are summed up instead", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 41 }, (_, index) => [`b${index}`, accepted] as const),
    );
    const { stdout, stderr } = await sendTo(many);
    expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "41 in all: 41 accepted\n" });
  });

  test("colour only where a terminal is", async () => {
    await using service = await ScriptedPushService.start({}, {});
    const browsers = [createBrowser(service.endpoint(), { name: "phone" })];
    const cwd = await openProject({ browsers });
    expect((await runMain(["send", "hi"], { cwd, tty: true })).stdout).toContain(
      "\u001b[32maccepted\u001b[39m",
    );
    expect((await runMain(["send", "hi", "--no-color"], { cwd, tty: true })).stdout).not.toContain("\u001b");
  });

  test("--quiet leaves data and failures", async () => {
    const { stdout, stderr } = await sendTo({ phone: accepted, tv: { status: 503 } }, ["--quiet"]);
    expect(linesOf(stdout).length).toBe(3);
    expect(stderr).toContain("1 × the service has a fault");
    expect(stderr).not.toContain("in all");
    expect((await sendTo({ phone: accepted }, ["--quiet"])).stderr).toBe("");
  });

  test("--verbose shows requests and answers without a secret", async () => {
    const { stdout, stderr, service } = await sendTo(
      { phone: accepted, old: { status: 429, headers: { "retry-after": "9" } } },
      ["-v"],
    );
    expect(stderr).toMatch(
      /^--> POST 127\.0\.0\.1:80\/…-phone {2}ttl: 2419200, content-length: \d+, .*authorization: \[secret\]$/m,
    );
    expect(stderr).toMatch(/^<-- 201 127\.0\.0\.1:80\/…-phone {2}ok, +7 ms/m);
    expect(stderr).toMatch(/^<-- 429 127\.0\.0\.1:80\/…of-old {2}http\.429, +7 ms, retry after 9 s$/m);
    const all = stdout + stderr;
    expect(all).not.toMatch(/eyJ/);
    expect(all).not.toContain("secret-of-");
    expect(service.requests.length).toBe(2);
  });
});

describe("records", () => {
  test("accepted", async () => {
    await using service = await ScriptedPushService.start(accepted);
    const browsers = [createBrowser(service.endpoint(), { name: "phone" })];
    const { stdout } = await runMain(["send", "hi", "--json"], { cwd: await openProject({ browsers }) });
    expect(linesOf(stdout).length).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{10}$/) as string,
      name: "phone",
      service: "other",
      host: `127.0.0.1:${service.port}`,
      stored: true,
      outcome: "accepted",
      cause: "ok",
      status: 201,
      reason: null,
      advice: null,
      requestId: null,
      location: "/m/1",
      ttl: 60,
      retryAfterMs: null,
      attempts: 1,
      ms: expect.any(Number) as number,
    });
  });

  test("rejected", async () => {
    await using service = await ScriptedPushService.start({ ...mismatch, headers: { "retry-after": "5" } });
    const { json } = createBrowser(service.endpoint());
    const { records } = await sendJson(["hi", "--subscription", json], { cwd: await openProject() });
    expect(records).toEqual([
      {
        id: expect.any(String) as string,
        name: null,
        service: "other",
        host: `127.0.0.1:${service.port}`,
        stored: false,
        outcome: "wrong-key",
        cause: "fcm.key-mismatch",
        status: 403,
        reason: String(mismatch.body).trim(),
        advice: "send with the key it was made with, or have the page subscribe again with this one",
        requestId: null,
        location: null,
        ttl: null,
        retryAfterMs: 5000,
        attempts: 1,
        ms: expect.any(Number) as number,
      },
    ]);
  });

  test("unreachable", async () => {
    const { json } = createBrowser(`https://${"a".repeat(64)}.example/push`);
    const { records } = await sendJson(["hi", "--subscription", json], { cwd: await openProject() });
    expect(records).toEqual([
      {
        id: expect.any(String) as string,
        name: null,
        service: "other",
        host: `${"a".repeat(64)}.example`,
        stored: false,
        outcome: "unreachable",
        cause: "net.dns",
        status: null,
        reason: `${"a".repeat(64)}.example: the name does not resolve`,
        advice: expect.any(String) as string,
        requestId: null,
        location: null,
        ttl: null,
        retryAfterMs: null,
        attempts: 1,
        ms: expect.any(Number) as number,
      },
    ]);
  });

  test("skipped, with a subscription and without one", async () => {
    const theirs = createBrowser("https://push.ada.dev/1", {
      applicationServerKey: samplePair("theirs").publicKey,
    });
    const { records } = await sendJson(["hi", "--to", "-"], {
      cwd: await openProject(),
      stdin: `${theirs.json}\n{"a":1}\n`,
    });
    const nothing = {
      status: null,
      requestId: null,
      location: null,
      ttl: null,
      retryAfterMs: null,
      attempts: 0,
      ms: 0,
    };
    expect(records).toEqual([
      {
        ...{
          id: expect.any(String) as string,
          name: null,
          service: "other",
          host: "push.ada.dev",
          stored: false,
        },
        ...{ outcome: "skipped", cause: "key.unknown", ...nothing },
        reason: expect.stringMatching(/^made with key B[\w-]{11}…, which is not among yours$/) as string,
        advice: expect.any(String) as string,
      },
      {
        ...{ id: null, name: null, service: null, host: null, stored: false },
        ...{ outcome: "skipped", cause: "input.malformed", ...nothing },
        reason: "line 2: subscription has no endpoint and no p256dh and no auth",
        advice: expect.any(String) as string,
      },
    ]);
  });

  test("all have the same fields, in the same order", async () => {
    await using service = await ScriptedPushService.start(accepted, mismatch);
    const lines = [service.endpoint("/1"), service.endpoint("/2"), "https://10.0.0.1/"].map(
      (endpoint) => createBrowser(endpoint).json,
    );
    const stdin = [...lines, '{"a":1}'].join("\n");
    const { records } = await sendJson(["hi", "--to", "-"], { cwd: await openProject(), stdin });
    expect(records.length).toBe(4);
    expect(new Set(records.map((record) => Object.keys(record).join())).size).toBe(1);
  });

  test("come on stdout alone, one line each, whatever is said on stderr", async () => {
    const { stdout, stderr } = await sendTo({ phone: accepted, tv: mismatch }, ["--json", "-v"]);
    for (const line of linesOf(stdout)) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(stderr).toContain("2 in all");
  });
});

describe("a push service's words cannot drive the terminal", () => {
  // Erase, window title, bell, carriage return, C1 CSI, right-to-left override, line separator, a soft hyphen.
  const hostile = "\u001b[2J\u001b]0;pwned\u0007\rX\u009b31m\u202e\u2028\u00adend";
  const driving = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

  const headers = {
    location: "/m/\u009b31m",
    "x-wns-error-description": "\u009b2J",
    ttl: "\u009b",
    "retry-after": "\u009b1",
  };

  test.each<[string, Reply]>([
    ["text", { status: 400, body: hostile }],
    ["JSON", { status: 400, body: JSON.stringify({ reason: hostile }) }],
    ["a header", { status: 400, headers }],
    ["headers of an acceptance", { status: 201, headers }],
  ])("in %s, in any mode", async (_name, reply) => {
    for (const argv of [[], ["-v"], ["--json"], ["--json", "-v"], ["-q"]]) {
      const { stdout, stderr } = await sendTo({ phone: reply }, argv);
      expect(stdout).not.toMatch(driving);
      expect(stderr).not.toMatch(driving);
    }
  });

  test("a record still has them as they were", async () => {
    await using service = await ScriptedPushService.start({ status: 400, body: hostile });
    const { json } = createBrowser(service.endpoint());
    const { records } = await sendJson(["hi", "--subscription", json], { cwd: await openProject() });
    expect(records[0]?.reason).toBe(hostile);
  });

  test("nor can a name, a place in a list or a word on the command line", async () => {
    const named = `{"name":${JSON.stringify(hostile)},${createBrowser("https://10.0.0.1/1").json.slice(1)}`;
    const map = JSON.stringify({
      [hostile]: { endpoint: "https://a.dev/1" },
      b: { endpoint: "https://b.dev/1" },
    });
    const cwd = await openProject();
    for (const argv of [[], ["-v"], ["--json"], ["--dry-run"], ["--dry-run", "--json"], ["--curl"]]) {
      for (const stdin of [named, map]) {
        const { stdout, stderr } = await runMain(["send", "--payload", "hi", "--to", "-", ...argv], {
          cwd,
          stdin,
        });
        expect(stdout).not.toMatch(driving);
        expect(stderr).not.toMatch(driving);
      }
    }
    const { stdout, stderr } = await runMain(["send", "hi", "--to", hostile], { cwd });
    expect(stdout + stderr).not.toMatch(driving);
  });
});

describe("the private key", () => {
  const secret = ourPair.privateKey.reveal();

  test.each([
    [],
    ["-v"],
    ["--json"],
    ["--json", "-v"],
    ["--dry-run"],
    ["--dry-run", "--json", "-v"],
    ["--curl"],
    ["--curl", "--json"],
  ])("is in no output: send %j %j", async (...argv) => {
    const flags = argv.map(String);
    const isSent = !flags.includes("--dry-run") && !flags.includes("--curl");
    await using service = await ScriptedPushService.start(...(isSent ? [mismatch] : []));
    const browsers = [createBrowser(service.endpoint(), { name: "phone" })];
    const cwd = await openProject({ browsers });
    const { stdout, stderr } = await runMain(["send", "hi", ...flags], { cwd });
    expect(stdout + stderr).not.toContain(secret);
    expect(stdout + stderr).not.toContain(browsers[0]?.subscription.auth.reveal());
    expect((await storedIn(cwd)).size).toBe(1);
  });

  test.each([
    ["cut short", secret.slice(0, 20)],
    ["of another pair", samplePair("theirs").privateKey.reveal()],
  ])("is not quoted when it is refused: %s", async (_name, key) => {
    const { json } = createBrowser("http://127.0.0.1:9/never-asked");
    const argv = [
      "hi",
      "--subscription",
      json,
      "--vapid-pubkey",
      ourPair.publicKey,
      "--vapid-pvtkey",
      key,
      "--json",
      "-v",
    ];
    const { exitCode, stdout, stderr } = await runMain(["send", ...argv]);
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).not.toContain(key);
  });
});
