/** Where the browsers of today subscribe: what is visited when no subscription says where. */
import type { ServiceId } from "../protocol/services.ts";

interface UsualOrigin {
  readonly service: ServiceId;
  readonly origin: string;
}

/** Taken from endpoints that browsers were given, 2026-11. WNS has many hosts; this one answers for all. */
export const usualOrigins: readonly UsualOrigin[] = [
  { service: "fcm", origin: "https://fcm.googleapis.com" },
  { service: "mozilla", origin: "https://updates.push.services.mozilla.com" },
  { service: "apple", origin: "https://web.push.apple.com" },
  { service: "wns", origin: "https://wns2-par02p.notify.windows.com" },
];
