/**
 * The server with everything around it, for one test: a push service on this machine, browsers that have
 * subscribed there, a database of its own. Nothing leaves the machine.
 */
import { createECDH, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { Agent } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { listen } from "../http.js";
import { readConfig } from "../lib/config.js";
import { openService } from "../lib/service.js";
import { settings } from "../lib/settings.js";

const home = fileURLToPath(new URL("..", import.meta.url));
export const { api } = settings;
export const sendToken = "a token that is long enough".replaceAll(" ", "-") + "-for-anything";

/** A key pair as `webpush keys` makes it. */
export function makeKeys() {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  // Node leaves zeros at the start of a private key out.
  const padded = Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32);
  return { publicKey: ecdh.getPublicKey("base64url"), privateKey: padded.toString("base64url") };
}

/** What a browser's PushSubscription is as JSON, with the key the page adds. */
export function subscribe(name, applicationServerKey) {
  const keys = { p256dh: makeKeys().publicKey, auth: randomBytes(16).toString("base64url") };
  const endpoint = `https://fcm.googleapis.com/fcm/send/${name}`;
  return { endpoint, expirationTime: null, keys, applicationServerKey };
}

/** A push service that answers what it is told to; 201 where it was told nothing. */
async function startPushService() {
  const requests = [];
  const answers = new Map();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const name = request.url.split("/").at(-1);
    const key = /k=([\w-]+)/.exec(request.headers.authorization)?.[1];
    const found = { name, headers: request.headers, key, bytes: Buffer.concat(chunks).length };
    requests.push(found);
    server.emit("message", found);
    const planned = answers.get(name) ?? [];
    const {
      status = 201,
      headers = {},
      body = "",
      until,
    } = planned.length > 1 ? planned.shift() : (planned[0] ?? {});
    await until;
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Whatever host an endpoint names, the connection leads here, and without TLS.
  const agent = new Agent();
  agent.createConnection = () => connect(server.address().port, "127.0.0.1");
  return {
    agent,
    requests,
    /** What the subscription `name` answers, one after the other; the last one from then on. */
    answer: (name, ...planned) => answers.set(name, planned),
    /** The next message that comes. */
    next: async () => (await once(server, "message"))[0],
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Opens the whole world; closed when the test ends. */
export async function openWorld(
  context,
  { env = {}, keys = makeKeys(), folder = makeFolder(context), now } = {},
) {
  const push = await startPushService();
  const environment = {
    VAPID_PUBLIC_KEY: keys.publicKey,
    VAPID_PRIVATE_KEY: keys.privateKey,
    VAPID_SUBJECT: "mailto:ops@example.com",
    SEND_TOKEN: sendToken,
    PORT: "0",
    DATABASE: join(folder, "webpush.db"),
    ...env,
  };
  const events = [];
  const heard = new EventEmitter();
  const config = readConfig(environment, { home, settings });
  const log = (event, details) => {
    events.push({ event, ...details });
    heard.emit(event, details);
  };
  const service = openService(config, { log, now, sending: { agent: push.agent, firstWaitMs: 1 } });
  const http = await listen(service, { host: "127.0.0.1", port: 0 });
  service.start();
  const origin = `http://127.0.0.1:${http.port}`;
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await http.close();
    await service.close();
    push.close();
  };
  context.after(close);

  const request = async (method, path, body, headers = {}) => {
    const response = await fetch(origin + path, {
      method,
      headers: { "content-type": "application/json", connection: "close", ...headers },
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: isJson(response) ? JSON.parse(text) : text,
    };
  };
  const bearer = { authorization: `Bearer ${sendToken}` };
  return {
    push,
    keys,
    folder,
    origin,
    events,
    request,
    close,
    /** What a query finds in the file. */
    query: (sql, ...values) => {
      const db = new Database(environment.DATABASE);
      const rows = db.prepare(sql).all(...values);
      db.close();
      return rows;
    },
    database: environment.DATABASE,
    register: (subscription, headers) => request("POST", `${api}/subscriptions`, subscription, headers),
    /** Sends to everybody, and answers the counts once that is done. */
    broadcast: async (message = { payload: { title: "Hello" } }) => {
      const { body } = await request("POST", `${api}/send`, message, bearer);
      const isFinished = ({ event, id }) => event === "broadcast-finished" && id === body.id;
      while (!events.some(isFinished)) await once(heard, "broadcast-finished");
      return (await request("GET", `${api}/send/${body.id}`, undefined, bearer)).body;
    },
    startBroadcast: (message) => request("POST", `${api}/send`, message, bearer),
  };
}

export function makeFolder(context) {
  const folder = mkdtempSync(join(tmpdir(), "push-server-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isJson(response) {
  return response.headers.get("content-type")?.includes("application/json") === true;
}
