/**
 * Fresh profiles in a row: each browser subscribes at an emulator, is sent one message, and must show it.
 *
 *     node bench/browsers.mjs [runs] [chromium|firefox]
 *
 * Uses the built program (`npm run build`). Prints a line per run, in milliseconds since the browser was started,
 * and exits 1 when a run failed.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { openBrowser } from "../dist/browsers/open.js";
import { startEmulator } from "../dist/emulator/emulator.js";
import {
  createKeyPair,
  createPushRequest,
  parseSubject,
  parseSubscription,
  signToken,
} from "../dist/index.js";
import { createScalar } from "../dist/protocol/vapid.js";

const runs = Number(process.argv[2] ?? 10);
const names = process.argv[3] === undefined ? ["chromium", "firefox"] : [process.argv[3]];
const limitMs = 120_000;
const clock = { now: () => Date.now() };
const random = { bytes: (length) => randomBytes(length) };
const pair = createKeyPair(random);

const page = `<!doctype html><title>Bench</title><script type="module">
await navigator.serviceWorker.register("/sw.js");
const { pushManager } = await navigator.serviceWorker.ready;
const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: "${pair.publicKey}" });
await fetch("/subscribed", { method: "POST", body: JSON.stringify(subscription) });
</script>`;
const worker = `addEventListener("push", (event) => event.waitUntil((async () => {
  await registration.showNotification(event.data.text());
  const [{ title }] = await registration.getNotifications();
  await fetch("/shown", { method: "POST", body: title });
})()));`;

/** A site whose page subscribes by itself; `heard(path)` resolves with what was posted there. */
async function openSite() {
  const posted = { "/subscribed": deferred(), "/shown": deferred() };
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      const isWorker = request.url === "/sw.js";
      response.writeHead(200, { "content-type": isWorker ? "text/javascript" : "text/html" });
      response.end(isWorker ? worker : page);
      return;
    }
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      posted[request.url]?.resolve(body);
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    heard: (path) => posted[path].promise,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

async function run(name) {
  const heard = deferred();
  const onEvent = ({ type }) => type === "user-agent-connected" && heard.resolve();
  const emulator = await startEmulator({ clock, random, onEvent });
  const site = await openSite();
  const startedAt = Date.now();
  const stop = AbortSignal.timeout(limitMs);
  const wiring = { port: emulator.port, spkiSha256: emulator.tls.spkiSha256 };
  const ready = name === "firefox" ? { ready: heard.promise } : {};
  let browser;
  try {
    browser = await openBrowser({
      name,
      executable: undefined,
      env: process.env,
      wiring,
      url: site.url,
      headless: true,
      signal: stop,
      ...ready,
    });
    const opened = Date.now() - startedAt;
    const subscription = JSON.parse(await inTime(site.heard("/subscribed"), stop));
    const subscribed = Date.now() - startedAt;
    const title = `message ${randomBytes(4).toString("hex")}`;
    const status = await send(subscription, title, emulator.origin);
    if (status !== 201) throw new Error(`the emulator answered ${status}`);
    const sent = Date.now();
    const shown = await inTime(site.heard("/shown"), stop);
    if (shown !== title) throw new Error(`"${shown}" was shown instead of "${title}"`);
    return { opened, subscribed, shown: Date.now() - sent };
  } finally {
    await browser?.close();
    site.close();
    await emulator.close();
  }
}

function inTime(promise, signal) {
  const late = new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("too late")), { once: true }),
  );
  return Promise.race([promise, late]);
}

async function send(json, text, origin) {
  // Chromium names Google's host; what counts is the path.
  const endpoint = new URL(new URL(json.endpoint).pathname, origin).href;
  const to = parseSubscription({ ...json, endpoint });
  const expiresAt = clock.now() + 3_600_000;
  const { subject } = parseSubject("mailto:bench@harbour.shop");
  const token = signToken({ audience: origin, subject, pair, expiresAt, encoding: to.contentEncoding });
  const message = { payload: Buffer.from(text), ttlSeconds: 60, urgency: undefined, topic: undefined };
  const material = { salt: random.bytes(16), privateKey: createScalar(random) };
  const { headers, body } = createPushRequest(message, to, token, material);
  const { "content-length": _length, ...rest } = headers;
  return (await fetch(endpoint, { method: "POST", headers: rest, body })).status;
}

let failures = 0;
for (const name of names) {
  for (let count = 1; count <= runs; count += 1) {
    try {
      const { opened, subscribed, shown } = await run(name);
      console.log(
        `${name} ${count}: page opened ${opened}, subscribed ${subscribed}, sent and shown ${shown} later`,
      );
    } catch (error) {
      failures += 1;
      console.log(`${name} ${count}: FAILED ${error.message}`);
    }
  }
}
console.log(`${names.length * runs - failures} of ${names.length * runs} passed`);
process.exitCode = failures === 0 ? 0 : 1;
