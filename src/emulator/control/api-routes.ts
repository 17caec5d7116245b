/**
 * The JSON API for test suites, under `/api/`; docs/emulator-api.md shows each request.
 *
 * | Request | Meaning |
 * |---|---|
 * | `GET`, `POST /api/subscriptions` | list; make one whose user agent is the emulator |
 * | `GET`, `PATCH`, `DELETE /api/subscriptions/<id>` | look; switch on or off, tell keys; unsubscribe |
 * | `POST /api/subscriptions/<id>/expire` | end it as a service does |
 * | `GET`, `DELETE /api/messages`, `GET /api/messages/<id>` | what was accepted, and what became of it |
 * | `GET /api/wait` | the same, as soon as there are so many |
 * | `GET`, `POST`, `DELETE /api/faults`, `DELETE /api/faults/<id>` | what goes wrong on request |
 * | `GET`, `POST /api/clock` | the emulator's time |
 * | `GET /api/events` | what happens, as NDJSON |
 * | `POST /api/reset` | forget everything |
 */
import { UserError } from "../../base/errors.ts";
import { parseVapidPublicKey } from "../../protocol/vapid.ts";
import { readFault } from "../faults/read-fault.ts";
import type { Handler, HttpExchange } from "../http-exchange.ts";
import type { MessageFilter } from "../message-log.ts";
import { messageJsonOf, messageOutcomes } from "../message-record.ts";
import { personalityIds } from "../personalities.ts";
import { pushIdIn } from "../push-id.ts";
import { emptyReply, jsonReply, type Reply } from "../replies.ts";
import { readBody } from "../request-body.ts";
import { route, type Route } from "../route.ts";
import { tokenRefusal } from "./api-guard.ts";
import { endpointKinds, type Control } from "./control.ts";
import { streamEvents } from "./event-stream.ts";
import { JsonInput, malformed, parseJson } from "./json-input.ts";
import { readReceiverKeys } from "./receiver-keys.ts";

const maxRequestBytes = 65_536;
const longestWaitMs = 300_000;
const defaultWaitMs = 5000;
const mostMessages = 100_000;
/** A thousand years either way. */
const farthestMs = 31_557_600_000_000;

/** Answers a request that has the token; throws a `UserError` for what is wrong with it. */
type ApiHandler = (exchange: HttpExchange) => Promise<Reply | undefined> | Reply;

/** The routes of the API for whoever knows `token`. */
// eslint-disable-next-line max-lines-per-function -- a table: a row for each resource
export function apiRoutes(control: Control, token: string): readonly Route[] {
  const api = (name: string, path: RegExp, methods: Readonly<Record<string, ApiHandler>>): Route => {
    const guarded = Object.entries(methods).map(([method, handler]) => [method, guard(token, handler)]);
    return route(name, path, Object.fromEntries(guarded) as Record<string, Handler>);
  };
  return [
    api("/api/subscriptions", /^\/api\/subscriptions$/, {
      GET: ({ query }) => {
        noFields(query);
        return jsonReply(200, { subscriptions: control.subscriptions() });
      },
      POST: (exchange) => subscribe(control, exchange),
    }),
    api("/api/subscriptions/<id>", /^\/api\/subscriptions\/([\w-]+)$/, {
      GET: ({ id }) => jsonReply(200, control.subscription(id)),
      PATCH: (exchange) => change(control, exchange),
      DELETE: ({ id }) => {
        control.unsubscribe(id);
        return emptyReply(204);
      },
    }),
    api("/api/subscriptions/<id>/expire", /^\/api\/subscriptions\/([\w-]+)\/expire$/, {
      POST: ({ id }) => {
        control.expire(id);
        return emptyReply(204);
      },
    }),
    api("/api/messages", /^\/api\/messages$/, {
      GET: ({ query }) => {
        const messages = control.messages(readFilter(JsonInput.ofQuery(query, filterFields)));
        return jsonReply(200, { messages: messages.map(messageJsonOf) });
      },
      DELETE: () => {
        control.clearMessages();
        return emptyReply(204);
      },
    }),
    api("/api/messages/<id>", /^\/api\/messages\/([\w-]+)$/, {
      GET: ({ id }) => {
        const message = control.message(id);
        if (message !== undefined) return jsonReply(200, messageJsonOf(message));
        return apiError(404, "no-such-message", "the log has no message of this id");
      },
    }),
    api("/api/wait", /^\/api\/wait$/, { GET: (exchange) => wait(control, exchange) }),
    api("/api/faults", /^\/api\/faults$/, {
      GET: () => jsonReply(200, { faults: control.faults() }),
      POST: (exchange) => addFault(control, exchange),
      DELETE: () => {
        control.clearFaults();
        return emptyReply(204);
      },
    }),
    api("/api/faults/<id>", /^\/api\/faults\/(\d+)$/, {
      DELETE: ({ id }) =>
        control.removeFault(id)
          ? emptyReply(204)
          : apiError(404, "no-such-fault", "there is no fault of this id"),
    }),
    api("/api/clock", /^\/api\/clock$/, {
      GET: () => clockReply(control),
      POST: (exchange) => moveClock(control, exchange),
    }),
    api("/api/events", /^\/api\/events$/, {
      GET: ({ query, response }) => {
        const input = JsonInput.ofQuery(query, ["since", "follow"]);
        const since = input.number("since", { least: 0, most: Number.MAX_SAFE_INTEGER }) ?? 0;
        return streamEvents(control.events, response, { since, follow: input.boolean("follow") ?? true });
      },
    }),
    api("/api/reset", /^\/api\/reset$/, {
      POST: () => {
        control.reset();
        return emptyReply(204);
      },
    }),
  ];
}

