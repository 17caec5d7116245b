/**
 * The desktop's notification service, as a person at the screen would see it
 * (Desktop Notifications Specification 1.2, `org.freedesktop.Notifications`).
 *
 * Each `Notify` becomes a `ShownNotification`, and what is done to that goes back to
 * the browser as the signals a desktop sends: to the browser the click is a real one.
 */
import type { BusClient, BusReply, BusService } from "./bus.ts";
import { unknownMethod, values } from "./bus.ts";
import { isList, isVariant } from "./marshalling.ts";
import type { DbusMessage } from "./message.ts";
import type { DbusValue } from "./signature.ts";

/** One button of a notification. */
export interface NotificationAction {
  /** Its name between browser and desktop. */
  readonly key: string;
  readonly label: string;
}

/** How a notification left the screen: `dismissed` by a person, `withdrawn` by the browser. */
export type NotificationEnd = "dismissed" | "withdrawn" | "replaced";

/** A notification as the desktop was asked to show it. */
export interface ShownNotification {
  readonly id: number;
  readonly title: string;
  readonly body: string;
  /** Where it comes from, as the browser words it: `127.0.0.1:8040`. */
  readonly origin: string | undefined;
  /** The page's buttons. */
  readonly actions: readonly NotificationAction[];
  /** Whether it took the place of an earlier one with the same tag. */
  readonly isReplacement: boolean;
  /** Clicks on it, or on one of its buttons. */
  click(actionKey?: string): void;
  /** Closes it without a click. */
  dismiss(): void;
  readonly ended: Promise<NotificationEnd>;
}

const path = "/org/freedesktop/Notifications";
const name = "org.freedesktop.Notifications";
/** What the whole of a notification is called among its actions. */
const wholeKey = "default";
/** Chromium's own button, on every notification. */
const settingsKey = "settings";

/**
 * What we say we can show. With `x-kde-origin-name` Chromium names the page's origin beside the body rather
 * than in it; without `body-markup` the body comes as it is, not as HTML.
 */
const capabilities = ["actions", "body", "persistence", "x-kde-origin-name"];

/** The numbers of `NotificationClosed`. */
const closedByPerson = 2;
const closedByCall = 3;

interface Entry {
  readonly client: BusClient;
  readonly end: (how: NotificationEnd) => void;
}

export class NotificationService implements BusService {
  readonly name = name;
  readonly #onShown: (notification: ShownNotification) => void;
  readonly #shown = new Map<number, Entry>();
  #lastId = 0;

  constructor(onShown: (notification: ShownNotification) => void) {
    this.#onShown = onShown;
  }

  answer(call: DbusMessage, client: BusClient): BusReply {
    switch (call.member) {
      case "GetCapabilities":
        return values("as", [capabilities]);
      case "GetServerInformation":
        return values("ssss", ["webpush", "webpush", "1", "1.2"]);
      case "Notify":
        return call.signature === notifySignature ? this.#notify(call.body, client) : invalid(call);
      case "CloseNotification":
        return this.#withdraw(Number(call.body[0]));
      default:
        return unknownMethod(call);
    }
  }

  #notify(body: readonly DbusValue[], client: BusClient): BusReply {
    const [, replacesId, , title, text, actions, hints] = body;
    const replaced = typeof replacesId === "number" ? this.#shown.get(replacesId) : undefined;
    const id = replaced === undefined ? (this.#lastId += 1) : Number(replacesId);
    replaced?.end("replaced");
    let end: Entry["end"] = () => undefined;
    const ended = new Promise<NotificationEnd>((resolve) => (end = resolve));
    this.#shown.set(id, { client, end });
    this.#onShown({
      id,
      title: textOf(title),
      body: textOf(text),
      origin: hintOf(hints, "x-kde-origin-name"),
      actions: actionsOf(actions).filter(({ key }) => key !== wholeKey && key !== settingsKey),
      isReplacement: replaced !== undefined,
      click: (actionKey = wholeKey) => {
        this.#click(id, actionKey);
      },
      dismiss: () => {
        this.#close(id, closedByPerson);
      },
      ended,
    });
    return values("u", [id]);
  }

  /** The token is what lets a window come to the front on desktops that guard the focus. */
  #click(id: number, actionKey: string): void {
    const client = this.#shown.get(id)?.client;
    client?.signal(signal("ActivationToken", "us", [id, `webpush-${id}`]));
    client?.signal(signal("ActionInvoked", "us", [id, actionKey]));
  }

  #withdraw(id: number): BusReply {
    this.#close(id, closedByCall);
    return values("", []);
  }

  #close(id: number, reason: typeof closedByPerson | typeof closedByCall): void {
    const entry = this.#shown.get(id);
    if (entry === undefined) return;
    this.#shown.delete(id);
    entry.client.signal(signal("NotificationClosed", "uu", [id, reason]));
    entry.end(reason === closedByPerson ? "dismissed" : "withdrawn");
  }
}

const notifySignature = "susssasa{sv}i";

function invalid({ signature = "" }: DbusMessage): BusReply {
  const message = `Notify takes "${notifySignature}", not "${signature}"`;
  return { kind: "error", name: "org.freedesktop.DBus.Error.InvalidArgs", message };
}

function signal(member: string, signature: string, list: readonly DbusValue[]) {
  return { path, interface: name, member, signature, values: list };
}

function actionsOf(value: DbusValue | undefined): readonly NotificationAction[] {
  const texts = isList(value) ? value.map(textOf) : [];
  return Array.from({ length: Math.floor(texts.length / 2) }, (_, index) => {
    return { key: texts[2 * index] ?? "", label: texts[2 * index + 1] ?? "" };
  });
}

function hintOf(hints: DbusValue | undefined, hint: string): string | undefined {
  for (const entry of isList(hints) ? hints : []) {
    const [key, value] = isList(entry) ? entry : [];
    if (key === hint && isVariant(value) && typeof value.value === "string") return value.value;
  }
  return undefined;
}

function textOf(value: DbusValue | undefined): string {
  return typeof value === "string" ? value : "";
}
