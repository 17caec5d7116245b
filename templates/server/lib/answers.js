/**
 * What a push service's answer means: the first row that fits.
 *
 *   accepted    it has the message
 *   gone        the subscription is over: the visitor took it back, or the browser did
 *   wrong-key   the subscription was made with another VAPID key; the page subscribes again at its next visit
 *   busy        not now: try again
 *   rejected    trying again would not help; the detail says why
 */

const rows = [
  { from: 200, to: 299, outcome: "accepted" },
  // Apple says so of an address that is none: a mistake of somebody's, not the end of a subscription.
  { from: 404, to: 404, text: ["BadPath"], outcome: "rejected" },
  { from: 404, to: 404, outcome: "gone" },
  // Microsoft has banned the sender; the subscriptions are alive.
  { from: 410, to: 410, text: ["blocked"], outcome: "rejected" },
  { from: 410, to: 410, outcome: "gone" },
  {
    from: 400,
    to: 403,
    text: [
      "VapidPkHashMismatch", // Apple
      "do not correspond", // Google
      "does not correspond",
      "MismatchSenderId",
      "UnauthorizedRegistration",
      "public key mismatch", // Mozilla
      "channel", // Microsoft, in a header that names the channel's key
    ],
    outcome: "wrong-key",
  },
  { from: 406, to: 406, outcome: "busy" }, // Microsoft's way to say 429
  { from: 408, to: 408, outcome: "busy" },
  { from: 429, to: 429, outcome: "busy" },
  { from: 500, to: 599, outcome: "busy" },
];

/** @param {{ statusCode: number, headers?: Record<string, string>, body?: string }} answer */
export function readAnswer({ statusCode, headers = {}, body = "" }) {
  const said = `${body} ${headers["x-wns-error-description"] ?? ""}`;
  const row = rows.find(({ from, to, text }) => {
    const isStatus = statusCode >= from && statusCode <= to;
    return isStatus && (!text || text.some((part) => said.toLowerCase().includes(part.toLowerCase())));
  });
  const outcome = row?.outcome ?? "rejected";
  return {
    outcome,
    status: statusCode,
    detail: outcome === "accepted" ? undefined : `${statusCode} ${said.trim().slice(0, 200)}`.trim(),
    retryAfterMs: retryAfter(headers["retry-after"]),
  };
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfter(value) {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
