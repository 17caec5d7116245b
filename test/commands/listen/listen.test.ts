import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEmulator } from "../../../src/emulator/emulator.ts";
import { ConnectProxy } from "../../support/connect-proxy.ts";
import { linesOf, runMain, type CliRun } from "../../support/run-cli.ts";
import { seededRandom } from "../../support/test-context.ts";
import { openProject, sendJson, startCli } from "../send/sending.ts";

/** An emulator in this process. */
async function openService(port = 0) {
  const events: { readonly type: string }[] = [];
  const random = seededRandom(`listen ${port}`);
  const onEvent = (event: { readonly type: string }) => void events.push(event);
  const emulator = await startEmulator({ clock: { now: () => Date.now() }, random, port, onEvent });
  onTestFinished(() => emulator.close());
  return { ...emulator, service: emulator.origin.replace("http", "ws"), machine: emulator.service, events };
}

/** Subscribes as `me` in a project and leaves again. */
async function subscribeOnce(cwd: string, service: string): Promise<CliRun> {
  const stop = new AbortController();
  const argv = ["listen", "--service", service, "--save", "me", "--timeout", "150ms"];
  return runMain(argv, { cwd, signal: stop.signal });
}

function listenJson(cwd: string, service: string, argv: readonly string[], env = {}) {
  const all = ["listen", "--service", service, "--timeout", "20s", "--json", ...argv];
  return runMain(all, { cwd, env }).then((ran) => ({
    ...ran,
    records: linesOf(ran.stdout).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  }));
}

describe("who listens", () => {
  test("two processes cannot be the same receiver", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    const first = listenJson(cwd, service, ["--count", "1", "--timeout", "30s"]);
    await vi.waitUntil(() => existsSync(join(cwd, ".webpush/receivers")), { timeout: 20_000 });
    const second = await listenJson(cwd, service, ["--timeout", "1s"]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("another process is listening as");
    const other = await listenJson(cwd, service, ["--name", "other", "--timeout", "150ms"]);
    expect(other.exitCode).toBe(6);
    await sendJson(["hi", "--to", "all"], { cwd });
    expect((await first).exitCode).toBe(6);
  }, 60_000);

  test("a proxy on the way is used, and NO_PROXY heeded", async () => {
    const { port } = await openService();
    await using proxy = await ConnectProxy.start({ to: port });
    const cwd = await openProject();
    const service = "ws://push.test/";
    const env = { HTTPS_PROXY: proxy.url };
    const argv = ["listen", "--service", service, "--timeout", "2s", "--json"];
    const { stderr } = await runMain(argv, { cwd, env });
    expect(proxy.targets[0]).toBe("push.test:80");
    expect(stderr).toContain("no connection to ws://push.test/");
    await runMain(argv, { cwd, env: { ...env, NO_PROXY: "push.test" } });
    expect(proxy.targets).toHaveLength(1);
  });
});

