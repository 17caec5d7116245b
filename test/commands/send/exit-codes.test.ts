import { describe, expect, test } from "vitest";
import { diagnoses } from "../../../src/protocol/diagnoses.ts";
import { exitCodeFor, type Outcome } from "../../../src/commands/send/tally.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { ScriptedPushService, type Reply } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, ourPair, sendJson, storedIn, tallyOf } from "./sending.ts";

/** Sends to one stored browser per reply, one after the other, as a broadcast unless `argv` names some. */
async function sendTo(replies: readonly Reply[], argv: readonly string[] = []) {
  await using service = await ScriptedPushService.start(...replies);
  const browsers = replies.map((_, index) =>
    createBrowser(service.endpoint(`/push/${index}`), { name: `b${index}` }),
  );
  const cwd = await openProject({ browsers });
  const ran = await runMain(["send", "hi", "--concurrency", "1", ...argv], { cwd, stdin: "" });
  return { ...ran, cwd, summary: linesOf(ran.stderr).at(-1) };
}

describe("0, done", () => {
  test("when everything was accepted", async () => {
    const { exitCode, summary } = await sendTo([{}, {}]);
    expect({ exitCode, summary }).toEqual({ exitCode: 0, summary: "2 in all: 2 accepted" });
  });

  test.each([200, 201, 202, 204])("for a status of %i", async (status) => {
    expect((await sendTo([{ status }])).exitCode).toBe(0);
  });

  test("when members of a broadcast were gone, and are removed", async () => {
    const { exitCode, summary, cwd } = await sendTo([{}, { status: 410 }, { status: 404 }]);
    expect({ exitCode, summary }).toEqual({ exitCode: 0, summary: "3 in all: 1 accepted, 2 gone" });
    expect((await storedIn(cwd)).get("b1")?.gone?.cause).toBe("http.410");
  });
});

describe("1, failed", () => {
  test.each([
    ["too large", { status: 413 }],
    ["malformed", { status: 400 }],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:9/" } }],
    ["a method that is not there", { status: 405 }],
  ])("when the answer is: %s", async (_name, reply) => {
    const { exitCode, summary } = await sendTo([reply]);
    expect({ exitCode, summary }).toEqual({ exitCode: 1, summary: "1 in all: 0 accepted, 1 failed" });
  });

  test("when failures are of several kinds", async () => {
    const { exitCode, summary } = await sendTo([
      { status: 410 },
      { status: 503 },
      { status: 403 },
      { status: 400 },
    ]);
    expect(exitCode).toBe(1);
    expect(summary).toBe("4 in all: 0 accepted, 1 gone, 1 refused credentials, 1 to try later, 1 failed");
  });

  test("when a certificate cannot be trusted: that is no better an hour later", async () => {
    await using service = await ScriptedPushService.startTls();
    const cwd = await openProject();
    const { json } = createBrowser(service.endpoint());
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], { cwd });
    expect({ exitCode, cause: records[0]?.cause }).toEqual({ exitCode: 1, cause: "net.tls" });
  });

  test("when an address is blocked", async () => {
    const cwd = await openProject();
    const { json } = createBrowser("https://10.0.0.1/push");
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], { cwd });
    expect({ exitCode, records: records.length }).toEqual({ exitCode: 1, records: 1 });
  });
});

