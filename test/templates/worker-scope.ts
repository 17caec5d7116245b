/**
 * A stand-in for the ServiceWorkerGlobalScope, for running templates/client/sw.js in `node:vm`.
 *
 * It records what the worker does and behaves like a browser where that matters: `showNotification()` throws the
 * TypeErrors of the specification, a notification replaces the one with its tag (unless `collapses` is off, as on
 * Apple's platforms), and an event is over when everything given to `waitUntil()` has settled.
 */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { clientFolder } from "./client.ts";

export const origin = "https://harbour.example";
export const scope = `${origin}/app/`;

interface ShownOptions extends Record<string, unknown> {
  data?: Record<string, unknown>;
  tag?: string;
}

interface FakeNotification {
  readonly title: string;
  readonly options: ShownOptions;
  readonly data: unknown;
  closed: boolean;
  close(): void;
}

export interface FakeWindow {
  url: string;
  readonly calls: string[];
  readonly messages: Record<string, unknown>[];
  focus(): Promise<FakeWindow>;
  navigate(url: string): Promise<FakeWindow | null>;
  postMessage(message: Record<string, unknown>): void;
}

interface FakeSubscription {
  readonly endpoint: string;
  readonly options: { readonly applicationServerKey: ArrayBuffer | null };
  toJSON(): object;
}

interface Request {
  readonly url: string;
  readonly body: Record<string, unknown>;
}

interface WorkerOptions {
  /** What the page has left in the Cache Storage; undefined: nothing. */
  readonly memory?: Record<string, unknown>;
  readonly collapses?: boolean;
  readonly windows?: FakeWindow[];
  /** Called before each showNotification; throw to refuse. */
  readonly onShow?: (title: string, options: ShownOptions) => void;
  readonly onFetch?: (url: string) => { ok: boolean };
  readonly onSubscribe?: (options: { applicationServerKey: unknown }) => FakeSubscription;
  readonly setAppBadge?: ((count: number) => Promise<void>) | undefined;
  readonly onOpen?: (url: string) => void;
}

type Handler = (event: unknown) => void;

