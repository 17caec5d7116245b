/**
 * The resources of RFC 8030, but for the push resource itself, which is in push-routes.ts.
 *
 * | Request | Meaning |
 * |---|---|
 * | `POST /subscribe` | a new subscription: `Location` for the receiver, `Link rel=urn:ietf:params:push` for senders |
 * | `GET /subscription/<id>` | the next message, waiting as `Prefer: wait=N` says (our polling form, http-polling.ts) |
 * | `DELETE /message/<id>` | acknowledge it; cancel it while it is undelivered |
 * | `DELETE /subscription/<id>` | unsubscribe |
 * | `GET`, `DELETE /receipt/<id>` | the next delivery receipt; no more of them |
 */
import { closeReceipts, removeMessage, subscribe, unsubscribe } from "./http-handlers.ts";
import { pollMessage, pollReceipt } from "./http-polling.ts";
import { route, type Route } from "./route.ts";

export const rfc8030Routes: readonly Route[] = [
  route("/subscribe", /^\/subscribe$/, { POST: subscribe }),
  route("/subscription", /^\/subscription\/([\w-]+)$/, { GET: pollMessage, DELETE: unsubscribe }),
  route("/message", /^\/message\/([\w-]+)$/, { DELETE: removeMessage }),
  route("/receipt", /^\/receipt\/([\w-]+)$/, { GET: pollReceipt, DELETE: closeReceipts }),
];