describe("a message", () => {
  test("that `send --to NAME` sent while nobody listened arrives later, decrypted", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    expect((await subscribeOnce(cwd, service)).exitCode).toBe(6);
    const { records } = await sendJson(["--to", "me", "--title", "Hello", "--body", "from afar"], { cwd });
    expect(records).toMatchObject([{ name: "me", outcome: "accepted", status: 201 }]);
    const heard = await listenJson(cwd, service, ["--count", "1"]);
    expect(heard.records).toMatchObject([
      { type: "ready", isNew: false },
      { type: "message", contentEncoding: "aes128gcm", title: "Hello", body: "from afar", reason: null },
    ]);
    expect(heard.exitCode).toBe(0);
    expect((await listenJson(cwd, service, ["--count", "1", "--timeout", "150ms"])).exitCode).toBe(6);
  });

  test.each([
    ["fcm", "FCM (emulator)", { cause: "ok", status: 201 }],
    ["mozilla", "Mozilla autopush (emulator)", { cause: "ok", status: 201 }],
    ["apple", "Apple (emulator)", { cause: "ok", requestId: expect.any(String) as string }],
    ["wns", "Microsoft WNS (emulator)", { cause: "ok.dropped" }],
  ])("is sent by the rules of %s when --service asks for it", async (as, label, nobodyThere) => {
    const { service } = await openService();
    const cwd = await openProject();
    const asked = `${service}/?as=${as}`;
    await subscribeOnce(cwd, asked);
    const host = new URL(service).host.replace(":", "-");
    expect(statSync(join(cwd, ".webpush", "receivers", `${host}-as-${as}.json`)).isFile()).toBe(true);
    expect((await runMain(["subscriptions", "list"], { cwd })).stdout).toContain(label);
    const never = await sendJson(["--to", "me", "--payload", "now or never", "--ttl", "0"], { cwd });
    expect(never.records).toMatchObject([{ outcome: "accepted", service: as, ...nobodyThere }]);
    await sendJson(["--to", "me", "--payload", "kept"], { cwd });
    const { records } = await listenJson(cwd, asked, ["--count", "1"]);
    expect(records).toMatchObject([
      { type: "ready", isNew: false },
      { type: "message", text: "kept" },
    ]);
  });

  test("of the draft's coding arrives as well, and an empty one", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "--encoding", "aesgcm", "--payload", "draft"], { cwd });
    await runMain(["send", "--to", "me"], { cwd, stdin: "" });
    const { records } = await listenJson(cwd, service, ["--count", "2"]);
    expect(records.slice(1)).toMatchObject([
      { text: "draft", contentEncoding: "aesgcm" },
      { text: null, encryptedBytes: 0 },
    ]);
  });

  test("cannot drive the terminal", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "--payload", "\u001b[2J\u202eend\u009b31m\nforged line"], { cwd });
    const argv = ["listen", "--service", service, "--count", "1", "--timeout", "20s", "--exec", "cat"];
    const { stdout, stderr } = await runMain(argv, { cwd });
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(stdout).toContain("\\u{1b}[2J");
  });

  test("made for other keys is said to be unreadable, and is not sent again", async () => {
    const { service, machine } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    const [{ pushId, applicationServerKey } = { pushId: "", applicationServerKey: undefined }] =
      machine.subscriptions();
    machine.send(pushId, {
      ttlSeconds: 60,
      urgency: "normal",
      topic: undefined,
      headers: { contentEncoding: "aes128gcm", encryption: undefined, cryptoKey: undefined },
      requestHeaders: {},
      body: Buffer.alloc(120, 4),
      sender: applicationServerKey,
      receipt: "none",
    });
    const { records } = await listenJson(cwd, service, ["--count", "1"]);
    expect(records[1]).toMatchObject({
      type: "undecryptable",
      text: null,
      reason: expect.any(String) as string,
    });
    expect(machine.subscriptions()).toMatchObject([{ waiting: 0, unacknowledged: 0 }]);
  });
});

describe("what is done with a message", () => {
  test("--exec gets the payload on stdin and its fields in the environment, and its exit code is told", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "--title", "$(touch pwned)", "--body", "text"], { cwd });
    const command =
      'cat > payload; printf "%s|%s" "$WEBPUSH_MESSAGE_TITLE" "$WEBPUSH_MESSAGE_BODY" > fields; exit 3';
    const { records } = await listenJson(cwd, service, ["--count", "1", "--exec", command], {
      PATH: process.env["PATH"],
    });
    expect(records[1]).toMatchObject({ exitCode: 3 });
    expect(readFileSync(join(cwd, "fields"), "utf8")).toBe("$(touch pwned)|text");
    expect(JSON.parse(readFileSync(join(cwd, "payload"), "utf8"))).toMatchObject({
      notification: { title: "$(touch pwned)" },
    });
  });

  test("--forward-to posts the payload and tells the answer", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on("end", () => response.writeHead(202).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "--payload", "forward me"], { cwd });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const { records } = await listenJson(cwd, service, ["--count", "1", "--forward-to", url]);
    expect(records[1]).toMatchObject({ forwardStatus: 202, forwardFailure: null });
    expect(bodies).toEqual(["forward me"]);
  });

  test("--forward-to where nobody listens is told, and listening goes on", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "--payload", "x"], { cwd });
    const { records, exitCode } = await listenJson(cwd, service, [
      "--count",
      "1",
      "--forward-to",
      "http://127.0.0.1:9/",
    ]);
    expect(records[1]).toMatchObject({ forwardStatus: null, forwardFailure: expect.any(String) as string });
    expect(exitCode).toBe(0);
  });
});

