/** HTTP with Hono, on Node. */
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { answer, pageCacheControl, refused, securityHeaders } from "./lib/handle.js";
import { createClientFinder, createLimiter } from "./lib/limiter.js";
import { maxBodyBytes } from "./lib/service.js";

export async function listen(service, { host, port }) {
  const { config, log } = service;
  const isAllowed = createLimiter();
  const clientOf = createClientFinder(config.trustProxy);
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) context.header(name, value);
  });

  const limitBody = bodyLimit({
    maxSize: maxBodyBytes,
    onError: (context) => context.json(refused.tooLarge, 413),
  });
  for (const route of service.routes) {
    app.on(route.method, route.path, limitBody, async (context) => {
      const { incoming } = context.env;
      if (!isAllowed(route.limit, clientOf(incoming))) return context.json(refused.tooMany, 429);
      const request = {
        headers: incoming.headers,
        params: context.req.param(),
        text: await context.req.text(),
      };
      const { status, body } = await answer(service, route, request);
      context.header("cache-control", "no-store");
      return body === undefined ? context.body(null, status) : context.json(body, status);
    });
  }
  for (const { path } of service.routes) app.all(path, (context) => context.json(refused.notAllowed, 405));

  const sendFile = serveStatic({
    root: config.page,
    onFound: (path, context) => context.header("cache-control", pageCacheControl),
  });
  // serve-static knows no hidden files: .git and .env are kept back here.
  app.get("*", (context, next) =>
    /(?:\/|%2f)\./i.test(context.req.path) ? context.notFound() : sendFile(context, next),
  );
  app.notFound((context) => context.json(refused.notFound, 404));
  app.onError((error, context) => {
    log("failed", { message: error.stack });
    return context.json(refused.failed, 500);
  });

  const server = await new Promise((resolve, reject) => {
    const opening = serve({ fetch: app.fetch, hostname: host, port }, () => resolve(opening));
    opening.once("error", reject);
  });
  server.requestTimeout = 30_000;
  return {
    port: server.address().port,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      }),
  };
}
