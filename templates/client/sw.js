/**
 * The service worker: the part of your site that runs when no page is open.
 *
 * The browser starts it for each push, gives it a few seconds, and stops it again. So nothing may be kept in
 * variables between two events, and every asynchronous job must be handed to `event.waitUntil()`, or the browser
 * may stop the worker half way.
 *
 * One rule stands above the others: EVERY push must show a notification. Safari takes the subscription away after
 * three that did not, and Chrome shows an ugly notification of its own. That is why the code below would rather
 * show something plain than fail.
 */
"use strict";

/** Shown when a push says nothing (an empty push is allowed) or something this worker cannot read. */
const FALLBACK_TITLE = "New message";
const FALLBACK_BODY = "Open to see what is new.";

// A new version of this file takes over at once, instead of waiting until every tab of the site is closed. That is
// safe here because this worker serves no pages: it has no `fetch` handler, and needs none for push.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(handlePush(event)));
self.addEventListener("notificationclick", (event) => event.waitUntil(handleClick(event)));
self.addEventListener("notificationclose", (event) =>
  event.waitUntil(report("closed", idOf(event.notification))),
);
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(handleChange(event)));

// ---------------------------------------------------------------------------------------------- a push arrives

async function handlePush(event) {
  const receivedAt = Date.now();
  const message = readMessage(event);
  const { title, options } = message;

  // Show first, and do not touch the network before: on a bad connection a fetch could use up the time we have.
  const shown = await show(title, options);

  const id = options.data.id ?? null;
  await Promise.allSettled([
    setBadge(message.badge),
    tellPages({ type: "push", id, title, body: options.body, shown }),
    report("received", id, { at: receivedAt }),
    shown ? report("shown", id, { title }) : report("error", id),
  ]);
}

/** Turns any push into `{ title, options, badge }`. Never throws: the sender may have sent anything at all. */
function readMessage(event) {
  try {
    return describe(unpack(event));
  } catch {
    return describe({ fields: {} });
  }
}

/**
 * Finds the part of the push that describes the notification:
 *
 *   event.notification                       a declarative push marked `mutable`, already parsed by Safari
 *   { "web_push": 8030, "notification": {} } the same in a browser that leaves the parsing to us
 *   { "title": "", "body": "", "url": "" }   the flat style most sites used before
 *   anything else                            plain text, which becomes the body
 */
function unpack(event) {
  if (event.notification) return { fields: event.notification, badge: event.appBadge, declarative: true };

  const text = event.data?.text() ?? "";
  const json = parseJson(text);
  if (!isObject(json)) return { fields: { body: typeof json === "string" ? json : text } };

  const fields = isObject(json.notification) ? json.notification : json;
  // WebKit has looked for `app_badge` in both places, so senders write it in both.
  return { fields, data: json.data, badge: json.app_badge ?? fields.app_badge };
}

/**
 * What `showNotification()` may be given, and of which type. Only these are copied: a wrong type makes the browser
 * throw, and `title`, `navigate` and `app_badge`, which a declarative push also carries, are not options.
 */
const OPTION_TYPES = {
  body: "string",
  lang: "string",
  tag: "string",
  icon: "string",
  badge: "string",
  image: "string",
  silent: "boolean",
  renotify: "boolean",
  requireInteraction: "boolean",
  timestamp: "number",
};

function describe({ fields, data, badge, declarative = false }) {
  const options = { icon: "icons/icon-192.png", badge: "icons/badge-96.png" };
  for (const [name, type] of Object.entries(OPTION_TYPES)) {
    const value = fields[name];
    if (typeof value === type && value !== "") options[name] = value;
  }
  if (["auto", "ltr", "rtl"].includes(fields.dir)) options.dir = fields.dir;
  if (isListOfNumbers(fields.vibrate)) options.vibrate = fields.vibrate;

  const actions = readActions(fields.actions);
  if (actions.length > 0)
    options.actions = actions.map(({ action, title, icon }) => ({ action, title, icon }));

  options.data = readData(fields, data, actions);
  // The id doubles as the tag, so that a push delivered twice replaces itself instead of showing up twice.
  if (!options.tag && asText(options.data.id)) options.tag = asText(options.data.id);

  // Two combinations make `showNotification()` throw a TypeError.
  if (options.silent) delete options.vibrate;
  if (!options.tag) delete options.renotify;

  // Safari drops a replacement for a declarative notification that leads nowhere, so this one keeps `navigate`.
  if (declarative && asText(fields.navigate)) options.navigate = fields.navigate;

  const title = asText(fields.title);
  if (!options.body && !title) options.body = FALLBACK_BODY;
  return { title: title || FALLBACK_TITLE, options, badge };
}

