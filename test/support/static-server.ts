/**
 * A small file server for browser tests: one folder, on a free port of 127.0.0.1.
 *
 * It serves what is on disk, except for the paths in `replace` (a rendered template file, say), and hands every
 * request that is no GET of a file to `answer`, which plays the part of an application server. Without `answer`
 * it behaves like plain hosting: 405 for POST and DELETE, 404 for what is not there.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

interface StaticAnswer {
  readonly status: number;
  readonly json?: unknown;
}

export interface StaticServerOptions {
  readonly replace?: ReadonlyMap<string, string>;
  readonly answer?: (request: ReceivedRequest) => StaticAnswer | undefined;
}

export interface StaticServer extends AsyncDisposable {
  readonly origin: string;
  /** Everything that was not a GET of a file, in order of arrival. */
  readonly requests: readonly ReceivedRequest[];
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

export async function startStaticServer(
  root: string,
  { replace = new Map<string, string>(), answer }: StaticServerOptions = {},
): Promise<StaticServer> {
  const requests: ReceivedRequest[] = [];

  const server = createServer((request, response) => {
    void respond(request).then(
      ({ status, type, body }) =>
        response.writeHead(status, { "content-type": type, "cache-control": "no-cache" }).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });

  async function respond(request: IncomingMessage) {
    const method = request.method ?? "GET";
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const name = path.endsWith("/") ? `${path}index.html`.slice(1) : path.slice(1);
    const file = method === "GET" ? await read(name) : undefined;
    if (file !== undefined)
      return { status: 200, type: TYPES[extname(name)] ?? "application/octet-stream", body: file };

    const received = { method, path, body: await text(request) };
    requests.push(received);
    const given = answer?.(received) ?? { status: method === "GET" ? 404 : 405 };
    return { status: given.status, type: "application/json", body: JSON.stringify(given.json ?? {}) };
  }

  async function read(name: string): Promise<string | Buffer | undefined> {
    const replaced = replace.get(name);
    if (replaced !== undefined) return replaced;
    const safe = normalize(`/${name}`); // no `..` survives this
    return readFile(join(root, safe)).catch(() => undefined);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
