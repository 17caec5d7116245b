/**
 * Where senders post, for each service's endpoints.
 *
 * | Request | Endpoint of |
 * |---|---|
 * | `POST /push/<token>` | the RFCs |
 * | `POST /fcm/send/<token>`, `/wp/<token>`, `/preprod/wp/<token>` | FCM |
 * | `POST /wpush/v2/<token>`, `/wpush/v1/<token>`, `/wpush/<token>` | Mozilla's autopush, bound to a VAPID key and not |
 * | `DELETE /m/<id>` | Mozilla's autopush: take a message back; 204 in any case |
 * | `GET /status`, `/health` | Mozilla's autopush: whether it is up |
 * | `POST /apple/<token>`, `POST https://web.push.apple.com/<token>` | Apple |
 * | `POST /wns/?token=<token>`, `POST https://<region>.notify.windows.com/w/?token=<token>` | WNS |
 */
import type { Handler, HttpExchange } from "./http-exchange.ts";
import { isHostOf, type PersonalityId } from "./personalities.ts";
import { push, type PushAddress } from "./push-pipeline.ts";
import { emptyReply, jsonReply, type Reply } from "./replies.ts";
import { pushRoute, route, type Route } from "./route.ts";

/** Everything senders ask for, but for the receipts of RFC 8030. */
export const pushRoutes: readonly Route[] = [
  pushRoute("/push", /^\/push\/([\w-]+)$/, pushAs("strict")),
  pushRoute("/fcm/send", /^\/fcm\/send\/([^/]+)$/, pushAs("fcm")),
  pushRoute("/wp", /^\/(?:preprod\/)?wp\/([^/]+)$/, pushAs("fcm")),
  pushRoute(
    "/wpush",
    /^\/wpush\/((?:v\d+\/)?[^/]+)$/,
    (exchange) => push(exchange, autopushAddressOf(exchange)),
    { pushIdOf: (exchange) => autopushAddressOf(exchange).pushId },
  ),
  route("/status", /^\/(?:status|health)$/, { GET: statusOfAutopush }),
  route("/m", /^\/m\/([\w-]+)$/, { DELETE: cancelAtAutopush }),
  pushRoute("/apple", /^\/apple\/([^/]+)$/, pushAs("apple")),
  pushRoute("/wns", /^\/wns\/$/, pushAs("wns"), { idParameter: "token" }),
  pushRoute("/w", /^\/w\/$/, pushAs("wns"), {
    idParameter: "token",
    isHost: (host) => isHostOf("wns", host),
  }),
  pushRoute("/", /^\/([^/]+)$/, pushAs("apple"), { isHost: (host) => isHostOf("apple", host) }),
];

/** Takes a message at an endpoint of this personality's form. */
function pushAs(personality: PersonalityId): Handler {
  return (exchange) => push(exchange, { pushId: exchange.id, personality });
}

/** `v2/<token>`, `v1/<token>`, or a token alone, which is v1. A version there is not has no tokens. */
function autopushAddressOf({ id }: Pick<HttpExchange, "id">): PushAddress {
  const pushId = id.replace(/^v[12]\//, "");
  return { pushId, personality: "mozilla", version: id.startsWith("v2/") ? "v2" : "v1" };
}

/** What whoever waits for the service to be up asks; by the fields that autopush has in common for these. */
function statusOfAutopush(): Reply {
  return jsonReply(200, { status: "OK", version: "emulator" });
}

/** Takes a message back if it is still there. */
function cancelAtAutopush({ service, id }: HttpExchange): Reply {
  if (service.subscriptionOf(id) !== undefined) service.cancel(id);
  return emptyReply(204);
}
