/**
 * The development server as a function from requests to answers: the guard, the resources, the files of the site.
 *
 * Each request passes the guard first; what a handler throws costs its own request alone.
 */
import { Hono, type Context } from "hono";
import { createDenier, policyHeader, protect, refusalOf, type AppEnv, type Deny } from "./answers.ts";
import { basePath } from "./base-path.ts";
import { guardRequest, type GuardRules } from "./guard.ts";
import { quote, refuse, type Refusal } from "./refusal.ts";
import { addResources, type ResourceOptions } from "./resources.ts";
import { parseSitePath, type SitePath } from "./site-path.ts";
import type { Site } from "./site.ts";

export interface AppOptions extends ResourceOptions {
  readonly site: Site;
  readonly guard: GuardRules;
}

/** Of other people's pages: what they may load is theirs to say. */
const openPolicy = "object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Builds the application. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { clock, guard, onEvent, site } = options;
  const deny = createDenier(clock, onEvent);
  const app = new Hono<AppEnv>();
  app.use(async (context, next) => {
    const { headers, method = "" } = context.env.incoming;
    const isApi = context.req.path === basePath || context.req.path.startsWith(`${basePath}/`);
    const refusal = guardRequest({ headers, method, isApi }, guard);
    if (refusal === undefined) await next();
    else context.res = deny(context, refusal);
    protect(context.res);
  });
  addResources(app, options, deny);
  app.get("*", (context) => answerFile(context, site, deny));
  app.all("*", (context) => deny(context, methodRefusal(context)));
  app.onError((error, context) => deny(context, refusalOf(error)));
  return app;
}

async function answerFile(context: Context<AppEnv>, site: Site, deny: Deny): Promise<Response> {
  // The raw target, not the path that hono has decoded.
  const path = parseSitePath(context.env.incoming.url ?? "");
  if (path.kind === "refused") return deny(context, path);
  const found = await site.read(path);
  switch (found.kind) {
    case "refused":
      return deny(context, found);
    case "folder":
      return context.redirect(folderUrl(path), 302);
    case "file":
      return context.body(Uint8Array.from(found.content), 200, {
        "content-type": found.mediaType,
        [policyHeader]: site.contentSecurityPolicy ?? openPolicy,
      });
    default:
      return found satisfies never;
  }
}

/** Built of decoded segments, so that nothing but a path of this site can come of it. */
function folderUrl({ segments }: SitePath): string {
  return `/${segments.map((segment) => encodeURIComponent(segment)).join("/")}/`;
}

function methodRefusal({ req, env }: Context<AppEnv>): Refusal {
  const method = quote(env.incoming.method ?? "");
  return refuse(405, "method-not-allowed", `${method} is no method of ${quote(req.path)}`);
}
