/** Names of campaigns: short enough to be typed, long enough not to come twice. */
import type { Random } from "../base/clock.ts";

/** Without letters that are taken for another, as in the ids of subscriptions. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const length = 8;

/** A fresh name: 40 random bits. */
export function newCampaignId(random: Random): string {
  return Array.from(random.bytes(length), (byte) => alphabet.charAt(byte % alphabet.length)).join("");
}
