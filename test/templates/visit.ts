/** A visit to the scaffolded page: one Chromium, one server and one page, for the browser tests. */
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { chromium, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import { startStaticServer, type StaticServerOptions } from "../support/static-server.ts";
import { clientFolder, renderClient } from "./client.ts";

/** Chromium's path, or undefined where there is none: then these tests are skipped. */
export const executablePath = findOnPath("chromium");

export interface VisitOptions extends Pick<StaticServerOptions, "answer"> {
  /** "real": whatever the browser itself says. */
  readonly permission?: "granted" | "denied" | "real";
  readonly server?: string;
  readonly subscribeTimeoutMs?: number;
  /** Let subscribe() succeed without a push service. */
  readonly stubSubscribe?: boolean;
}

/** Opens them; all are gone at the end of the test that says `await using`. */
export async function openPage(options: VisitOptions = {}) {
  const files = renderClient({ server: options.server ?? null });
  const config = files.get("webpush-config.js") ?? "";
  files.set("webpush-config.js", config.replace("20000", String(options.subscribeTimeoutMs ?? 20_000)));
  const server = await startStaticServer(clientFolder, {
    replace: files,
    ...(options.answer ? { answer: options.answer } : {}),
  });

  const profile = mkdtempSync(join(tmpdir(), "webpush-page-"));
  const context = await launch(profile);
  if (options.permission === "granted")
    await context.grantPermissions(["notifications", "clipboard-read", "clipboard-write"], {
      origin: server.origin,
    });

  const page = await context.newPage();
  const complaints = listen(page);
  // Headless Chromium answers for the visitor, with "denied"; a visitor who was never asked looks like this.
  if (options.permission !== "granted" && options.permission !== "real")
    await page.addInitScript(
      `Object.defineProperty(Notification, "permission", { get: () => ${JSON.stringify(options.permission ?? "default")} })`,
    );
  if (options.stubSubscribe) await page.addInitScript(subscribeStub);
  const devtools = await context.newCDPSession(page);

  const settled = () => page.locator("#main[aria-busy=false]").waitFor();
  return {
    page,
    complaints,
    origin: server.origin,
    requests: () => server.requests.map(({ method, path }) => `${method} ${path}`),
    state: () => page.locator("#main").getAttribute("data-state"),
    async load() {
      await page.goto(`${server.origin}/`);
      await settled();
    },
    async press(name: string) {
      await page.getByRole("button", { name }).click();
      await settled();
    },
    async tabTo(name: string) {
      for (let presses = 0; presses < 30; presses += 1) {
        await page.keyboard.press("Tab");
        if ((await page.evaluate("document.activeElement.textContent.trim()")) === name) return;
      }
      throw new Error(`the keyboard does not reach "${name}"`);
    },
    async enter() {
      await page.keyboard.press("Enter");
      await settled();
    },
    /** What the visitor sets in the browser's own settings. */
    async setPermission(setting: "granted" | "denied") {
      const permission = { name: "notifications" };
      await devtools.send("Browser.setPermission", { permission, setting, origin: server.origin });
    },
    push: (payload: unknown) => deliver(devtools, server.origin, payload),
    notifications: () =>
      page.evaluate(
        `navigator.serviceWorker.ready
          .then((registration) => registration.getNotifications())
          .then((all) => all.map(({ title, body, tag, data }) => ({ title, body, tag, data })))`,
      ),
    async [Symbol.asyncDispose]() {
      await context.close();
      await server[Symbol.asyncDispose]();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function launch(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: executablePath ?? "",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Everything the browser has to complain about: errors, warnings, breaches of the policy, missing files. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  return complaints;
}

/** Hands the worker a push, as DevTools' own "Push" button does. */
async function deliver(devtools: CDPSession, origin: string, payload: unknown): Promise<void> {
  const registered = new Promise<string>((resolve) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [registration] = registrations.filter(({ scopeURL }) => scopeURL === `${origin}/`);
      if (registration) resolve(registration.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  await devtools.send("ServiceWorker.deliverPushMessage", {
    origin,
    registrationId,
    data: typeof payload === "string" ? payload : JSON.stringify(payload),
  });
  await devtools.send("ServiceWorker.disable");
}

/** A push manager that subscribes without a push service. The apostrophe is for the shell quoting. */
const subscribeStub = `{
  let current = null;
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => (current ??= {
    endpoint: "https://push.example/o'neill",
    options: { applicationServerKey: applicationServerKey.buffer },
    unsubscribe: async () => ((current = null), true),
    toJSON: () => ({ endpoint: "https://push.example/o'neill", expirationTime: null, keys: { p256dh: "p", auth: "a" } }),
  });
}`;

function findOnPath(name: string): string | undefined {
  const candidates = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
