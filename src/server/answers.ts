/**
 * What every answer of the development server has in common, and how it says no.
 */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Clock } from "../base/clock.ts";
import { messageOf, UserError } from "../base/errors.ts";
import type { ServerListener } from "./events.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { createTokenBucket } from "../base/token-bucket.ts";

/** The environment of hono's handlers: they see Node's own request. */
export interface AppEnv {
  readonly Bindings: HttpBindings;
}

export const policyHeader = "content-security-policy";
/** Of what is no page: it may load nothing, be framed nowhere. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** On every answer. No other origin may read or embed it, nothing guesses its type, nothing keeps it. */
const protections = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** Puts what every answer must have on it. */
export function protect({ headers }: Response): void {
  for (const [name, value] of Object.entries(protections)) headers.set(name, value);
  if (!headers.has(policyHeader)) headers.set(policyHeader, dataPolicy);
}

/** Answers that a request is not done, and tells of it. */
export type Deny = (context: Context<AppEnv>, refusal: Refusal) => Response;

/** Lines about refused requests: a flood must not drive everything else off the screen. */
const tellingRate = { burst: 20, perSecond: 2 };

/** Browsers ask for these by themselves; that they are missing is no news. */
const unremarkable = /^\/(?:favicon\.ico|apple-touch-icon[\w-]*\.png|\.well-known\/appspecific\/.*)$/;

/** Tells of the first refusals of a flood one by one, of the rest as a number. */
export function createDenier(clock: Clock, onEvent: ServerListener): Deny {
  const tellings = createTokenBucket(tellingRate, clock);
  let untold = 0;
  return (context, { status, code, message }) => {
    const { method = "", url: path = "" } = context.env.incoming;
    const isNews = !(status === 404 && unremarkable.test(path));
    if (isNews && tellings.take()) {
      onEvent({ type: "refused", at: clock.now(), status, code, reason: message, method, path, untold });
      untold = 0;
    } else if (isNews) untold += 1;
    // A server that fails tells a page no more than that: its words may hold paths of this machine.
    const words = status === 500 ? "the server failed; its log says why" : message;
    return context.json({ error: code, message: words }, status);
  };
}

/** The JSON of a request body. */
export async function readJson(context: Context<AppEnv>): Promise<unknown> {
  const text = await context.req.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UserError("body-malformed", text === "" ? "the request has no body" : "the body is not JSON");
  }
}

/** What a handler threw: the page's mistake in our own words, or ours. */
export function refusalOf(error: Error): Refusal {
  if (!(error instanceof UserError)) return refuse(500, "internal", messageOf(error));
  return refuse(error.kind === "input" ? 400 : 500, error.code, error.message);
}
