/**
 * The files of the page. A file is sent when its real path, every link followed, lies inside the folder and no part
 * of it starts with a dot; so neither a name nor a link can lead to what is outside, or to a .env.
 */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, isAbsolute, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { pageCacheControl } from "./handle.js";

const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json"],
  [".webmanifest", "application/manifest+json"],
  [".txt", "text/plain; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".jpeg", "image/jpeg"],
  [".gif", "image/gif"],
  [".webp", "image/webp"],
  [".avif", "image/avif"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
]);

/** @returns whether the file at `path` was sent; when not, nothing was */
export function openPages(folder) {
  return async (request, response, path) => {
    const file = await find(folder, path);
    if (!file) return false;
    const { size, mtime } = file.found;
    const etag = `W/"${size.toString(16)}-${mtime.getTime().toString(16)}"`;
    response.setHeader("cache-control", pageCacheControl);
    response.setHeader("etag", etag);
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304).end();
      return true;
    }
    const type = types.get(extname(file.path).toLowerCase()) ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": size });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(file.path), response).catch(() => response.destroy());
    return true;
  };
}

async function find(folder, path) {
  try {
    const name = decodeURIComponent(path);
    if (name.includes("\0")) return undefined;
    const [root, real] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    const found = await stat(real);
    if (found.isDirectory()) return name.endsWith("/") ? await find(folder, `${path}index.html`) : undefined;
    const way = relative(root, real);
    const isInside = !isAbsolute(way) && !way.split(sep).some((part) => part.startsWith("."));
    return isInside && found.isFile() ? { path: real, found } : undefined;
  } catch {
    return undefined; // not there, not readable, or no path at all
  }
}