describe("the subscription", () => {
  test("is printed, bound to the project's key, and kept for its owner alone", async () => {
    const { service, port, machine } = await openService();
    const cwd = await openProject();
    const { stdout } = await runMain(["listen", "--service", service, "--timeout", "150ms"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ endpoint: expect.stringContaining("/wpush/v2/") as string });
    expect(machine.subscriptions()).toHaveLength(1);
    const file = join(cwd, ".webpush", "receivers", `127.0.0.1-${port}.json`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("is made anew when the service forgot it, and the stored one replaced", async () => {
    const { service, machine } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    machine.expireSubscription(machine.subscriptions()[0]?.subscriptionId ?? "");
    await subscribeOnce(cwd, service);
    await sendJson(["--to", "me", "again"], { cwd });
    expect((await listenJson(cwd, service, ["--count", "1"])).records[1]).toMatchObject({ title: "again" });
  });

  test("ends with --unregister: the next send says gone", async () => {
    const { service } = await openService();
    const cwd = await openProject();
    await subscribeOnce(cwd, service);
    expect((await runMain(["listen", "--service", service, "--unregister"], { cwd })).exitCode).toBe(0);
    const { records, exitCode } = await sendJson(["--to", "me", "too late"], { cwd });
    expect(records).toMatchObject([{ outcome: "gone", status: 410 }]);
    expect(exitCode).toBe(5);
  });

  test("of one name at another service is not overwritten", async () => {
    const [one, other] = [await openService(), await openService()];
    const cwd = await openProject();
    const argv = ["listen", "--name", "mine", "--timeout", "150ms", "--service"];
    await runMain([...argv, one.service], { cwd });
    const { exitCode, stderr } = await runMain([...argv, other.service], { cwd });
    expect(stderr).toContain("error: the receiver mine is subscribed at ws://");
    expect(exitCode).toBe(2);
  });
});

test("a service that is not there is an error, said at once", async () => {
  const cwd = await openProject();
  const { exitCode, stderr } = await runMain(["listen", "--service", "ws://127.0.0.1:9"], { cwd });
  expect(stderr).toContain("error: no connection to ws://127.0.0.1:9/: connect ECONNREFUSED 127.0.0.1:9");
  expect(exitCode).toBe(1);
});

test("a project's timeout for sending does not end listening", async () => {
  const { service } = await openService();
  const cwd = await openProject({ settings: { timeout: "50ms" } });
  await subscribeOnce(cwd, service);
  const stop = new AbortController();
  const running = runMain(["listen", "--service", service], { cwd, signal: stop.signal });
  await sendJson(["--to", "me", "hi", "--timeout", "10s"], { cwd });
  stop.abort();
  expect((await running).exitCode).toBe(0);
});

describe("in processes of their own", () => {
  async function startService(argv: readonly string[]) {
    const running = startCli(["emulator", ...argv, "--json"], {});
    const said = new Promise<string>((resolve) => {
      let text = "";
      running.child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const line = text.includes("\n") ? text.slice(0, text.indexOf("\n")) : undefined;
        if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url);
      });
    });
    return { ...running, origin: await said };
  }

  test("the service restarts with its state and listen killed: what was sent meanwhile arrives", async () => {
    const cwd = await openProject();
    const state = join(cwd, "state");
    const first = await startService(["--port", "0", "--state", state]);
    const port = new URL(first.origin).port;
    const service = first.origin.replace("http", "ws");
    const listener = startCli(["listen", "--service", service, "--save", "me"], { cwd });
    await listener.said("Waiting");
    listener.child.kill("SIGKILL");
    await listener.ended;
    expect((await sendJson(["--to", "me", "while you were out"], { cwd })).exitCode).toBe(0);
    first.child.kill("SIGINT");
    expect((await first.ended).exitCode).toBe(0);
    expect(statSync(join(state, "emulator.json")).mode & 0o777).toBe(0o600);
    const second = await startService(["--port", port, "--state", state]);
    const heard = await listenJson(cwd, service, ["--count", "1"]);
    expect(heard.records).toMatchObject([{ isNew: false }, { title: "while you were out" }]);
    second.child.kill("SIGKILL");
    await second.ended;
  }, 30_000);

  test("listen comes back by itself when the service does", async () => {
    const cwd = await openProject();
    const state = join(cwd, "state");
    const first = await startService(["--port", "0", "--state", state]);
    const service = first.origin.replace("http", "ws");
    const listener = startCli(["listen", "--service", service, "--save", "me", "--count", "1"], { cwd });
    await listener.said("Waiting");
    first.child.kill("SIGTERM");
    await first.ended;
    await listener.said("connection lost");
    await startService(["--port", new URL(first.origin).port, "--state", state]);
    expect((await sendJson(["--to", "me", "back again"], { cwd })).exitCode).toBe(0);
    const { exitCode, stdout } = await listener.ended;
    expect(stdout).toMatch(/back again\n$/);
    expect(exitCode).toBe(0);
  }, 30_000);
});