describe("2, usage or input, and no request is made", () => {
  const good = createBrowser("http://127.0.0.1:9/never-asked").json;

  test.each<[string, readonly string[], string]>([
    ["an unknown flag", ["hi", "--tll", "5"], "unknown option"],
    ["a bad value", ["hi", "--ttl", "x"], "is not a time"],
    ["a subscription that is no JSON", ["hi", "--subscription", "{"], "the subscription is not JSON"],
    [
      "a key that is none",
      ["hi", "--endpoint", "https://a.dev/1", "--p256dh", "BA", "--auth", "AA"],
      "p256dh",
    ],
    ["an auth secret that is none", ["hi", "--subscription", good.replace(/"auth":"./, '"auth":"')], "auth"],
    [
      "plain http to another machine",
      ["hi", "--endpoint", "http://a.dev/1", "--p256dh", "B", "--auth", "A"],
      "plain http",
    ],
    [
      "a payload too large",
      ["--payload", "x".repeat(3994), "--subscription", good],
      "payload is 3 994 bytes, the most is 3 993",
    ],
    ["a notification without a title", ["--body", "b", "--subscription", good], "no title"],
    [
      "a name too long for the system",
      ["hi", "--to", `${"long".repeat(100)}.json`],
      "long.json (ENAMETOOLONG)",
    ],
    ["a file that is not there", ["hi", "--to", "nobody.json"], "cannot read nobody.json (ENOENT)"],
    ["a file that is none of ours", ["hi", "--to", "package.txt"], "no stored subscription"],
    ["a proxy that is none", ["hi", "--subscription", good, "--proxy", "ftp://a"], "proxy is a ftp URL"],
    [
      "an allowed host that is none",
      ["hi", "--subscription", good, "--allow-host", "a b"],
      "is not a host name",
    ],
    ["a CA file that is none", ["hi", "--subscription", good, "--ca", "."], "cannot read . (EISDIR)"],
    ["half a key pair", ["hi", "--subscription", good, "--vapid-pubkey", "BA"], "go together"],
    ["nobody to send to", ["hi"], "there is nobody to send to"],
  ])("%s", async (_name, argv, error) => {
    const { exitCode, stdout, stderr } = await runMain(["send", ...argv], {
      cwd: await openProject(),
      stdin: "",
    });
    expect(stderr).toContain(`error: `);
    expect(stderr).toContain(error);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  test("a project without keys", async () => {
    const { exitCode, stderr } = await runMain(["send", "hi", "--subscription", good], {});
    expect(stderr).toContain("no VAPID keys");
    expect(exitCode).toBe(2);
  });

  test("a list without a usable line", async () => {
    const stdin = '{"endpoint":"https://a.dev/1"}\n{"a":1}\n';
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", "-"], {
      cwd: await openProject(),
      stdin,
    });
    expect(linesOf(stderr).at(-1)).toBe("2 in all: 0 accepted, 2 unusable");
    expect(exitCode).toBe(2);
  });

  test("with --json the error is the record", async () => {
    const { exitCode, records } = await sendJson(["hi", "--to", "x"], { cwd: await openProject() });
    expect(records).toEqual([
      {
        error: {
          code: "subscription-unknown",
          message: expect.any(String) as string,
          hints: expect.any(Array) as string[],
          exitCode: 2,
        },
      },
    ]);
    expect(exitCode).toBe(2);
  });
});

describe("3, partial", () => {
  test.each<[string, Reply]>([
    ["refused", { status: 400 }],
    ["to try later", { status: 503 }],
    ["refused credentials", { status: 403 }],
  ])("when some were accepted and one was %s", async (_name, reply) => {
    expect((await sendTo([{}, reply])).exitCode).toBe(3);
  });

  test("when one of those named was gone", async () => {
    expect((await sendTo([{}, { status: 410 }], ["--to", "b0", "--to", "b1"])).exitCode).toBe(3);
  });

  test("when members of a broadcast were gone and stay, by --no-prune", async () => {
    expect((await sendTo([{}, { status: 410 }], ["--no-prune"])).exitCode).toBe(3);
  });

  test("when a line of the list was unusable", async () => {
    await using service = await ScriptedPushService.start({});
    const stdin = `${createBrowser(service.endpoint()).json}\n{"a":1}\n`;
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", "-"], {
      cwd: await openProject(),
      stdin,
    });
    expect(linesOf(stderr).at(-1)).toBe("2 in all: 1 accepted, 1 unusable");
    expect(exitCode).toBe(3);
  });
});

describe("4, refused credentials", () => {
  const aboutKeys = diagnoses.filter(({ about }) => about === "credentials");

  test("every vendor has such answers", () => {
    expect(new Set(aboutKeys.map(({ service }) => service))).toEqual(
      new Set(["apple", "fcm", "mozilla", "wns", "any"]),
    );
  });

  test.each(aboutKeys)("$id", async ({ example }) => {
    const { exitCode, summary } = await sendTo([example ?? { status: 403 }]);
    expect({ exitCode, summary }).toEqual({
      exitCode: 4,
      summary: "1 in all: 0 accepted, 1 refused credentials",
    });
  });

  test("keys that are not at hand, before the network", async () => {
    const browser = createBrowser("http://127.0.0.1:9/never-asked", {
      applicationServerKey: samplePair("theirs").publicKey,
    });
    const { exitCode, records } = await sendJson(["hi", "--subscription", browser.json], {
      cwd: await openProject(),
    });
    expect({ exitCode, cause: records[0]?.cause, attempts: records[0]?.attempts }).toEqual({
      exitCode: 4,
      cause: "key.unknown",
      attempts: 0,
    });
  });

  test("a public and a private key that do not belong together", async () => {
    const argv = [
      "--vapid-pubkey",
      ourPair.publicKey,
      "--vapid-pvtkey",
      samplePair("theirs").privateKey.reveal(),
    ];
    const { exitCode, stderr } = await runMain(
      ["send", "hi", "--subscription", createBrowser("http://127.0.0.1:9/x").json, ...argv],
      { stdin: "" },
    );
    expect(stderr).toContain("error: ");
    expect(exitCode).toBe(4);
  });

  test("no contact, where Apple is among the recipients", async () => {
    const env = { VAPID_PRIVATE_KEY: ourPair.privateKey.reveal() };
    const { json } = createBrowser("https://web.push.apple.com/QAbc");
    const { exitCode, stderr } = await runMain(["send", "hi", "--subscription", json], { env });
    expect(stderr).toContain("Apple");
    expect(exitCode).toBe(4);
  });
});

describe("5, gone", () => {
  test.each([404, 410])("when the only answer is %i", async (status) => {
    const { exitCode, summary } = await sendTo([{ status }]);
    expect({ exitCode, summary }).toEqual({ exitCode: 5, summary: "1 in all: 0 accepted, 1 gone" });
  });

  test("when all of a broadcast are gone", async () => {
    expect((await sendTo([{ status: 410 }, { status: 404 }])).exitCode).toBe(5);
  });

  test("when the browser made its endpoint up, without a request", async () => {
    const { json } = createBrowser("https://permanently-removed.invalid/fcm/send/1");
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], {
      cwd: await openProject(),
    });
    expect({ exitCode, attempts: records[0]?.attempts }).toEqual({ exitCode: 5, attempts: 0 });
  });
});

