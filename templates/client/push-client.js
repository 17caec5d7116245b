/**
 * The client module: everything a page must do to receive pushes, without touching the page itself.
 *
 *   import { open, resume, turnOn, turnOff } from "./push-client.js";
 *
 *   const session = await open(config);   // when the page loads: no question is asked
 *   let status = await resume(session);   // on every visit: where do we stand?
 *   button.onclick = async () => {
 *     status = await turnOn(session);     // only inside a click: now the browser asks
 *   };
 *
 * `resume`, `turnOn` and `turnOff` never throw. They return a status:
 *
 *   state     one word; words.js has the sentence for each
 *   record    when the state is "on": the subscription, as a server wants to have it
 *   delivery  when the server was asked: "saved", or why it does not have the record (see `ask`)
 *   error     what the browser said, for the developer
 */

/**
 * @typedef {{ publicKey: string, server: string | null, worker: string, subscribeTimeoutMs: number }} Config
 * @typedef {{ state: string, record?: object, delivery?: string, error?: Error }} Status
 * @typedef {{ config: Config, key?: string, registration?: ServiceWorkerRegistration, problem?: Status }} Session
 */

/**
 * Why push cannot work in this window, or null when it can. Looks only, asks nobody.
 *
 * @returns {"insecure" | "ios-tab" | "unsupported" | null}
 */
export function checkSupport() {
  // First, because on a page without https the browser hides the rest, and "unsupported" would be a wrong reason.
  if (!window.isSecureContext) return "insecure";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return null;
  // On an iPhone or iPad these exist only in a web app that was put on the home screen.
  return isAppleMobile() && !isInstalled() ? "ios-tab" : "unsupported";
}

/**
 * Gets everything ready that does not need the visitor: the key and the service worker.
 *
 * @param {Config} config
 * @returns {Promise<Session>} with a `problem` when something stands in the way
 */
export async function open(config) {
  const obstacle = checkSupport();
  if (obstacle) return { config, problem: { state: obstacle } };

  const key = await currentKey(config);
  try {
    decodeKey(key);
  } catch (error) {
    return { config, problem: { state: "bad-key", error } };
  }
  try {
    return { config, key, registration: await activeWorker(config.worker) };
  } catch (error) {
    return { config, problem: { state: "worker-failed", error } };
  }
}

/**
 * Finds out where we stand, and repairs what can be repaired without asking. Call it on every visit: browsers
 * replace and drop subscriptions, servers lose and delete them, and hardly anything tells you when they do.
 *
 * @param {Session} session
 * @returns {Promise<Status>}
 */
export async function resume(session) {
  if (session.problem) return session.problem;
  try {
    const memory = await recall(session);
    if (Notification.permission === "denied") return await forgetDenied(session, memory);

    const current = await session.registration.pushManager.getSubscription();
    if (current && memory.wanted === false) return await turnOff(session); // it failed half way the last time
    if (current && keyOf(current, session) === session.key) return await keep(session, current, memory);
    if (!current && !memory.wanted) return { state: "off" };

    // It was on, but the subscription is gone, or was made with a key the server no longer signs with. A browser
    // holds one subscription for a worker and refuses a second key (InvalidStateError), so the old one goes first.
    const oldEndpoint = memory.endpoint ?? current?.endpoint;
    await remember(session, { ...memory, endpoint: oldEndpoint, wanted: true });
    await current?.unsubscribe();
    if (Notification.permission !== "granted") return { state: "lost" };
    try {
      const fresh = await subscribe(session);
      return await keep(session, fresh, { ...memory, endpoint: oldEndpoint });
    } catch (error) {
      return { state: "lost", error }; // Safari wants a click even now. The page has a button for it.
    }
  } catch (error) {
    return { state: "failed", error };
  }
}

/**
 * Asks for permission where needed, subscribes, and gives the subscription to the server. Call it at once when
 * the visitor presses your button: after a pause, Safari and Firefox no longer believe in the press.
 *
 * @param {Session} session
 * @returns {Promise<Status>}
 */
