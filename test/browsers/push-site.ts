/**
 * A site for browser tests: its page subscribes by itself, its worker shows what is pushed, and both report here.
 *
 * No driver is attached to the browser, so what they report is all there is to
 * see from outside. A click on a notification opens `/opened?…`, which reports as well.
 */
import { startStaticServer } from "../support/static-server.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** What page or worker say they did. */
export interface SiteReport {
  readonly what: "subscribed" | "failed" | "pushed" | "shown" | "clicked" | "closed" | "opened";
  readonly [detail: string]: unknown;
}

export interface PushSite extends AsyncDisposable {
  readonly origin: string;
  /** The next report of this kind that nobody has taken yet. */
  reported(what: SiteReport["what"]): Promise<SiteReport>;
  /** Those of this kind that have come and nobody has taken. */
  waiting(what: SiteReport["what"]): readonly SiteReport[];
}

const page = (key: string) => `<!doctype html><title>Push site</title><script type="module">
const report = (what, more) => fetch("/report", { method: "POST", body: JSON.stringify({ what, ...more }) });
if (location.pathname !== "/") await report("opened", { path: location.pathname + location.search });
else try {
  await navigator.serviceWorker.register("/sw.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: "${key}" });
  await report("subscribed", { subscription: subscription.toJSON() });
} catch (error) {
  await report("failed", { message: String(error) });
}
</script>`;

const worker = `
const report = (what, more) => fetch("/report", { method: "POST", body: JSON.stringify({ what, ...more }) });
addEventListener("push", (event) => event.waitUntil((async () => {
  await report("pushed", { hasData: event.data !== null });
  const data = event.data.json();
  const { title, ...options } = data.notification ?? data;
  await registration.showNotification(title, options);
  const shown = await registration.getNotifications();
  await report("shown", { notifications: shown.map(({ title, body, data }) => ({ title, body, data })) });
})()));
addEventListener("notificationclick", (event) => event.waitUntil((async () => {
  const { notification, action } = event;
  notification.close();
  const opening = clients.openWindow("/opened/?action=" + action).then(() => null, String);
  await report("clicked", { title: notification.title, action, data: notification.data, failure: await opening });
})()));
addEventListener("notificationclose", (event) => event.waitUntil(report("closed", { title: event.notification.title })));
`;

/** Serves the site; `key` is the application server's, which the page subscribes with. */
export async function openPushSite(key: string): Promise<PushSite> {
  const reports: SiteReport[] = [];
  const waiting = new Set<() => void>();
  const server = await startStaticServer(tempFolder(), {
    replace: new Map([
      ["index.html", page(key)],
      ["opened/index.html", page(key)],
      ["sw.js", worker],
    ]),
    answer: ({ path, body }) => {
      if (path !== "/report") return undefined;
      reports.push(JSON.parse(body) as SiteReport);
      for (const look of waiting) look();
      waiting.clear();
      return { status: 200 };
    },
  });
  return {
    origin: server.origin,
    async reported(what) {
      for (;;) {
        const at = reports.findIndex((report) => report.what === what);
        const [report] = at === -1 ? [] : reports.splice(at, 1);
        if (report !== undefined) return report;
        const failed = reports.find((other) => other.what === "failed");
        if (failed !== undefined && what === "subscribed")
          throw new Error(`the page failed: ${String(failed["message"])}`);
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    waiting: (what) => reports.filter((report) => report.what === what),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
