/** HTTP with Fastify. */
import rateLimit from "@fastify/rate-limit";
import staticFiles from "@fastify/static";
import fastify from "fastify";
import { answer, pageCacheControl, refused, securityHeaders } from "./lib/handle.js";
import { limits, maxBodyBytes } from "./lib/service.js";

export async function listen(service, { host, port }) {
  const { config, log } = service;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: 30_000,
    trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(securityHeaders);
  });
  // Bodies stay text until they are checked: the same words for what is wrong in each of our servers.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (request, text, done) => done(null, text));
  app.setErrorHandler((error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 429) return reply.code(429).send(refused.tooMany);
    if (status === 413) return reply.code(413).send(refused.tooLarge);
    if (status >= 400 && status < 500) return reply.code(status).send(refused.malformed);
    log("failed", { message: error.stack });
    return reply.code(500).send(refused.failed);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0];
    const isKnown = service.routes.some((route) => route.path === path);
    return isKnown ? reply.code(405).send(refused.notAllowed) : reply.code(404).send(refused.notFound);
  });

  await app.register(rateLimit, { global: false });
  for (const route of service.routes) {
    app.route({
      method: route.method,
      url: route.path,
      config: route.limit
        ? { rateLimit: { max: limits[route.limit], timeWindow: 60_000, groupId: route.limit } }
        : {},
      handler: async ({ headers, params, body: text }, reply) => {
        const { status, body } = await answer(service, route, { headers, params, text: text ?? "" });
        return reply.code(status).header("cache-control", "no-store").send(body);
      },
    });
  }
  await app.register(staticFiles, {
    root: config.page,
    dotfiles: "ignore",
    cacheControl: false,
    setHeaders: (response) => response.setHeader("cache-control", pageCacheControl),
  });

  await app.listen({ port, host });
  return { port: app.server.address().port, close: () => app.close() };
}