describe("6, try later", () => {
  test.each<[string, Reply]>([
    ["429 with seconds", { status: 429, headers: { "retry-after": "120" } }],
    [
      "429 with a date",
      {
        status: 429,
        headers: { date: "Mon, 02 Nov 2026 12:00:00 GMT", "retry-after": "Mon, 02 Nov 2026 12:02:00 GMT" },
      },
    ],
    ["429 alone", { status: 429 }],
    ["500", { status: 500 }],
    ["502", { status: 502 }],
    ["503", { status: 503, headers: { "retry-after": "120" } }],
    ["507", { status: 507 }],
  ])("%s", async (_name, reply) => {
    const { exitCode, summary } = await sendTo([reply]);
    expect({ exitCode, summary }).toEqual({ exitCode: 6, summary: "1 in all: 0 accepted, 1 to try later" });
  });

  test.each<[string, Reply]>([
    ["a connection that breaks", { fault: "reset-before-headers" }],
    ["an answer that is no HTTP", { raw: "SSH-2.0-OpenSSH\r\n" }],
    ["no answer in time", { fault: "stall-before-headers" }],
  ])("%s, after which nobody knows", async (_name, reply) => {
    const { exitCode, summary } = await sendTo([reply], ["--timeout", "300ms"]);
    expect({ exitCode, summary }).toEqual({ exitCode: 6, summary: "1 in all: 0 accepted, 1 in doubt" });
  });

  test.each([
    { "retry-after": "120" },
    { date: "Mon, 02 Nov 2026 12:00:00 GMT", "retry-after": "Mon, 02 Nov 2026 12:02:00 GMT" },
  ])("how much later is in the record: %j", async (headers) => {
    await using service = await ScriptedPushService.start({ status: 429, headers });
    const { json } = createBrowser(service.endpoint());
    const { records } = await sendJson(["hi", "--subscription", json], { cwd: await openProject() });
    expect(records[0]?.retryAfterMs).toBe(120_000);
  });

  test("a connection that is refused", async () => {
    const closed = await ScriptedPushService.start();
    const { json } = createBrowser(closed.endpoint());
    await closed[Symbol.asyncDispose]();
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], {
      cwd: await openProject(),
    });
    expect({ exitCode, cause: records[0]?.cause, status: records[0]?.status }).toEqual({
      exitCode: 6,
      cause: "net.connect",
      status: null,
    });
  });

  test("a name that does not resolve", async () => {
    // A label of 64 characters is no name at all, so no resolver outside of this machine is asked.
    const { json } = createBrowser(`https://${"a".repeat(64)}.example/push`);
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], {
      cwd: await openProject(),
    });
    expect({ exitCode, cause: records[0]?.cause }).toEqual({ exitCode: 6, cause: "net.dns" });
  });
});

