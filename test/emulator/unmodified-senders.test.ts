/** Senders that know nothing of the emulator: they are given a certificate to trust, and perhaps a proxy. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { createReceiverKeys } from "../../src/protocol/decryption.ts";
import { formatSubscription, parseSubscription, type Subscription } from "../../src/protocol/subscription.ts";
import { subscribe } from "../../src/receiver/http-receiver.ts";
import { openProject, ourPair, sendJson, type Browser } from "../commands/send/sending.ts";
import { tempFolder } from "../support/temp-folder.ts";

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const clock = { now: () => Date.now() }; // senders sign for the real time
const webPushPath = createRequire(import.meta.url).resolve("web-push");
const vapid = {
  subject: "mailto:ops@harbour.shop",
  publicKey: ourPair.publicKey as string,
  privateKey: ourPair.privateKey.reveal(),
};

/** An emulator with one subscription on it, and the file that senders are to trust. */
async function openPlace() {
  const emulator = await startEmulator({ clock, random });
  const restricted = { applicationServerKey: ourPair.publicKey };
  const receiver = await subscribe(emulator.origin, restricted, createReceiverKeys(random));
  const caPath = join(tempFolder(), "ca.pem");
  writeFileSync(caPath, emulator.tls.caPem);
  const token = new URL(receiver.subscription.endpoint).pathname.replace("/push/", "");
  return {
    emulator,
    caPath,
    /** The subscription as if a browser had written its endpoint so. */
    at: (endpoint: (place: { host: string; token: string }) => string): Subscription => {
      const host = `127.0.0.1:${emulator.port}`;
      const json = formatSubscription(receiver.subscription);
      return parseSubscription({ ...json, endpoint: endpoint({ host, token }) });
    },
    /** The next message, decrypted. */
    async received(): Promise<string> {
      for await (const message of receiver.receive(AbortSignal.timeout(20_000)))
        return message.kind === "message" ? Buffer.from(message.payload ?? "").toString() : message.kind;
      return "nothing";
    },
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await emulator.close();
    },
  };
}

/** Runs Node in an environment of nothing but `env`; answers what it printed, on both streams. */
function runNode(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { env, cwd: tempFolder() }, (_error, stdout, stderr) => {
      resolve(`${stdout}${stderr}`);
    });
  });
}

/** What any server does that uses web-push; the subscription and options are its arguments. */
const script = `
  const webPush = require(${JSON.stringify(webPushPath)});
  const [subscription, options] = process.argv.slice(1).map((text) => JSON.parse(text));
  webPush.sendNotification(subscription, "hello from web-push", options).then(
    ({ statusCode, headers }) => console.log(statusCode, headers.location),
    (error) => console.log(error.statusCode ?? error.code ?? error.message, error.body ?? ""),
  );
`;

function sendByWebPush(
  subscription: Subscription,
  env: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const given = [formatSubscription(subscription), { vapidDetails: vapid, TTL: 60, ...options }];
  return runNode(["-e", script, ...given.map((value) => JSON.stringify(value))], env);
}

/** Endpoints as browsers write them. */
const vendorEndpoints: readonly [string, (place: { token: string }) => string][] = [
  ["Chrome", ({ token }) => `https://fcm.googleapis.com/fcm/send/${token}`],
  ["Chromium", ({ token }) => `https://jmt17.google.com/fcm/send/${token}`],
  ["Firefox", ({ token }) => `https://updates.push.services.mozilla.com/wpush/v2/${token}`],
  ["Safari", ({ token }) => `https://web.push.apple.com/${token}`],
  ["Edge", ({ token }) => `https://wns2-par02p.notify.windows.com/w/?token=${token}`],
];

describe("web-push as it is", () => {
  test.each([
    ["http", ({ host, token }: { host: string; token: string }) => `http://${host}/push/${token}`],
    ["https", ({ host, token }: { host: string; token: string }) => `https://${host}/push/${token}`],
  ])("reaches an %s endpoint of this machine once told what to trust", async (_scheme, endpoint) => {
    await using place = await openPlace();
    const said = await sendByWebPush(place.at(endpoint), { NODE_EXTRA_CA_CERTS: place.caPath });
    expect(said).toContain(`201 ${place.emulator.httpsOrigin}/message/`);
    expect(await place.received()).toBe("hello from web-push");
  });

  test("is not told what to trust: it refuses us, and nothing arrives", async () => {
    await using place = await openPlace();
    const subscription = place.at(({ host, token }) => `https://${host}/push/${token}`);
    expect(await sendByWebPush(subscription, {})).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(place.emulator.service.subscriptions()[0]).toMatchObject({ waiting: 0 });
  });

  test.each(vendorEndpoints)("reaches an endpoint of %s through the proxy", async (_browser, endpoint) => {
    await using place = await openPlace();
    const env = { NODE_EXTRA_CA_CERTS: place.caPath };
    const said = await sendByWebPush(place.at(endpoint), env, { proxy: place.emulator.origin });
    expect(said).toMatch(/^201 /);
    expect(await place.received()).toBe("hello from web-push");
  });

  test("its command line sends too, directly and through the proxy", async () => {
    await using place = await openPlace();
    const cli = join(webPushPath, "../cli.js");
    const send = (subscription: Subscription, ...more: readonly string[]) => {
      const { endpoint, keys } = formatSubscription(subscription);
      const flags = [
        `--endpoint=${endpoint}`,
        `--key=${keys.p256dh}`,
        `--auth=${keys.auth}`,
        `--vapid-subject=${vapid.subject}`,
        `--vapid-pubkey=${vapid.publicKey}`,
        `--vapid-pvtkey=${vapid.privateKey}`,
        "--payload=hello from its command line",
        "--ttl=60",
        ...more,
      ];
      return runNode([cli, "send-notification", ...flags], { NODE_EXTRA_CA_CERTS: place.caPath });
    };
    const own = place.at(({ host, token }) => `http://${host}/push/${token}`);
    expect(await send(own)).toContain("Push message sent.");
    expect(await place.received()).toBe("hello from its command line");
    const chrome = place.at(({ token }) => `https://fcm.googleapis.com/fcm/send/${token}`);
    expect(await send(chrome, `--proxy=${place.emulator.origin}`)).toContain("Push message sent.");
    expect(await place.received()).toBe("hello from its command line");
  });
});

/** A project's record of it; who reads the messages is the receiver. */
function browserAt(subscription: Subscription): Browser {
  return { name: "me", subscription, json: "", read: () => Buffer.of() };
}

describe("webpush send", () => {
  test.each(vendorEndpoints)(
    "reaches an endpoint of %s with HTTPS_PROXY and --ca",
    async (_browser, endpoint) => {
      await using place = await openPlace();
      const cwd = await openProject({
        browsers: [browserAt(place.at(endpoint))],
      });
      const argv = ["--to", "me", "--ca", place.caPath, "--title", "hello"];
      const { records } = await sendJson(argv, { cwd, env: { HTTPS_PROXY: place.emulator.origin } });
      expect(records).toMatchObject([{ outcome: "accepted", status: 201 }]);
      expect(JSON.parse(await place.received())).toMatchObject({ notification: { title: "hello" } });
    },
  );

  test("reaches an https endpoint of this machine with --ca", async () => {
    await using place = await openPlace();
    const subscription = place.at(({ host, token }) => `https://${host}/push/${token}`);
    const cwd = await openProject({ browsers: [browserAt(subscription)] });
    const { records } = await sendJson(["--to", "me", "--ca", place.caPath, "--title", "hello"], { cwd });
    expect(records).toMatchObject([{ outcome: "accepted", status: 201 }]);
  });
});
