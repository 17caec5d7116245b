/** Resources of the HTTP door: which paths one answers, and with which methods. */
import type { Handler, HttpExchange } from "./http-exchange.ts";

export interface Route {
  /** What to call it in a message, as `/push`. */
  readonly name: string;
  /** Matches a path without its query; its first group, if it took part, is the exchange's `id`. */
  readonly path: RegExp;
  readonly methods: ReadonlyMap<string, Handler>;
  /** Of a route that takes messages with `POST`: the id senders know the subscription by. Faults happen to such requests. */
  readonly pushIdOf?: (exchange: Pick<HttpExchange, "id" | "query">) => string;
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
  pushIdOf: (exchange: Pick<HttpExchange, "id" | "query">) => string = ({ id }) => id,
): Route {
  return { ...route(name, path, { POST: handler }), pushIdOf };
}

/** The first route that answers `path`, and the id it found in it. */
export function findRoute(
  routes: readonly Route[],
  path: string,
): { readonly route: Route; readonly id: string } | undefined {
  for (const candidate of routes) {
    const match = candidate.path.exec(path);
    if (match !== null) return { route: candidate, id: match[1] ?? "" };
  }
  return undefined;
}
