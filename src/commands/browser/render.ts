/** What a browser beside a command does: as lines for people, or as JSON records. */
import { titleOf, type BrowserExit, type BrowserName } from "../../browsers/browser.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";

interface OfBrowser {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly browser: BrowserName;
}

interface OpenedEvent extends OfBrowser {
  readonly type: "browser-opened";
  readonly url: string;
  readonly executable: string;
  readonly seesNotifications: boolean;
}
interface NotificationEvent extends OfBrowser {
  readonly type: "notification";
  readonly title: string;
  readonly body: string;
  /** The page's, where the browser says it. */
  readonly origin: string | undefined;
  /** The labels of its buttons. */
  readonly actions: readonly string[];
}
interface EndedEvent extends OfBrowser, BrowserExit {
  readonly type: "browser-ended";
}

/** What is told of a browser. Switches over it must be total. */
export type BrowserEvent = OpenedEvent | NotificationEvent | EndedEvent;

/** One event as a line, the time first as in the emulator's log. */
export function browserEventText(event: BrowserEvent, { paint: { out } }: Pick<Io, "paint">): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  return `${out.dim(time)}           ${describe(event)}`;
}

function describe(event: BrowserEvent): string {
  const title = titleOf(event.browser);
  switch (event.type) {
    case "browser-opened":
      return `${title} opened ${printable(event.url)}${event.seesNotifications ? "" : "; what it shows is not seen here"}`;
    case "notification": {
      const body = event.body === "" ? "" : ` · ${printable(event.body)}`;
      const buttons = event.actions.map((label) => ` [${printable(label)}]`).join("");
      return `notification "${printable(event.title)}"${body}${buttons}`;
    }
    case "browser-ended":
      return event.why === "closed"
        ? `${title} was closed`
        : `${title} crashed${event.code === null ? "" : ` with code ${event.code}`}: ${printable(event.lastWords.join(" | "))}`;
    default:
      return event satisfies never;
  }
}

/** One event as a record; every field is always there. */
export function browserEventJson(event: BrowserEvent): string {
  const nothing = { url: null, title: null, body: null, origin: null, actions: null, reason: null };
  const base = { type: event.type, at: new Date(event.at).toISOString(), browser: event.browser, ...nothing };
  switch (event.type) {
    case "browser-opened":
      return jsonLine({ ...base, url: event.url });
    case "notification": {
      const { title, body, origin = null, actions } = event;
      return jsonLine({ ...base, title, body, origin, actions });
    }
    case "browser-ended":
      return jsonLine({ ...base, reason: event.why });
    default:
      return event satisfies never;
  }
}