describe("the sum", () => {
  const outcomes: readonly Outcome[] = [
    { outcome: "accepted", cause: "ok", status: 201 },
    { outcome: "gone", cause: "http.410", status: 410 },
    { outcome: "wrong-key", cause: "fcm.key-mismatch", status: 403 },
    { outcome: "throttled", cause: "http.429", status: 429 },
    { outcome: "unavailable", cause: "http.5xx", status: 503 },
    { outcome: "rejected", cause: "http.400", status: 400 },
    { outcome: "unreachable", cause: "net.connect", reason: "" },
    { outcome: "ambiguous", cause: "net.ambiguous", reason: "" },
    { outcome: "blocked", cause: "endpoint.blocked", reason: "" },
    { outcome: "skipped", cause: "key.unknown", reason: "", advice: "" },
    { outcome: "skipped", cause: "input.malformed", reason: "", advice: "" },
    { outcome: "skipped", cause: "interrupted", reason: "", advice: "" },
    { outcome: "skipped", cause: "message.unfit", reason: "", advice: "" },
    { outcome: "skipped", cause: "journal.ambiguous", reason: "", advice: "" },
  ];
  /** Done with, and no failure. */
  const neutral: readonly Outcome[] = (["input.repeated", "journal.accepted", "journal.gone"] as const).map(
    (cause) => ({ outcome: "skipped", cause, reason: "", advice: "" }),
  );

  test("every outcome is counted once", () => {
    const all = [...outcomes, ...neutral];
    const { total, accepted, failures, interrupted, settledBefore, repeated } = tallyOf(all);
    const failed = Object.values(failures).reduce((a, b) => a + b, 0);
    const sum = accepted + settledBefore + repeated + interrupted + failed;
    expect({ total, sum }).toEqual({ total: all.length, sum: all.length });
  });

  test("any subset of outcomes ends with a code that its members bear out", () => {
    for (let set = 1; set < 2 ** outcomes.length; set += 1) {
      const chosen = outcomes.filter((_, index) => (set >> index) % 2 === 1);
      const code = exitCodeFor(tallyOf(chosen), { excused: 0, stopped: false });
      const isStopped = chosen.some(({ cause }) => cause === "interrupted");
      const accepted = chosen.filter(({ outcome }) => outcome === "accepted").length;
      expect(code === 130).toBe(isStopped);
      if (isStopped) continue;
      expect(code === 0).toBe(accepted === chosen.length);
      expect(code === 3).toBe(accepted > 0 && accepted < chosen.length);
    }
  });

  test("what an earlier run settled, and what came twice, spoils nothing", () => {
    expect(exitCodeFor(tallyOf(neutral), { excused: 0, stopped: false })).toBe(0);
    for (const outcome of outcomes) {
      const [alone, among] = [[outcome], [outcome, neutral[0] ?? outcome]].map((list) =>
        exitCodeFor(tallyOf(list), { excused: 0, stopped: false }),
      );
      expect(among).toBe(alone);
    }
  });

  test("a stop is told even when all that was sent was accepted", () => {
    expect(exitCodeFor(tallyOf(outcomes.slice(0, 1)), { excused: 0, stopped: true })).toBe(130);
  });
});
