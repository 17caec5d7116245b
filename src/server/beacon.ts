/**
 * What the service worker reports of a message: `{ type, id, at }`, read strictly.
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
}

const longestId = 200;
/** The last moment a Date can hold. */
const latest = 8.64e15;

/** Reads the body of a beacon. */
export function parseBeacon(body: unknown): Beacon | Refusal {
  const members = membersOf(body, ["type", "id", "at"], "the beacon");
  if (isRefusal(members)) return members;
  const [type, id, happenedAt] = [members.get("type"), members.get("id") ?? undefined, members.get("at")];
  const what = beaconTypes.find((one) => one === type);
  if (what === undefined) return malformed(`type is ${shown(type)}, not one of ${beaconTypes.join(", ")}`);
  if (!isTime(happenedAt)) return malformed("at is not a time in ms since 1970");
  if (id === undefined) return { kind: "beacon", what, messageId: undefined, happenedAt };
  if (typeof id !== "string" && typeof id !== "number") return malformed("id is neither text nor number");
  const messageId = String(id);
  if (messageId.length > longestId) return malformed(`id is longer than ${longestId} characters`);
  return { kind: "beacon", what, messageId, happenedAt };
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
