import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { verifyVapid } from "../../../src/protocol/vapid-verification.ts";
import { ConnectProxy } from "../../support/connect-proxy.ts";
import { runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { ScriptedPushService, type ReceivedRequest } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, ourPair, sendJson } from "./sending.ts";

const certificate = fileURLToPath(new URL("../../support/tls/cert.pem", import.meta.url));

/** The claims of a request's token, whatever the scheme. */
function claimsOf(request: ReceivedRequest | undefined) {
  const [, token = ""] =
    /(?:t=|WebPush )([\w-]+\.[\w-]+\.[\w-]+)/.exec(request?.headers.authorization ?? "") ?? [];
  const [, claims = ""] = token.split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()) as {
    aud: string;
    exp: number;
    sub?: string;
  };
}

const keyOf = (request: ReceivedRequest | undefined): string | undefined =>
  /k=([\w-]+)/.exec(request?.headers.authorization ?? "")?.[1];

describe("headers", () => {
  test("all of them, and no others", async () => {
    await using service = await ScriptedPushService.start({});
    const { json } = createBrowser(service.endpoint());
    const argv = ["--ttl", "0", "--urgency", "high", "--topic", "news", "--subscription", json];
    await runMain(["send", "hi", ...argv], { cwd: await openProject() });
    const [request] = service.requests;
    expect({ ...request?.headers, authorization: "…" }).toEqual({
      ...{ ttl: "0", urgency: "high", topic: "news" },
      ...{ "content-type": "application/octet-stream", "content-encoding": "aes128gcm" },
      ...{ "content-length": String(request?.body.length), host: `127.0.0.1:${service.port}` },
      authorization: "…",
    });
    expect(request?.method).toBe("POST");
  });

  test("WNS gets its own for a TTL of 0", async () => {
    const { json } = createBrowser("https://db5.notify.windows.com/w/?token=Bw%2f%2b");
    const { stdout } = await runMain(["send", "hi", "--ttl", "0", "--dry-run", "--subscription", json], {
      cwd: await openProject(),
    });
    expect(stdout).toContain("  x-wns-cache-policy: no-cache\n");
  });

  test("aes128gcm and aesgcm side by side, each as its browser asks", async () => {
    await using service = await ScriptedPushService.start({}, {});
    const browsers = [
      createBrowser(service.endpoint("/new"), { name: "new" }),
      createBrowser(service.endpoint("/old"), { name: "old", contentEncoding: "aesgcm" }),
    ];
    await runMain(["send", "--payload", "hi", "--concurrency", "1"], {
      cwd: await openProject({ browsers }),
    });
    expect(service.requests.map(({ headers }) => headers["content-encoding"])).toEqual([
      "aes128gcm",
      "aesgcm",
    ]);
    for (const [index, browser] of browsers.entries())
      expect(browser.read(service.requests[index]).toString()).toBe("hi");
    expect(service.requests[0]?.headers).not.toHaveProperty("crypto-key");
    expect(service.requests[1]?.headers).toMatchObject({
      authorization: expect.stringMatching(/^WebPush /) as string,
      encryption: expect.stringMatching(/^salt=/) as string,
      "crypto-key": expect.stringMatching(/^dh=[\w-]+;p256ecdsa=[\w-]+$/) as string,
    });
  });

  test("--encoding goes before what the browser asks", async () => {
    await using service = await ScriptedPushService.start({});
    const browser = createBrowser(service.endpoint());
    await runMain(["send", "--payload", "hi", "--encoding", "aesgcm", "--subscription", browser.json], {
      cwd: await openProject(),
    });
    expect(service.requests[0]?.headers["content-encoding"]).toBe("aesgcm");
    expect(browser.read(service.requests[0]).toString()).toBe("hi");
  });

  test("every message has a salt and a key of its own", async () => {
    await using service = await ScriptedPushService.start({}, {});
    const { json } = createBrowser(service.endpoint());
    const cwd = await openProject();
    await runMain(["send", "hi", "--subscription", json], { cwd });
    await runMain(["send", "hi", "--subscription", json], { cwd });
    const [one, two] = service.requests.map(({ body }) => body.subarray(0, 86).toString("hex"));
    expect(one).not.toBe(two);
  });

  test("an endpoint is asked for byte for byte", async () => {
    await using service = await ScriptedPushService.start({});
    const { json } = createBrowser(service.endpoint("/a/../b//%2f%2F{x}[1-2]?q=%20&r=a'b"));
    await runMain(["send", "hi", "--subscription", json], { cwd: await openProject() });
    expect(service.requests[0]?.path).toBe("/a/../b//%2f%2F{x}[1-2]?q=%20&r=a'b");
  });
});

