/**
 * The server without HTTP: everything it needs opened, and its resources as plain functions.
 *
 * http.js puts the routes to work with its framework: `handle` takes `{ body, headers, params }` and answers
 * `{ status, body }`, or throws a Refusal.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createBroadcasts } from "./broadcasts.js";
import { shorten } from "./log.js";
import { Refusal } from "./refusal.js";
import { readBeacon, readEndpoint, readMessage, readSubscription } from "./requests.js";
import { createSender } from "./sender.js";
import { openStore } from "./store.js";

const hourMs = 3_600_000;

/** Requests of one address in a minute. A broadcast comes back as two beacons from each browser behind it. */
export const limits = { pages: 60, tests: 10, beacons: 300, sends: 60 };
/** The largest body in bytes. */
export const maxBodyBytes = 16 * 1024;

/** What the page's own "Send me a test" shows. */
const testPush = {
  payload: JSON.stringify({ title: "Test push", body: "Notifications work in this browser." }),
  options: { TTL: 60, urgency: "high" },
};

/**
 * @param {ReturnType<import("./config.js").readConfig>} config
 * @param {{ log: import("./log.js").Log, sending?: object, now?: () => number }} options
 */
export function openService(config, { log, sending, now }) {
  const store = openStore(config, now);
  const sender = createSender(config, sending);
  const broadcasts = createBroadcasts({ store, sender, log, concurrency: config.concurrency });
  let pruning;
  const health = () => {
    store.count(); // throws when the database does not work
    return ok({ status: "ok" });
  };

  return {
    config,
    log,
    routes: [
      ...pageRoutes({ config, store, sender, log }),
      ...(config.sendToken ? sendRoutes({ config, store, broadcasts }) : []),
      { method: "GET", path: "/healthz", handle: health },
    ],
    /** Begins what goes on by itself. Call it when the port is ours: of two servers, one must not send. */
    start() {
      store.prune();
      pruning = setInterval(() => store.prune(), hourMs);
      broadcasts.start();
    },
    async close() {
      clearInterval(pruning);
      await broadcasts.stop();
      sender.close();
      store.close();
    },
  };
}

/** What the page and its service worker talk to. They send JSON, and from this site only. */
function pageRoutes({ config, store, sender, log }) {
  const { api, keys } = config;
  const route = (method, path, limit, handle) => ({ method, path: api + path, limit, isPage: true, handle });
  return [
    { method: "GET", path: `${api}/key`, handle: () => ok({ publicKey: keys.current.publicKey }) },
    route("POST", "/subscriptions", "pages", ({ body }) => {
      const subscription = readSubscription(body, config);
      const { outcome, id } = store.register(subscription);
      if (outcome === "full") throw new Refusal(507, "store-full", "no more subscriptions are taken");
      if (outcome === "added") log("subscribed", { id, endpoint: shorten(subscription.endpoint) });
      return { status: outcome === "added" ? 201 : 200, body: { id, outcome } };
    }),
    route("DELETE", "/subscriptions", "pages", ({ body }) => {
      const id = store.remove(readEndpoint(body));
      if (id !== undefined) log("unsubscribed", { id });
      return ok({ id: id ?? null });
    }),
    route("POST", "/test", "tests", async ({ body }) => {
      const row = store.find(readEndpoint(body));
      // Not 404: the page takes that for plain file hosting, with no server behind it.
      if (!row) throw new Refusal(409, "not-stored", "no stored subscription has this endpoint");
      // The page waits for the answer: one attempt has to do.
      const result = await sender.deliver(row, testPush, { attempts: 1 });
      store.record(row, result);
      const { outcome, status = null } = result;
      log("tested", { id: row.id, outcome, detail: result.detail });
      if (outcome === "accepted") return ok({ id: row.id, outcome, status });
      return {
        status: 502,
        body: { error: outcome, message: "the push service refused it", id: row.id, status },
      };
    }),
    route("POST", "/events", "beacons", ({ body }) => {
      log("beacon", readBeacon(body));
      return { status: 204 };
    }),
  ];
}

/** For your application, with SEND_TOKEN: a broadcast is taken at once and sent in the background. */
function sendRoutes({ config: { api, sendToken }, store, broadcasts }) {
  return [
    {
      method: "POST",
      path: `${api}/send`,
      limit: "sends",
      handle: ({ body, headers }) => {
        checkToken(headers, sendToken);
        const id = store.createBroadcast(readMessage(body));
        broadcasts.start();
        return { status: 202, body: { id } };
      },
    },
    {
      method: "GET",
      path: `${api}/send/:id`,
      limit: "sends",
      handle: ({ params, headers }) => {
        checkToken(headers, sendToken);
        const row = /^\d{1,15}$/.test(params.id) ? store.findBroadcast(Number(params.id)) : undefined;
        if (!row) throw new Refusal(404, "not-found", "there is no such broadcast");
        const { id, accepted, gone, failed } = row;
        return ok({ id, finished: row.finished_at !== null, accepted, gone, failed });
      },
    },
  ];
}

function checkToken({ authorization = "" }, token) {
  // Hashes have one length, so that comparing takes the same time whatever was sent.
  const hash = (text) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(hash(authorization), hash(`Bearer ${token}`))) return;
  throw new Refusal(401, "unauthorized", "the bearer token is missing or wrong");
}

function ok(body) {
  return { status: 200, body };
}
