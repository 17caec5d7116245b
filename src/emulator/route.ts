/** Resources of the HTTP door: which paths one answers, and with which methods. */
import type { Handler, HttpExchange } from "./http-exchange.ts";

/** What a route asks for besides its path. */
interface RouteCondition {
  /** The name of the query parameter that is the exchange's `id`, where the path has none. */
  readonly idParameter?: string;
  /** Whether a host name is one this route is for; any is by default. */
  readonly isHost?: (hostname: string) => boolean;
}

/** Finds in a request that takes a message the id senders know the subscription by. */
type FindPushId = (exchange: Pick<HttpExchange, "id" | "query">) => string;

export interface Route extends RouteCondition {
  /** What to call it in a message, as `/push`. */
  readonly name: string;
  /** Matches a path without its query; its first group, if it took part, is the exchange's `id`. */
  readonly path: RegExp;
  readonly methods: ReadonlyMap<string, Handler>;
  /** Of a route that takes messages with `POST`: the id senders know the subscription by. Faults happen to such requests. */
  readonly pushIdOf?: FindPushId;
}

/** A route from its parts. */
export function route(name: string, path: RegExp, methods: Readonly<Record<string, Handler>>): Route {
  return { name, path, methods: new Map(Object.entries(methods)) };
}

/** A route that takes messages. */
export function pushRoute(
  name: string,
  path: RegExp,
  handler: Handler,
  { pushIdOf = ({ id }) => id, ...condition }: RouteCondition & { readonly pushIdOf?: FindPushId } = {},
): Route {
  return { ...route(name, path, { POST: handler }), pushIdOf, ...condition };
}

/** What a request asks for. */
export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly hostname: string;
}

/** The first route that answers a request, and the id it found in it. */
export function findRoute(
  routes: readonly Route[],
  { path, query, hostname }: RequestTarget,
): { readonly route: Route; readonly id: string } | undefined {
  for (const candidate of routes) {
    const match = candidate.path.exec(path);
    if (match === null || candidate.isHost?.(hostname) === false) continue;
    const { idParameter } = candidate;
    const id = idParameter === undefined ? match[1] : query.get(idParameter);
    return { route: candidate, id: id ?? "" };
  }
  return undefined;
}