export async function turnOn(session) {
  if (session.problem) return session.problem;
  // Asked apart from subscribe(), although that would ask as well: so the time a person takes to think does not
  // count as the push service being slow.
  const asks = Notification.permission === "default";
  const permission = asks ? await Notification.requestPermission() : Notification.permission;
  if (permission === "denied") return { state: "denied" };
  if (permission !== "granted") return { state: "dismissed" };
  try {
    const subscription = await subscribe(session);
    return await keep(session, subscription, await recall(session));
  } catch (error) {
    return { state: explain(error, asks), error };
  }
}

/**
 * Ends it on both sides: without the first half the browser would go on receiving, without the second the server
 * would go on sending.
 *
 * @param {Session} session
 * @returns {Promise<Status>}
 */
export async function turnOff(session) {
  if (session.problem) return session.problem;
  try {
    const memory = await recall(session);
    const current = await session.registration.pushManager.getSubscription();
    // Written down before the rest, so that no later visit turns it on again, whatever fails now.
    await remember(session, { endpoint: null, wanted: false });
    await current?.unsubscribe();
    const endpoint = current?.endpoint ?? memory.endpoint;
    const delivery = endpoint
      ? await ask(session.config, "DELETE", "/subscriptions", { endpoint })
      : undefined;
    return { state: "off", delivery };
  } catch (error) {
    return { state: "failed", error };
  }
}

/**
 * Asks the server for a push to this browser.
 *
 * @param {Session} session
 * @param {{ endpoint: string }} record
 * @returns {Promise<string>} "saved" when the server took the request, else why not (see `ask`)
 */
export function sendTest(session, { endpoint }) {
  return ask(session.config, "POST", "/test", { endpoint });
}

// ------------------------------------------------------------------------------------------------- subscribing

async function subscribe({ config, key, registration }) {
  // `userVisibleOnly` is a promise to show a notification for every push. Chrome and Safari insist on it. The key
  // goes in as bytes, which every version of every browser takes; not all take the base64url string.
  const options = { userVisibleOnly: true, applicationServerKey: decodeKey(key) };
  const attempt = () => within(config.subscribeTimeoutMs, registration.pushManager.subscribe(options));
  try {
    return await attempt();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    const stale = await registration.pushManager.getSubscription();
    if (!stale) throw error;
    await stale.unsubscribe();
    return attempt();
  }
}

/** What a refusal of subscribe() means. Only the names are standard, the messages are Chromium's. */
function explain(error, justAsked) {
  switch (error.name) {
    case "NotAllowedError":
      if (Notification.permission === "denied") return "denied";
      if (Notification.permission === "default") return "dismissed";
      // Allowed, and still refused. Right after the question this is Safari, for which the press has been used
      // up by the question: another press will do.
      return justAsked ? "press-again" : "refused";
    case "AbortError":
      return /permission denied/i.test(error.message) ? "private-window" : "no-push-service";
    case "InvalidAccessError": // 65 bytes, but not a point on the curve
    case "InvalidCharacterError":
    case "NotSupportedError":
      return "bad-key";
    case "InvalidStateError": // there is no active worker
      return "worker-failed";
    case "TimeoutError":
      return "timeout";
    default:
      return "failed";
  }
}

/** The permission was taken back in the browser's settings, so the server need not try any more. */
async function forgetDenied(session, memory) {
  if (memory.endpoint) await ask(session.config, "DELETE", "/subscriptions", { endpoint: memory.endpoint });
  if (memory.wanted) await remember(session, { endpoint: null, wanted: false });
  return { state: "denied" };
}

// -------------------------------------------------------------------------------------------------- the server

/** Gives the subscription to the server, and remembers what the server knows. */
async function keep(session, subscription, memory) {
  const record = toRecord(subscription, session.key);
  const oldEndpoint = memory.endpoint && memory.endpoint !== record.endpoint ? memory.endpoint : undefined;
  const delivery = await ask(session.config, "POST", "/subscriptions", { ...record, oldEndpoint });
  const known = delivery === "saved" ? record.endpoint : (memory.endpoint ?? null);
  await remember(session, { endpoint: known, wanted: true });
  return { state: "on", record, delivery };
}

/**
 * The subscription as a server needs it. `toJSON()` leaves the key out; with it the server knows which of its
 * keys to sign with, which matters from the day it has two.
 */
