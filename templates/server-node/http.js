/** HTTP with nothing but Node. */
import { createServer } from "node:http";
import { answer, refused, securityHeaders } from "./lib/handle.js";
import { createClientFinder, createLimiter } from "./lib/limiter.js";
import { openPages } from "./lib/pages.js";
import { maxBodyBytes } from "./lib/service.js";

export async function listen(service, { host, port }) {
  const { config, log } = service;
  const isAllowed = createLimiter();
  const clientOf = createClientFinder(config.trustProxy);
  const sendPage = openPages(config.page);

  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    try {
      const path = request.url.split("?")[0];
      const found = findRoute(service.routes, request.method, path);
      if (!found) return await sendOther(service.routes, request, response, path);
      const { route, params } = found;
      if (!isAllowed(route.limit, clientOf(request))) return sendJson(response, 429, refused.tooMany);
      const text = await readText(request);
      if (text === undefined) return sendJson(response, 413, refused.tooLarge);
      const { status, body } = await answer(service, route, { headers: request.headers, params, text });
      return sendJson(response, status, body);
    } catch (error) {
      if (request.destroyed && !response.writable) return; // the client has left
      log("failed", { message: error.stack });
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, refused.failed);
    }
  });

  /** No resource of ours: a file of the page, or nothing. */
  async function sendOther(routes, request, response, path) {
    const isKnown = routes.some((route) => paramsOf(route.path, path));
    if (isKnown) return sendJson(response, 405, refused.notAllowed);
    const isSent = ["GET", "HEAD"].includes(request.method) && (await sendPage(request, response, path));
    if (!isSent) sendJson(response, 404, refused.notFound);
  }

  // A client that sends its request a byte at a time does not hold a connection for ever.
  server.requestTimeout = 30_000;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
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

function findRoute(routes, method, path) {
  for (const route of routes) {
    const params = route.method === method ? paramsOf(route.path, path) : undefined;
    if (params) return { route, params };
  }
  return undefined;
}

/** `/send/:id` against `/send/7`: `{ id: "7" }`; undefined when they differ. */
function paramsOf(pattern, path) {
  const [wanted, parts] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== parts.length) return undefined;
  const params = {};
  for (const [index, name] of wanted.entries()) {
    if (name.startsWith(":")) params[name.slice(1)] = parts[index];
    else if (name !== parts[index]) return undefined;
  }
  return params;
}

/** The body as text; undefined when it is too large. */
async function readText(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response, status, body) {
  response.setHeader("cache-control", "no-store");
  if (body === undefined) return response.writeHead(status).end();
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  return response.end(JSON.stringify(body));
}