/** Everything a later click needs has to travel in `data`, because the worker will have been stopped by then. */
function readData(fields, outerData, actions) {
  const given = fields.data ?? outerData;
  const data = isObject(given) ? { ...given } : given == null ? {} : { value: given };
  // `data.url` first: a sender who writes it means it, while `navigate` must be there in a declarative push, and
  // may be a mere ".", the start of the app.
  const url = asText(data.url) || asText(fields.navigate) || asText(fields.url);
  if (url) data.url = url;
  if (data.id === undefined && ["string", "number"].includes(typeof fields.id)) data.id = fields.id;
  const links = actions
    .filter(({ navigate }) => asText(navigate))
    .map(({ action, navigate }) => [action, navigate]);
  if (links.length > 0) data.actionUrls = Object.fromEntries(links);
  return data;
}

/** Buttons. Each must have both an `action` and a `title`, or the browser throws. */
function readActions(actions) {
  if (!Array.isArray(actions)) return [];
  return actions.filter((one) => asText(one?.action) && asText(one?.title));
}

/** Shows the notification; true when one is really on the screen. */
async function show(title, options) {
  const older = await withTag(options.tag);
  try {
    await self.registration.showNotification(title, options);
  } catch {
    // Some option was not to this browser's taste. Plain is better than nothing.
    const { body, data, navigate } = options;
    try {
      await self.registration.showNotification(title, navigate ? { body, data, navigate } : { body, data });
    } catch {
      return false; // The permission is gone: there is nothing left to show it with.
    }
  }
  // A notification replaces an older one with the same tag, except on Apple's platforms, where they pile up. There
  // the list has grown now, and we take the older ones away.
  if (older.length > 0 && (await withTag(options.tag)).length > older.length) {
    for (const notification of older) notification.close();
  }
  return true;
}

async function withTag(tag) {
  if (!tag) return [];
  try {
    return await self.registration.getNotifications({ tag });
  } catch {
    return [];
  }
}

/** The number on the app's icon, where the platform has one. Sent as 3 or "3"; 0 takes the badge away. */
async function setBadge(badge) {
  if (badge == null || !/^\d{1,9}$/.test(String(badge))) return;
  await self.navigator.setAppBadge?.(Number(badge));
}

// --------------------------------------------------------------------------------------------- someone clicks it

async function handleClick({ notification, action }) {
  notification.close(); // Android does not do it by itself.
  const url = targetOf(notification.data, action);
  try {
    await openOrFocus(url);
  } catch {
    // The browser would not let us open a window. There is nobody to tell but the log below.
  }
  await Promise.allSettled([
    tellPages({ type: "click", id: idOf(notification), action }),
    report("clicked", idOf(notification)),
  ]);
}

/**
 * Where a click leads: the pressed button's own address, else the notification's, else the start of the app. An
 * address of another origin is not followed: whoever gets hold of your VAPID key could otherwise send your
 * visitors to a copy of your site.
 */
function targetOf(data, action) {
  const scope = self.registration.scope;
  const links = data?.actionUrls;
  const wanted = action && isObject(links) && Object.hasOwn(links, action) ? links[action] : data?.url;
  try {
    const url = new URL(asText(wanted), scope);
    // `blob:https://your.site/…` has your origin too, so the protocol is looked at as well.
    return url.origin === self.location.origin && /^https?:$/.test(url.protocol) ? url.href : scope;
  } catch {
    return scope;
  }
}

