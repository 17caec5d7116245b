/**
 * The first page of a browser: a local address that sends it on to the real page when all is ready for that.
 *
 * Firefox makes its push service late in its start, and a page that subscribes
 * before hangs for ever, without an error. So it is sent here first, and the answer
 * waits until the emulator has heard from it. Being asked for this page is also
 * the one sign, the same in all browsers, that a browser has come up.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Gate {
  /** Where to send the browser. */
  readonly url: string;
  /** Resolves when the browser has asked for it. */
  readonly reached: Promise<void>;
  close(): Promise<void>;
}

export interface GateOptions {
  /** Where it leads: a page, or `about:blank`, to which no server can send anybody. */
  readonly url: string;
  readonly until: Promise<unknown>;
  /** Said on the page that stands for `about:blank`. */
  readonly pushService: string;
}

/** Opens a gate on a free port of loopback. Its address cannot be guessed, so no other page can open it. */
export async function openGate({ url, until, pushService }: GateOptions): Promise<Gate> {
  const path = `/${randomBytes(16).toString("hex")}`;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const server = createServer((request, response) => {
    if (request.url !== path) {
      response.writeHead(404).end();
      return;
    }
    reach();
    const sendOn = () => {
      if (url === "about:blank")
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(pushService));
      else response.writeHead(302, { location: url, "cache-control": "no-store" }).end();
    };
    // What fails is told by whoever made the promise; the browser is closed then.
    until.then(sendOn, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    reached,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function page(pushService: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Ready for push</title>
<body style="font: 1rem/1.5 system-ui; margin: 3rem auto; max-width: 36rem; padding: 0 1rem">
<h1 style="font-size: 1.5rem">Ready for push</h1>
<p>This browser gets its push messages from ${pushService}, and every site may show notifications.</p>
<p>Open your page here.</p>
`;
}