describe("tokens", () => {
  test("are valid, for the origin, for twelve hours, with the contact", async () => {
    await using service = await ScriptedPushService.start({});
    const { json } = createBrowser(service.endpoint());
    const before = Math.floor(Date.now() / 1000);
    await runMain(["send", "hi", "--subscription", json], { cwd: await openProject() });
    const claims = claimsOf(service.requests[0]);
    expect(claims).toMatchObject({ aud: `http://127.0.0.1:${service.port}`, sub: "mailto:push@ada.dev" });
    expect(claims.exp - before).toBeGreaterThanOrEqual(43_200);
    expect(claims.exp - before).toBeLessThan(43_200 + 60);
    const headers = { authorization: service.requests[0]?.headers.authorization ?? "" };
    expect(verifyVapid(headers, { audience: claims.aud, now: Date.now() })).toMatchObject({ ok: true });
  });

  test("are one for each origin and key", async () => {
    await using here = await ScriptedPushService.start({}, {}, {});
    await using there = await ScriptedPushService.start({});
    const older = samplePair("older");
    const browsers = [
      createBrowser(here.endpoint("/1"), { name: "1" }),
      createBrowser(here.endpoint("/2"), { name: "2", applicationServerKey: ourPair.publicKey }),
      createBrowser(here.endpoint("/3"), { name: "3", applicationServerKey: older.publicKey }),
      createBrowser(there.endpoint("/4"), { name: "4" }),
    ];
    const cwd = await openProject({ pairs: [older, ourPair], browsers });
    expect((await runMain(["send", "hi"], { cwd })).exitCode).toBe(0);
    const by = new Map(here.requests.map((request) => [request.path, request]));
    expect(by.get("/1")?.headers.authorization).toBe(by.get("/2")?.headers.authorization);
    expect([by.get("/1"), by.get("/3"), there.requests[0]].map(keyOf)).toEqual([
      ourPair.publicKey,
      older.publicKey,
      ourPair.publicKey,
    ]);
    expect(claimsOf(there.requests[0]).aud).toBe(`http://127.0.0.1:${there.port}`);
  });

  test("of the environment's pair, before the project's; the project's stays for what was made with it", async () => {
    await using service = await ScriptedPushService.start({}, {});
    const theirs = samplePair("of CI");
    const browsers = [
      createBrowser(service.endpoint("/1"), { name: "1" }),
      createBrowser(service.endpoint("/2"), { name: "2", applicationServerKey: ourPair.publicKey }),
    ];
    const env = { VAPID_PRIVATE_KEY: theirs.privateKey.reveal(), VAPID_SUBJECT: "mailto:ci@ada.dev" };
    await runMain(["send", "hi", "--concurrency", "1"], { cwd: await openProject({ browsers }), env });
    expect(service.requests.map(keyOf)).toEqual([theirs.publicKey, ourPair.publicKey]);
    expect(claimsOf(service.requests[0]).sub).toBe("mailto:ci@ada.dev");
  });

  test("of flags, as the web-push tool has them, without a project", async () => {
    await using service = await ScriptedPushService.start({});
    const { endpoint, p256dh, auth } = createBrowser(service.endpoint()).subscription;
    const { exitCode, stderr } = await runMain([
      ...["send", `--endpoint=${endpoint}`, `--key=${p256dh}`, `--auth=${auth.reveal()}`, "--payload=hi"],
      ...[`--vapid-pubkey=${ourPair.publicKey}`, `--vapid-pvtkey=${ourPair.privateKey.reveal()}`],
      ...["--vapid-subject=mailto:web-push@ada.dev", "--ttl=0"],
    ]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("warning: --vapid-pvtkey shows the private key");
    expect(keyOf(service.requests[0])).toBe(ourPair.publicKey);
    expect(claimsOf(service.requests[0]).sub).toBe("mailto:web-push@ada.dev");
  });

  test("of flags say what is odd about the contact", async () => {
    const { json } = createBrowser("https://push.ada.dev/1");
    const { stderr } = await runMain(
      ["send", "hi", "--vapid-subject", "push@ada.dev", "--subscription", json, "--dry-run"],
      {
        cwd: await openProject(),
      },
    );
    expect(stderr).toContain("note: added mailto:");
  });
});

describe("no redirect is followed", () => {
  test.each([301, 302, 307, 308])("%i", async (status) => {
    await using elsewhere = await ScriptedPushService.start();
    await using service = await ScriptedPushService.start({
      status,
      headers: { location: elsewhere.endpoint() },
    });
    const { json } = createBrowser(service.endpoint());
    const { exitCode, records } = await sendJson(["hi", "--subscription", json], {
      cwd: await openProject(),
    });
    expect({ exitCode, cause: records[0]?.cause }).toEqual({ exitCode: 1, cause: "http.redirect" });
  });
});

describe("proxies and certificates", () => {
  test("--ca makes a service's own certificate trusted", async () => {
    await using service = await ScriptedPushService.startTls({});
    const { json } = createBrowser(service.endpoint());
    const cwd = await openProject();
    copyFileSync(certificate, join(cwd, "ca.pem"));
    expect((await runMain(["send", "hi", "--subscription", json, "--ca", "ca.pem"], { cwd })).exitCode).toBe(
      0,
    );
  });

  /** Sends to a name that only a proxy can reach. */
  async function sendThroughProxy(argv: readonly string[], env: (proxy: string) => Record<string, string>) {
    await using service = await ScriptedPushService.startTls({});
    await using proxy = await ConnectProxy.start({ to: service.port });
    const { json } = createBrowser("https://eu.push.test/1");
    const all = [
      "hi",
      "--ca",
      certificate,
      "--subscription",
      json,
      ...argv.map((word) => word.replace("PROXY", proxy.url)),
    ];
    const ran = await sendJson(all, { cwd: await openProject(), env: env(proxy.url) });
    return { ...ran, targets: proxy.targets };
  }

  test.each<[string, readonly string[], (proxy: string) => Record<string, string>]>([
    ["--proxy", ["--proxy", "PROXY"], () => ({})],
    ["--proxy before HTTPS_PROXY", ["--proxy", "PROXY"], () => ({ HTTPS_PROXY: "http://127.0.0.1:9" })],
    ["HTTPS_PROXY", [], (proxy) => ({ HTTPS_PROXY: proxy })],
    ["https_proxy", [], (proxy) => ({ https_proxy: proxy })],
    ["ALL_PROXY", [], (proxy) => ({ ALL_PROXY: proxy })],
    ["WEBPUSH_PROXY", [], (proxy) => ({ WEBPUSH_PROXY: proxy })],
    ["a NO_PROXY of others", [], (proxy) => ({ HTTPS_PROXY: proxy, NO_PROXY: "example.org,localhost" })],
  ])("%s", async (_name, argv, env) => {
    const { exitCode, targets } = await sendThroughProxy(argv, env);
    expect({ exitCode, targets }).toEqual({ exitCode: 0, targets: ["eu.push.test:443"] });
  });

  test("NO_PROXY goes around it", async () => {
    await using proxy = await ConnectProxy.start({ to: 9 });
    const name = `${"a".repeat(64)}.push.test`;
    const { json } = createBrowser(`https://${name}/1`);
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: ".push.test" };
    const { records } = await sendJson(["hi", "--subscription", json], { cwd: await openProject(), env });
    expect({ cause: records[0]?.cause, targets: proxy.targets }).toEqual({ cause: "net.dns", targets: [] });
  });

  test("this machine is never asked through a proxy", async () => {
    await using service = await ScriptedPushService.start({});
    const { json } = createBrowser(service.endpoint());
    const env = { HTTPS_PROXY: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" };
    const { exitCode } = await runMain(["send", "hi", "--subscription", json], {
      cwd: await openProject(),
      env,
    });
    expect(exitCode).toBe(0);
  });

  test("what a proxy answers is not the service's word: its 410 marks nothing gone", async () => {
    await using proxy = await ConnectProxy.start({ to: 9, answer: 410 });
    const browsers = [createBrowser("https://eu.push.test/1", { name: "phone" })];
    const env = { HTTPS_PROXY: proxy.url };
    const { exitCode, records } = await sendJson(["hi"], { cwd: await openProject({ browsers }), env });
    expect({ exitCode, cause: records[0]?.cause }).toEqual({ exitCode: 6, cause: "net.connect" });
  });
});

describe("addresses that a stranger's endpoint must not lead to", () => {
  test.each([
    "https://10.0.0.1/push",
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00::1]/push",
    "https://[::ffff:192.168.0.1]/push",
    "https://2130706433.push.test:8443/push",
    "https://push.test:22/push",
  ])("%s", async (endpoint) => {
    const { exitCode, records } = await sendJson(["hi", "--subscription", createBrowser(endpoint).json], {
      cwd: await openProject(),
    });
    expect(exitCode).toBe(1);
    expect(records[0]).toMatchObject({ outcome: "blocked", cause: "endpoint.blocked", attempts: 0 });
    expect(records[0]?.advice).toContain("--allow-host");
  });

  test.each<[string, string, readonly string[]]>([
    ["--allow-private opens private addresses", "https://10.0.0.1/push", ["--allow-private"]],
    ["--allow-host opens one", "https://10.0.0.1/push", ["--allow-host", "10.0.0.1"]],
    ["--allow-host opens a port", "https://eu.push.test:8443/push", ["--allow-host", "eu.push.test:8443"]],
  ])("%s", async (_name, endpoint, argv) => {
    // A proxy that refuses shows that it was asked for, without a packet to that address.
    await using proxy = await ConnectProxy.start({ to: 9, answer: 403 });
    const { json } = createBrowser(endpoint);
    await sendJson(["hi", "--subscription", json, ...argv], {
      cwd: await openProject(),
      env: { HTTPS_PROXY: proxy.url },
    });
    expect(proxy.targets).toEqual([
      new URL(endpoint).port === "" ? `${new URL(endpoint).host}:443` : new URL(endpoint).host,
    ]);
  });

  test("--allow-private does not open other ports, nor --allow-host other hosts", async () => {
    const cwd = await openProject();
    const blocked = async (endpoint: string, ...argv: string[]) =>
      (await sendJson(["hi", "--subscription", createBrowser(endpoint).json, ...argv], { cwd })).records[0]
        ?.cause;
    expect(await blocked("https://10.0.0.1:22/push", "--allow-private")).toBe("endpoint.blocked");
    expect(await blocked("https://10.0.0.1/push", "--allow-host", "10.0.0.2")).toBe("endpoint.blocked");
  });
});
