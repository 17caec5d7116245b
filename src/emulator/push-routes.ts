/**
 * Where senders post, for each service's endpoints.
 *
 * | Request | Endpoint of |
 * |---|---|
 * | `POST /push/<token>` | the RFCs |
 * | `POST /fcm/send/<token>`, `/wp/<token>`, `/preprod/wp/<token>` | FCM |
 * | `POST /wpush/v2/<token>`, `/wpush/v1/<token>`, `/wpush/<token>` | Mozilla's autopush, bound to a VAPID key and not |
 * | `DELETE /m/<id>` | Mozilla's autopush: take a message back; 204 in any case |
 * | `POST /apple/<token>`, `POST https://web.push.apple.com/<token>` | Apple |
 * | `POST /wns/?token=<token>`, `POST https://<region>.notify.windows.com/w/?token=<token>` | WNS |
 */
import type { HttpExchange } from "./http-exchange.ts";
import { isHostOf, type PersonalityId } from "./personalities.ts";
import { push, type PushAddress } from "./push-pipeline.ts";
import { emptyReply, type Reply } from "./replies.ts";
import { route, type Route, type RouteCondition } from "./route.ts";

/** Everything senders ask for, but for the receipts of RFC 8030. */
export const pushRoutes: readonly Route[] = [
  pushRoute("strict", "/push", /^\/push\/([\w-]+)$/),
  pushRoute("fcm", "/fcm/send", /^\/fcm\/send\/([^/]+)$/),
  pushRoute("fcm", "/wp", /^\/(?:preprod\/)?wp\/([^/]+)$/),
  route("/wpush", /^\/wpush\/((?:v\d+\/)?[^/]+)$/, {
    POST: (exchange) => push(exchange, autopushAddressOf(exchange.id)),
  }),
  route("/m", /^\/m\/([\w-]+)$/, { DELETE: cancelAtAutopush }),
  pushRoute("apple", "/apple", /^\/apple\/([^/]+)$/),
  pushRoute("wns", "/wns", /^\/wns\/$/, { idParameter: "token" }),
  pushRoute("wns", "/w", /^\/w\/$/, { idParameter: "token", isHost: (host) => isHostOf("wns", host) }),
  pushRoute("apple", "/", /^\/([^/]+)$/, { isHost: (host) => isHostOf("apple", host) }),
];

function pushRoute(
  personality: PersonalityId,
  name: string,
  path: RegExp,
  condition: RouteCondition = {},
): Route {
  const handle = (exchange: HttpExchange) => push(exchange, { pushId: exchange.id, personality });
  return route(name, path, { POST: handle }, condition);
}

/** `v2/<token>`, `v1/<token>`, or a token alone, which is v1. A version there is not has no tokens. */
function autopushAddressOf(id: string): PushAddress {
  const pushId = id.replace(/^v[12]\//, "");
  return { pushId, personality: "mozilla", version: id.startsWith("v2/") ? "v2" : "v1" };
}

/** Takes a message back if it is still there. */
function cancelAtAutopush({ service, id }: HttpExchange): Reply {
  if (service.subscriptionOf(id) !== undefined) service.cancel(id);
  return emptyReply(204);
}