function guard(token: string, handler: ApiHandler): Handler {
  return async (exchange) => {
    const refusal = tokenRefusal(exchange.request.headers.authorization, token);
    if (refusal !== undefined) return refusal;
    try {
      return await handler(exchange);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const message = [error.message, ...error.hints].join("; ");
      return apiError(statuses.get(error.code) ?? 400, error.code, message);
    }
  };
}

/** Errors that are not about the request itself. */
const statuses: ReadonlyMap<string, number> = new Map([
  ["emulator-subscription", 404],
  ["emulator-full", 429],
  ["emulator-api-type", 415],
  ["emulator-api-size", 413],
]);

function apiError(status: number, error: string, message: string): Reply {
  return jsonReply(status, { code: status, error, message });
}

/** The body of a request, with these fields alone; `undefined` when the client has gone. */
async function readInput(exchange: HttpExchange, names: readonly string[]): Promise<JsonInput | undefined> {
  const value = await readValue(exchange);
  return value === undefined ? undefined : JsonInput.ofValue(value.json, names);
}

async function readValue({ request }: HttpExchange): Promise<{ readonly json: unknown } | undefined> {
  const body = await readBody(request, maxRequestBytes);
  if (body === undefined) return undefined;
  // A page can send any other type without asking first; and what is no JSON is a mistake.
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers["content-type"] ?? ""))
    throw new UserError("emulator-api-type", "the Content-Type is not application/json");
  if (body.bytes.length > maxRequestBytes)
    throw new UserError("emulator-api-size", `the body is larger than ${maxRequestBytes} bytes`);
  return { json: parseJson(Buffer.from(body.bytes).toString()) };
}

function noFields(query: URLSearchParams): void {
  JsonInput.ofQuery(query, []);
}

async function subscribe(control: Control, exchange: HttpExchange): Promise<Reply | undefined> {
  const input = await readInput(exchange, ["applicationServerKey", "as", "endpoint", "online"]);
  if (input === undefined) return undefined;
  const key = input.text("applicationServerKey");
  const subscription = control.subscribe({
    applicationServerKey: key === undefined ? undefined : parseVapidPublicKey(key),
    personality: input.oneOf("as", personalityIds),
    endpoint: input.oneOf("endpoint", endpointKinds),
    online: input.boolean("online"),
  });
  return jsonReply(201, subscription);
}

async function change(control: Control, exchange: HttpExchange): Promise<Reply | undefined> {
  const input = await readInput(exchange, ["online", "keys"]);
  if (input === undefined) return undefined;
  const online = input.boolean("online");
  if (input.has("keys")) {
    const keys = JsonInput.ofValue(input.value("keys"), ["privateKey", "auth"], "keys");
    const [privateKey, auth] = [keys.text("privateKey"), keys.text("auth")];
    if (privateKey === undefined || auth === undefined) throw malformed("keys lacks privateKey or auth");
    control.tellKeys(exchange.id, readReceiverKeys(privateKey, auth));
  }
  if (online !== undefined) control.setOnline(exchange.id, online);
  return jsonReply(200, control.subscription(exchange.id));
}

const filterFields = ["subscription", "outcome"];

function readFilter(input: JsonInput): MessageFilter {
  const subscription = input.text("subscription");
  const outcome = input.oneOf("outcome", messageOutcomes);
  return { pushId: subscription === undefined ? undefined : pushIdIn(subscription), outcome };
}

async function wait(control: Control, { query, response }: HttpExchange): Promise<Reply | undefined> {
  const input = JsonInput.ofQuery(query, ["count", "timeoutMs", ...filterFields]);
  const count = input.number("count", { least: 1, most: mostMessages }) ?? 1;
  const timeoutMs = input.number("timeoutMs", { least: 0, most: longestWaitMs }) ?? defaultWaitMs;
  const gone = new AbortController();
  response.once("close", () => {
    gone.abort();
  });
  const { kind, messages } = await control.wait({
    ...readFilter(input),
    count,
    timeoutMs,
    signal: gone.signal,
  });
  const shown = messages.map(messageJsonOf);
  switch (kind) {
    case "came":
      return jsonReply(200, { messages: shown });
    case "timed-out": {
      const message = `${shown.length} of ${count} messages came within ${timeoutMs} ms`;
      return jsonReply(504, { code: 504, error: "messages-missing", message, messages: shown });
    }
    case "aborted":
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** The body is the rule itself: an object, or one line as text. */
async function addFault(control: Control, exchange: HttpExchange): Promise<Reply | undefined> {
  const value = await readValue(exchange);
  return value && jsonReply(201, control.addFault(readFault(value.json)));
}

async function moveClock(control: Control, exchange: HttpExchange): Promise<Reply | undefined> {
  const input = await readInput(exchange, ["advanceMs", "now"]);
  if (input === undefined) return undefined;
  const [advanceMs, now] = [
    input.number("advanceMs", { least: -farthestMs, most: farthestMs }),
    input.text("now"),
  ];
  if ((advanceMs === undefined) === (now === undefined))
    throw malformed("give advanceMs or now, and not both");
  if (advanceMs !== undefined) control.clock.advance(advanceMs);
  if (now !== undefined) control.clock.set(readTime(now));
  return clockReply(control);
}

function readTime(text: string): number {
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isIso ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw malformed(`now is ${JSON.stringify(text.slice(0, 60))}, not a time in ISO 8601`);
  return time;
}

function clockReply({ clock }: Control): Reply {
  return jsonReply(200, { now: new Date(clock.now()).toISOString(), offsetMs: clock.offsetMs });
}