/** Prefers a window that is open already: a new tab for each click soon becomes a crowd. */
async function openOrFocus(url) {
  // `includeUncontrolled`: windows that were opened before this worker took over count as well.
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const same = windows.find((client) => client.url === url);
  if (same) return same.focus();

  const other = windows.find((client) => client.url.startsWith(self.registration.scope));
  if (other) {
    // One click is good for one focus() or one openWindow(). navigate() costs nothing, so it goes first; if it
    // fails (it does for a window this worker does not control), the click is still there for openWindow().
    const moved = await other.navigate(url).catch(() => undefined);
    if (moved !== undefined) return (moved ?? other).focus();
  }
  return self.clients.openWindow(url);
}

// ---------------------------------------------------------------------------------- the subscription is replaced

/**
 * The browser has dropped the subscription or replaced it. Make a new one with the same key and tell the server
 * which old one it stands for. Not all browsers fire this event, and it may come while the server is down, so the
 * page checks again on every visit; here nothing needs to be tried twice.
 */
async function handleChange({ oldSubscription, newSubscription }) {
  const memory = await recall();
  if (memory.wanted === false) return;
  try {
    const key = oldSubscription?.options?.applicationServerKey ?? memory.publicKey;
    const fresh =
      newSubscription ??
      (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));

    const applicationServerKey = typeof key === "string" ? key : toBase64url(key);
    const oldEndpoint = oldSubscription?.endpoint ?? memory.endpoint ?? undefined;
    const saved = await post("/subscriptions", { ...fresh.toJSON(), applicationServerKey, oldEndpoint });
    if (saved) await remember({ ...memory, endpoint: fresh.endpoint });
    await tellPages({ type: "renewed" });
  } catch {
    // No permission any more, or no connection. The page will say so, and offer a button.
  }
}

// ----------------------------------------------------------------------------------- talking to server and pages

/**
 * A beacon, so that a sender under development can watch the message arrive. `type` is "received", "shown" (with
 * the title), "clicked", "closed" or "error". Remove this function and its calls if you do not want to know.
 */
async function report(type, id, { at = Date.now(), title } = {}) {
  await post("/events", { type, id, at, title });
}

/** True when the server took it. A failure is nobody's business here: the notification has been shown. */
async function post(path, body) {
  try {
    const { server } = await recall();
    if (!server) return false;
    const response = await fetch(server + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(4000), // iOS stops a worker that takes much longer than this.
    });
    return response.ok;
  } catch {
    return false;
  }
}

async function tellPages(message) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const client of windows) client.postMessage({ ...message, source: "webpush" });
}

/**
 * What the page has left for us: `{ server, publicKey, endpoint, wanted }`.
 *
 * A worker cannot see the page's variables, and it must work while no page is open. Settings in this file's
 * address (`sw.js?server=…`) would make a new worker whenever they change; settings in this file would have to be
 * kept in step by hand. So the page writes them to the Cache Storage, which both can reach and which, unlike
 * IndexedDB, needs only two lines. `push-client.js` has the same two lines. (If your own worker clears out old
 * caches, let it spare the one called "webpush".)
 */
async function recall() {
  try {
    const cache = await caches.open("webpush");
    const response = await cache.match(memoryUrl());
    return response ? await response.json() : {};
  } catch {
    return {};
  }
}

async function remember(memory) {
  const cache = await caches.open("webpush");
  await cache.put(memoryUrl(), new Response(JSON.stringify(memory)));
}

/** Only a name to file it under; nothing is ever fetched from there. */
function memoryUrl() {
  return new URL("webpush-memory", self.registration.scope).href;
}

// ------------------------------------------------------------------------------------------------- small helpers

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfNumbers(value) {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite);
}

function asText(value) {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function idOf(notification) {
  return notification.data?.id ?? null;
}

/** Keys travel as base64url: base64 with - and _ for + and /, and without the = at the end. */
function toBase64url(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
