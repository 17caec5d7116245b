/**
 * Registration: the form by which a browser gets a token for a subscription, or gives one back.
 *
 * Pure: reads the form, and says what to answer. A token is the secret part of an endpoint, whose other part
 * the browser has built in.
 */
import { UserError } from "../../base/errors.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../../protocol/vapid.ts";
import { quote } from "../push-headers.ts";
import { refuse, type Refusal, type RefusalCode } from "../refusals.ts";

/** What a browser wants. */
export type Registration =
  | {
      readonly kind: "subscribe";
      readonly deviceId: string;
      /** What the browser calls itself, as `org.chromium.linux`: its messages must name it. */
      readonly app: string;
      /** The browser's name for the subscription, as `wp:https://example.com/#<GUID>-V2`. */
      readonly appId: string;
      readonly applicationServerKey: VapidPublicKey;
    }
  | { readonly kind: "unsubscribe"; readonly deviceId: string; readonly app: string; readonly appId: string }
  /** A token for something of the browser's own, such as its account mapper: it gets one and never a message. */
  | { readonly kind: "other"; readonly app: string };

/** Reads a registration: its form, and the Authorization header that names the device. */
export function parseRegistration(form: string, authorization: string | undefined): Registration | Refusal {
  const deviceId = /^AidLogin ([1-9]\d{0,19}):\d{1,20}$/.exec(authorization ?? "")?.[1];
  if (deviceId === undefined)
    return refuse("device-unauthorized", "Authorization is not AidLogin <device id>:<secret>");
  const fields = new URLSearchParams(form);
  const app = fields.get("app") ?? "";
  if (app === "") return refuse("registration-malformed", "the form has no app");
  const appId = fields.get("X-subtype") ?? "";
  if (!appId.startsWith("wp:")) return { kind: "other", app };
  if (fields.get("delete") === "true") return { kind: "unsubscribe", deviceId, app, appId };
  const applicationServerKey = readSenderKey(fields.get("sender") ?? "");
  return typeof applicationServerKey === "string"
    ? { kind: "subscribe", deviceId, app, appId, applicationServerKey }
    : applicationServerKey;
}

/** `sender` is the application server key that the page subscribed with. */
function readSenderKey(sender: string): VapidPublicKey | Refusal {
  try {
    return parseVapidPublicKey(sender);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse("sender-invalid", `the sender ${quote(sender)}: ${error.message}`);
  }
}

/** The words a browser knows for what went wrong; with any of them `subscribe()` fails at once. */
const errorWords: ReadonlyMap<RefusalCode, string> = new Map<RefusalCode, string>([
  ["sender-invalid", "INVALID_SENDER"],
  ["device-unauthorized", "AUTHENTICATION_FAILED"],
  ["too-many-subscriptions", "TOO_MANY_REGISTRATIONS"],
]);

/** The body that grants a token or, to a deletion, repeats the app. */
export function tokenAnswer(token: string): string {
  return `token=${token}`;
}

/** The body that says no. */
export function errorAnswer({ code }: Refusal): string {
  return `Error=${errorWords.get(code) ?? "INVALID_PARAMETERS"}`;
}