function toRecord(subscription, applicationServerKey) {
  const { endpoint, expirationTime = null, keys } = subscription.toJSON();
  return { endpoint, expirationTime, keys, applicationServerKey };
}

/**
 * One request to the server. Never throws. The answer in one word:
 *
 *   "saved"        it did what it was asked to
 *   "none"         config.server is null
 *   "absent"       something answers, but not our server: plain file hosting
 *   "unreachable"  nothing answers
 *   "refused"      our server answers, and says no
 *
 * @returns {Promise<"saved" | "none" | "absent" | "unreachable" | "refused">}
 */
async function ask({ server }, method, path, body) {
  if (!server) return "none";
  try {
    const response = await fetch(server + path, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if ([404, 405, 501].includes(response.status)) return "absent";
    // Some hosts answer every address with 200 and the start page.
    if (response.ok && response.headers.get("content-type")?.includes("text/html")) return "absent";
    return response.ok ? "saved" : "refused";
  } catch {
    return "unreachable";
  }
}

/** The key the server signs with today; the one in the config when there is no server to ask. */
async function currentKey({ server, publicKey }) {
  if (!server) return publicKey;
  try {
    const response = await fetch(`${server}/key`, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    const answer = response.ok ? await response.json() : {};
    decodeKey(answer.publicKey);
    return answer.publicKey;
  } catch {
    return publicKey;
  }
}

// ------------------------------------------------------------------------------------------------- the browser

/**
 * Registers the worker and waits until it runs. Not `navigator.serviceWorker.ready`: that one waits for ever when
 * the worker cannot be installed.
 */
async function activeWorker(url) {
  // "none": look for a new version of the worker past every HTTP cache.
  const registration = await navigator.serviceWorker.register(url, { updateViaCache: "none" });
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  await new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the service worker did not install"));
    });
  });
  return registration;
}

function isAppleMobile() {
  // An iPad says it is a Mac, but no Mac has a touch screen.
  const isTouchMac = navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
  return /iPad|iPhone|iPod/.test(navigator.userAgent) || isTouchMac;
}

function isInstalled() {
  return (
    navigator.standalone === true ||
    matchMedia("(display-mode: standalone), (display-mode: fullscreen)").matches
  );
}

/** Rejects with a TimeoutError when the promise has not settled by then. */
function within(milliseconds, promise) {
  let timer;
  const timeout = new Promise((_, reject) => {
    const late = new DOMException(`no answer within ${milliseconds / 1000} seconds`, "TimeoutError");
    timer = setTimeout(() => reject(late), milliseconds);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

// ------------------------------------------------------------------------------------------------------ memory

/**
 * What was true last time, and what the service worker needs to know: `{ server, publicKey, endpoint, wanted }`.
 * `endpoint` is the one the server has; `wanted` says whether the visitor has turned it on or off here. It lies in
 * the Cache Storage because the worker can read that too; see `recall` in sw.js.
 */
async function recall({ registration }) {
  try {
    const cache = await caches.open("webpush");
    const response = await cache.match(memoryUrl(registration));
    return response ? await response.json() : {};
  } catch {
    return {}; // Some private windows have no storage. All that is lost is the repair on the next visit.
  }
}

async function remember({ config, key, registration }, { endpoint, wanted }) {
  try {
    const memory = { server: config.server, publicKey: key, endpoint, wanted };
    const cache = await caches.open("webpush");
    await cache.put(memoryUrl(registration), new Response(JSON.stringify(memory)));
  } catch {
    // As above.
  }
}

function memoryUrl(registration) {
  return new URL("webpush-memory", registration.scope).href;
}

// -------------------------------------------------------------------------------------------------------- keys

/** base64url to bytes. Throws unless it is a P-256 public key: 65 bytes, of which the first is 4. */
function decodeKey(text) {
  if (!/^[\w-]{87}$/.test(text ?? ""))
    throw new Error(`the key has to be 87 characters of base64url: ${text}`);
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (bytes[0] !== 4) throw new Error(`the key is not an uncompressed P-256 public key: ${text}`);
  return bytes;
}

/** The key a subscription was made with. A browser that does not say is believed to have the right one. */
function keyOf(subscription, session) {
  const buffer = subscription.options?.applicationServerKey;
  if (!buffer) return session.key;
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
