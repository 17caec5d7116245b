/** The whole of web push around `webpush serve --emulator`: a page over HTTP, a receiver, and `webpush send`. */
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createReceiverKeys, decrypt } from "../../../src/protocol/decryption.ts";
import { formatSubscription } from "../../../src/protocol/subscription.ts";
import { parseVapidPublicKey } from "../../../src/protocol/vapid.ts";
import { subscribe } from "../../../src/receiver/http-receiver.ts";
import { channel, hello, register, type Frame } from "../../emulator/autopush-client.ts";
import { runMain } from "../../support/run-cli.ts";
import { seededRandom } from "../../support/test-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { sendJson, storedIn } from "../send/sending.ts";
import { asPage, startServeCli, type ServeCli } from "./serve-cli.ts";

const receiverKeys = createReceiverKeys(seededRandom("serve --emulator"));

/** The server with an emulator, where that is, and the key that pages subscribe with. */
async function startBoth(argv: readonly string[] = [], cwd = tempFolder()) {
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  const serve = await startServeCli(["--emulator", "--emulator-port", "0", "--json", ...argv], cwd);
  const { emulator, publicKey } = await serve.record({ type: "ready" });
  return { serve, emulator: String(emulator), publicKey: String(publicKey), cwd };
}

/** As the page: stores a subscription of our receiver's keys; answers its id. */
async function handIn(serve: ServeCli, endpoint: string, applicationServerKey: string): Promise<string> {
  const keys = { p256dh: receiverKeys.publicKey, auth: receiverKeys.auth.reveal() };
  const body = { endpoint, expirationTime: null, keys, applicationServerKey };
  const answer = await asPage(serve, "POST", "/webpush/subscriptions", body);
  expect(answer.ok).toBe(true);
  return ((await answer.json()) as { id: string }).id;
}

/** What a notification frame of autopush says, decrypted. */
function textOf(frame: Frame): string {
  const { encoding = "" } = frame["headers"] as Readonly<Record<string, string>>;
  const body = Buffer.from(String(frame["data"]), "base64url");
  return Buffer.from(decrypt(body, { "content-encoding": encoding }, receiverKeys)).toString();
}

test("over RFC 8030: subscribed, stored, sent, received; unsubscribed, gone, pruned", async () => {
  const { serve, emulator, publicKey, cwd } = await startBoth();
  const options = { applicationServerKey: parseVapidPublicKey(publicKey) };
  await using receiver = await subscribe(emulator, options, receiverKeys);
  const { endpoint } = formatSubscription(receiver.subscription);
  const id = await handIn(serve, endpoint, publicKey);

  const sent = await sendJson(["Hello"], { cwd, stdin: "" });
  expect(sent.records).toMatchObject([{ id, outcome: "accepted", status: 201 }]);
  expect(sent.exitCode).toBe(0);
  const messages = receiver.receive();
  const { value: message } = await messages.next();
  expect(message).toMatchObject({ kind: "message" });
  if (message?.kind !== "message") throw new Error("nothing was received");
  expect(JSON.parse(Buffer.from(message.payload ?? []).toString())).toMatchObject({
    notification: { title: "Hello" },
  });
  await serve.record({ type: "acknowledged" });

  const tested = await asPage(serve, "POST", "/webpush/test", { endpoint });
  expect(tested.status).toBe(200);
  expect(await tested.json()).toMatchObject({ id, outcome: "accepted", status: 201, cause: "ok" });
  expect((await messages.next()).value).toMatchObject({ kind: "message" });

  await receiver.unsubscribe();
  const refused = await asPage(serve, "POST", "/webpush/test", { endpoint });
  expect(refused.status).toBe(502);
  expect(await refused.json()).toMatchObject({ outcome: "gone", status: 410 });
  const gone = await sendJson(["--to", id, "Hello again"], { cwd, stdin: "" });
  expect(gone.records).toMatchObject([{ id, outcome: "gone", status: 410 }]);
  expect(gone.exitCode).toBe(5);
  expect((await storedIn(cwd)).get(id)?.gone).toBeDefined();
  expect((await runMain(["send", "Anybody?"], { cwd, stdin: "" })).stderr).toContain(
    "there is nobody to send to",
  );
  expect((await serve.stop()).exitCode).toBe(0);
});

test("a page that unsubscribes at its push service alone: the next send says gone, exits 5, and prunes", async () => {
  const { serve, emulator, publicKey, cwd } = await startBoth();
  const { client } = await hello(emulator);
  const endpoint = await register(client, channel(1), publicKey);
  const id = await handIn(serve, endpoint, publicKey);

  const { exitCode } = await runMain(["send", "Hello"], { cwd, stdin: "" });
  expect(exitCode).toBe(0);
  const frame = await client.next();
  expect(JSON.parse(textOf(frame))).toMatchObject({ notification: { title: "Hello" } });
  client.ack(frame, 100);
  await serve.record({ type: "acknowledged", code: 100 });

  await client.ask({ messageType: "unregister", channelID: channel(1), code: 200 });
  const gone = await runMain(["send", "Hello again"], { cwd, stdin: "" });
  expect(gone.exitCode).toBe(5);
  expect(gone.stderr).toContain("marked 1 subscription gone");
  expect((await storedIn(cwd)).get(id)?.gone).toBeDefined();
});

