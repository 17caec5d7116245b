/** HTTP with Express. */
import express from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import { answer, pageCacheControl, refused, securityHeaders } from "./lib/handle.js";
import { limits, maxBodyBytes } from "./lib/service.js";

export async function listen(service, { host, port }) {
  const { config, log } = service;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", config.trustProxy);
  app.use((request, response, next) => {
    response.set(securityHeaders);
    next();
  });

  const limiters = Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limiter(limit)]));
  const readText = express.text({ type: () => true, limit: maxBodyBytes });
  for (const route of service.routes) {
    const before = route.limit ? [limiters[route.limit], readText] : [readText];
    app[route.method.toLowerCase()](route.path, ...before, async (request, response) => {
      const { headers, params, body: text } = request;
      const { status, body } = await answer(service, route, { headers, params, text: text || "" });
      response.status(status).set("cache-control", "no-store");
      if (body === undefined) response.end();
      else response.json(body);
    });
  }
  for (const { path } of service.routes) {
    app.all(path, (request, response) => response.status(405).json(refused.notAllowed));
  }

  app.use(
    express.static(config.page, {
      dotfiles: "ignore",
      setHeaders: (response) => response.set("cache-control", pageCacheControl),
    }),
  );
  app.use((request, response) => response.status(404).json(refused.notFound));
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.status === 413) return response.status(413).json(refused.tooLarge);
    if (error.status >= 400 && error.status < 500)
      return response.status(error.status).json(refused.malformed);
    log("failed", { message: error.stack });
    return response.status(500).json(refused.failed);
  });

  const server = await new Promise((resolve, reject) => {
    const opening = app.listen(port, host, (error) => (error ? reject(error) : resolve(opening)));
  });
  return {
    port: server.address().port,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      }),
  };
}

function limiter(limit) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    message: refused.tooMany,
    keyGenerator: (request) => ipKeyGenerator(request.ip ?? "", 64), // one household has a /64 of IPv6
  });
}