export function startWorker(options: WorkerOptions = {}) {
  const notifications: FakeNotification[] = [];
  const requests: Request[] = [];
  const opened: string[] = [];
  const journal: string[] = []; // in which order things happened
  const handlers = new Map<string, Handler>();
  const windows = options.windows ?? [];
  const store = new Map<string, string>();
  if (options.memory) store.set(`${scope}webpush-memory`, JSON.stringify(options.memory));

  const registration = {
    scope,
    showNotification(title: string, given: ShownOptions = {}) {
      journal.push("show");
      try {
        checkLikeABrowser(title, given);
        options.onShow?.(title, given);
      } catch (error) {
        return Promise.reject(asError(error));
      }
      const replaced = notifications.findIndex((one) => given.tag && one.options.tag === given.tag);
      if (replaced >= 0 && options.collapses !== false) notifications.splice(replaced, 1);
      const notification: FakeNotification = {
        title,
        options: given,
        data: given.data ?? null,
        closed: false,
        close() {
          this.closed = true;
          notifications.splice(notifications.indexOf(this), 1);
        },
      };
      notifications.push(notification);
      return Promise.resolve();
    },
    getNotifications: ({ tag }: { tag?: string } = {}) =>
      Promise.resolve(notifications.filter((one) => !tag || one.options.tag === tag)),
    pushManager: {
      subscribe: (given: { applicationServerKey: unknown }) =>
        new Promise((resolve, reject) => {
          if (options.onSubscribe) resolve(options.onSubscribe(given));
          else reject(new DOMException("no", "NotAllowedError"));
        }),
    },
  };

  const self: Record<string, unknown> = {
    registration,
    location: { origin },
    navigator: { setAppBadge: options.setAppBadge },
    skipWaiting: () => Promise.resolve(),
    addEventListener: (type: string, handler: Handler) => handlers.set(type, handler),
    clients: {
      claim: () => Promise.resolve(),
      matchAll: () => Promise.resolve(windows),
      openWindow(url: string) {
        options.onOpen?.(url);
        opened.push(url);
        return Promise.resolve(null);
      },
    },
  };

  const context = createContext({
    self,
    URL,
    Response,
    AbortSignal,
    btoa,
    caches: {
      open: () =>
        Promise.resolve({
          match: (url: string) => Promise.resolve(store.has(url) ? new Response(store.get(url)) : undefined),
          put: async (url: string, response: Response) => store.set(url, await response.text()),
        }),
    },
    fetch(url: string, { body }: { body: string }) {
      journal.push("fetch");
      requests.push({ url, body: JSON.parse(body) as Record<string, unknown> });
      try {
        return Promise.resolve(options.onFetch?.(url) ?? { ok: true });
      } catch (error) {
        return Promise.reject(asError(error));
      }
    },
  });
  runInContext(readFileSync(`${clientFolder}sw.js`, "utf8"), context, { filename: "sw.js" });

  /** Fires an event and waits for all that was given to waitUntil(). Rejects if any of it does. */
  async function dispatch(type: string, event: object = {}): Promise<void> {
    const extended: Promise<unknown>[] = [];
    const handler = handlers.get(type);
    if (!handler) throw new Error(`the worker does not listen for ${type}`);
    handler({ ...event, waitUntil: (promise: Promise<unknown>) => extended.push(promise) });
    if (extended.length === 0) throw new Error(`nothing was given to waitUntil() of ${type}`);
    await Promise.all(extended);
  }

  return {
    notifications,
    requests,
    opened,
    journal,
    windows,
    dispatch,
    memory: () => JSON.parse(store.get(`${scope}webpush-memory`) ?? "{}") as Record<string, unknown>,
    /** Delivers a push: a string as it is, anything else as JSON, undefined as an empty push. */
    push(payload?: unknown) {
      const text = typeof payload === "string" ? payload : JSON.stringify(payload);
      const data = payload === undefined ? null : { text: () => text };
      return dispatch("push", { data });
    },
    click: (data: unknown, action = "") => {
      const notification = { data, closed: false, close: () => (notification.closed = true) };
      return dispatch("notificationclick", { notification, action }).then(() => notification);
    },
  };
}

export function fakeWindow(url: string, { controlled = true } = {}): FakeWindow {
  const window: FakeWindow = {
    url,
    calls: [],
    messages: [],
    focus() {
      window.calls.push("focus");
      return Promise.resolve(window);
    },
    navigate(to) {
      if (!controlled) return Promise.reject(new TypeError("not the active service worker of this window"));
      window.calls.push(`navigate ${to}`);
      window.url = to;
      return Promise.resolve(window);
    },
    postMessage: (message) => window.messages.push(message),
  };
  return window;
}

export function fakeSubscription(
  endpoint: string,
  applicationServerKey: ArrayBuffer | null = null,
): FakeSubscription {
  const json = { endpoint, expirationTime: null, keys: { p256dh: "p", auth: "a" } };
  return { endpoint, options: { applicationServerKey }, toJSON: () => json };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The conversions of WebIDL and the checks of the Notifications standard, as far as a payload can trip them. */
function checkLikeABrowser(title: unknown, options: ShownOptions): void {
  const fail = (why: string) => {
    throw new TypeError(`Failed to execute 'showNotification': ${why}`);
  };
  if (typeof title !== "string" || title === "") fail("a title is wanted");
  const { silent, vibrate, renotify, tag, dir, actions } = options;
  if (silent === true && vibrate !== undefined)
    fail("silent notifications must not specify vibration patterns");
  if (renotify === true && !tag)
    fail("notifications which set the renotify flag must specify a non-empty tag");
  if (dir !== undefined && !["auto", "ltr", "rtl"].includes(dir as string))
    fail("dir is no NotificationDirection");
  if (actions !== undefined) {
    if (!Array.isArray(actions)) fail("actions is no sequence");
    for (const action of actions as Record<string, unknown>[]) {
      if (action["action"] === undefined || action["title"] === undefined)
        fail("required member is undefined");
    }
  }
}
