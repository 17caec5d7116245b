/**
 * What the service worker reports of a message: `{ type, id, at }`, with the `title` of what is shown; read strictly.
 */
import { isRefusal, membersOf } from "./fields.ts";
import { quote, refuse, type Refusal } from "./refusal.ts";

/** What can happen to a message in a browser, in the words of templates/client/sw.js. */
export const beaconTypes = ["received", "shown", "clicked", "closed", "error"] as const;

export type BeaconType = (typeof beaconTypes)[number];

export interface Beacon {
  readonly kind: "beacon";
  readonly what: BeaconType;
  readonly messageId: string | undefined;
  readonly happenedAt: number;
  /** Of the notification, when it is shown. */
  readonly title: string | undefined;
}

const longestId = 200;
/** A push message holds less. */
const longestTitle = 4096;
/** The last moment a Date can hold. */
const latest = 8.64e15;

/** Reads the body of a beacon. */
export function parseBeacon(body: unknown): Beacon | Refusal {
  const members = membersOf(body, ["type", "id", "at", "title"], "the beacon");
  if (isRefusal(members)) return members;
  const [type, id, happenedAt] = [members.get("type"), members.get("id") ?? undefined, members.get("at")];
  const what = beaconTypes.find((one) => one === type);
  if (what === undefined) return malformed(`type is ${shown(type)}, not one of ${beaconTypes.join(", ")}`);
  if (!isTime(happenedAt)) return malformed("at is not a time in ms since 1970");
  const title = members.get("title") ?? undefined;
  if (!isTitle(title)) return malformed(`title is no text of at most ${longestTitle} characters`);
  if (id === undefined) return { kind: "beacon", what, messageId: undefined, happenedAt, title };
  if (typeof id !== "string" && typeof id !== "number") return malformed("id is neither text nor number");
  const messageId = String(id);
  if (messageId.length > longestId) return malformed(`id is longer than ${longestId} characters`);
  return { kind: "beacon", what, messageId, happenedAt, title };
}

function isTitle(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === "string" && value.length <= longestTitle);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= latest;
}

function shown(value: unknown): string {
  return typeof value === "string" ? quote(value) : value === undefined ? "missing" : `a ${typeof value}`;
}

function malformed(what: string): Refusal {
  return refuse(400, "beacon-malformed", `the beacon's ${what}`);
}
