/**
 * The parts of a browser window that templates/client/push-client.js touches, as a scripted fake.
 *
 * The fake push manager behaves like a browser's: one subscription at a time, `InvalidStateError` for a second
 * key, and whatever refusal the test asks for.
 */
import { vi } from "vitest";

const scope = "https://harbour.example/";

export interface BrowserOptions {
  readonly permission?: NotificationPermissionName;
  /** What the visitor answers to the browser's question. */
  readonly answer?: NotificationPermissionName;
  /** The subscription the browser has already. */
  readonly subscription?: { endpoint: string; key: string };
  readonly memory?: Record<string, unknown>;
  /** Called for each subscribe(); return an error to refuse, "never" to stay silent, undefined to succeed. */
  readonly onSubscribe?: () => Error | "never" | undefined;
  readonly onRegister?: () => Error | "redundant" | "installing" | undefined;
  readonly onFetch?: (request: FetchedRequest) => Response | undefined;
  readonly secure?: boolean;
  /** "tab" and "app" are an iPhone without and with the home screen. */
  readonly device?: "desktop" | "ios-tab" | "ios-app" | "ipad-tab" | "old";
  readonly cachesFail?: boolean;
}

type NotificationPermissionName = "default" | "granted" | "denied";

export interface FetchedRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Record<string, unknown>;
}

export function installBrowser(options: BrowserOptions = {}) {
  let permission = options.permission ?? "default";
  let made = 0;
  const journal: string[] = [];
  const requests: FetchedRequest[] = [];
  const store = new Map<string, string>();
  if (options.memory) store.set(`${scope}webpush-memory`, JSON.stringify(options.memory));

  let current: ReturnType<typeof subscriptionOf> | null = null;
  function subscriptionOf(endpoint: string, key: string) {
    return {
      endpoint,
      key,
      options: { applicationServerKey: new Uint8Array(Buffer.from(key, "base64url")).buffer },
      toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh: "p", auth: "a" } }),
      unsubscribe() {
        journal.push(`unsubscribe ${endpoint}`);
        current = null;
        return Promise.resolve(true);
      },
    };
  }
  if (options.subscription) current = subscriptionOf(options.subscription.endpoint, options.subscription.key);

  const pushManager = {
    getSubscription: () => Promise.resolve(current),
    subscribe({ applicationServerKey }: { applicationServerKey: Uint8Array }) {
      const key = Buffer.from(applicationServerKey).toString("base64url");
      journal.push("subscribe");
      const refusal = options.onSubscribe?.();
      if (refusal === "never") return new Promise(() => undefined);
      if (refusal) return Promise.reject(refusal);
      if (current && current.key !== key) return Promise.reject(new DOMException("key", "InvalidStateError"));
      made += 1;
      current ??= subscriptionOf(`https://push.example/${made}`, key);
      return Promise.resolve(current);
    },
  };

  const worker = Object.assign(new EventTarget(), { state: "installing" });
  const registration = { scope, pushManager, active: null as unknown, installing: null as unknown };
  const serviceWorker = {
    register(url: string) {
      journal.push(`register ${url}`);
      const outcome = options.onRegister?.();
      if (outcome instanceof Error) return Promise.reject(outcome);
      if (outcome === undefined) registration.active = worker;
      else {
        registration.installing = worker;
        setImmediate(() => {
          worker.state = outcome === "redundant" ? "redundant" : "activated";
          worker.dispatchEvent(new Event("statechange"));
        });
      }
      return Promise.resolve(registration);
    },
  };

  const Notification = {
    get permission() {
      return permission;
    },
    requestPermission() {
      journal.push("ask");
      permission = options.answer ?? "granted";
      return Promise.resolve(permission);
    },
  };

  const device = options.device ?? "desktop";
  const hasPush = device === "desktop" || device === "ios-app";
  vi.stubGlobal("window", {
    isSecureContext: options.secure ?? true,
    ...(hasPush ? { PushManager: {}, Notification } : {}),
  });
  vi.stubGlobal("Notification", hasPush ? Notification : undefined);
  vi.stubGlobal("navigator", {
    userAgent: device.startsWith("ios")
      ? "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X)"
      : "Mozilla/5.0",
    platform: device === "ipad-tab" ? "MacIntel" : "Linux",
    maxTouchPoints: device === "ipad-tab" ? 5 : 0,
    standalone: device === "ios-app",
    ...(options.secure === false ? {} : { serviceWorker }),
  });
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("caches", {
    open() {
      if (options.cachesFail) return Promise.reject(new DOMException("private", "SecurityError"));
      return Promise.resolve({
        match: (url: string) => Promise.resolve(store.has(url) ? new Response(store.get(url)) : undefined),
        put: async (url: string, response: Response) => store.set(url, await response.text()),
      });
    },
  });
  vi.stubGlobal("fetch", (url: string, init: { method?: string; body?: string }) => {
    const body = JSON.parse(init.body ?? "{}") as Record<string, unknown>;
    const request = { method: init.method ?? "GET", url, body };
    requests.push(request);
    const response = options.onFetch?.(request);
    return response ? Promise.resolve(response) : Promise.reject(new TypeError("Failed to fetch"));
  });

  return {
    journal,
    requests,
    subscription: () => current,
    memory: () => JSON.parse(store.get(`${scope}webpush-memory`) ?? "{}") as Record<string, unknown>,
  };
}