test("an endpoint that names Google's host is the emulator's when it knows the token, for the page and for send", async () => {
  const { serve, emulator, publicKey, cwd } = await startBoth();
  const { client } = await hello(emulator);
  const token = (await register(client, channel(1), publicKey)).split("/").at(-1) ?? "";
  const atGoogle = `https://jmt17.google.com/fcm/send/${token}`;
  const id = await handIn(serve, atGoogle, publicKey);
  expect(await handIn(serve, atGoogle, publicKey)).toBe(id);
  expect((await storedIn(cwd)).get(id)?.subscription.endpoint).toBe(`${emulator}/fcm/send/${token}`);

  const sent = await sendJson(["Hello"], { cwd, stdin: "" });
  expect(sent.records).toMatchObject([{ id, outcome: "accepted", status: 201, service: "fcm" }]);
  expect(JSON.parse(textOf(await client.next()))).toMatchObject({ notification: { title: "Hello" } });
  expect((await asPage(serve, "POST", "/webpush/test", { endpoint: atGoogle })).status).toBe(200);
  await asPage(serve, "DELETE", "/webpush/subscriptions", { endpoint: atGoogle });
  expect(await storedIn(cwd)).toEqual(new Map());
});

test("a restart loses no subscription, and no message that waits", async () => {
  const { serve, emulator, publicKey, cwd } = await startBoth();
  const { client, uaid } = await hello(emulator);
  await handIn(serve, await register(client, channel(1), publicKey), publicKey);
  client.socket.terminate();
  await serve.record({ type: "user-agent-disconnected" });
  expect((await runMain(["send", "While you were away"], { cwd, stdin: "" })).exitCode).toBe(0);
  expect((await serve.stop()).exitCode).toBe(0);

  const file = join(cwd, ".webpush/emulator/emulator.json");
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(readFileSync(join(cwd, ".webpush/.gitignore"), "utf8")).toBe("*\n");
  const second = await startBoth(["--emulator-port", new URL(emulator).port], cwd);
  const returned = await hello(second.emulator, uaid);
  expect(returned.uaid).toBe(uaid);
  expect(JSON.parse(textOf(await returned.client.next()))).toMatchObject({
    notification: { title: "While you were away" },
  });
});

test("without a project of its own, the state folder it makes is hidden from git all the same", async () => {
  const cwd = tempFolder();
  const { stdout } = await runMain(["keys", "--print", "--json"], { cwd });
  const { privateKey } = JSON.parse(stdout) as { privateKey: string };
  const env = { VAPID_PRIVATE_KEY: privateKey };
  const serve = await startServeCli(["--emulator", "--emulator-port", "0"], cwd, env);
  expect((await serve.stop()).exitCode).toBe(0);
  expect(readFileSync(join(cwd, ".webpush/.gitignore"), "utf8")).toBe("*\n");
});

test("a port of the emulator's that is taken is said, with the flag that helps", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { exitCode, stderr } = await runMain([
    "serve",
    "--port",
    "0",
    "--emulator",
    "--emulator-port",
    String(port),
  ]);
  expect(stderr).toContain(
    `error: the emulator cannot start: port ${port} of 127.0.0.1 is taken by another program\n`,
  );
  expect(stderr).toContain("hint: stop the other program, or add --emulator-port 0 for any free port");
  expect(exitCode).toBe(1);
});

test("its log stands between the server's own lines", async () => {
  const cwd = tempFolder();
  const serve = await startServeCli(["--emulator", "--emulator-port", "0"], cwd);
  const [, emulator = ""] = /push {5}(\S+),/.exec(serve.stderr()) ?? [];
  const { publicKey } = (await (await fetch(`${serve.origin}/webpush/key`)).json()) as { publicKey: string };
  const { client } = await hello(emulator);
  const endpoint = await register(client, channel(1), publicKey);
  const id = await handIn(serve, endpoint, publicKey);
  const { stdout } = await serve.stop();
  const label = `…${endpoint.slice(-6)}`;
  expect(stdout.split("\n").map((line) => line.slice(14))).toEqual([
    expect.stringMatching(/hello from new user agent/),
    `${label}  subscribed as mozilla for the key ${publicKey.slice(0, 12)}…`,
    `${label}  receiver connected`,
    `${label}  page subscribed at ${new URL(endpoint).host}, stored as ${id}`,
    ...["", ""].map(() => expect.any(String) as string),
    "",
  ]);
});
