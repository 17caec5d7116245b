/**
 * What a worker answers to those who watch over it: whether it lives, whether it can work, and its figures.
 *
 * Nothing can be changed here and nothing secret is told, so nobody is asked who they are.
 */
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { UserError } from "../base/errors.ts";
import { hostInUrl } from "../base/host.ts";
import { describePortFailure } from "../base/port-failure.ts";
import { closeListener, openListener } from "./listener.ts";

export interface WorkerHealthOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What is wrong with the worker itself; undefined as long as it lives. */
  readonly whyDead: () => string | undefined;
  /** What keeps it from working; undefined when nothing does. */
  readonly whyNotReady: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A running health endpoint. */
export interface WorkerHealth extends AsyncDisposable {
  /** Where it listens, as `http://127.0.0.1:9464`. */
  readonly origin: string;
}

/**
 * Starts answering `/livez`, `/readyz` and `/metrics`.
 *
 * @throws UserError `health-port`
 */
export async function startWorkerHealth(options: WorkerHealthOptions): Promise<WorkerHealth> {
  const { host, port } = options;
  const server = await openListener({ host, port }).catch((error: unknown) => {
    const { message, hints } = describePortFailure(error, { host, port, anyPort: "--health 0" });
    throw new UserError("health-port", message, { kind: "failed", hints, cause: error });
  });
  const app = createHealthApp(options);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: "localhost" });
  server.on("request", (request, response) => void answer(request, response));
  const taken = (server.address() as AddressInfo).port;
  return {
    origin: `http://${hostInUrl(host)}:${taken}`,
    [Symbol.asyncDispose]: () => closeListener(server),
  };
}

function createHealthApp({ whyDead, whyNotReady, metrics }: WorkerHealthOptions): Hono {
  const app = new Hono();
  const answer = (why: string | undefined): Response =>
    new Response(`${why ?? "ok"}\n`, { status: why === undefined ? 200 : 503, headers: plain });
  app.get("/livez", () => answer(whyDead()));
  app.get("/readyz", () => answer(whyDead() ?? whyNotReady()));
  app.get("/metrics", async () => {
    const { contentType, text } = await metrics();
    return new Response(text, { headers: { ...plain, "content-type": contentType } });
  });
  app.notFound(() => new Response("ask for /livez, /readyz or /metrics\n", { status: 404, headers: plain }));
  return app;
}

const plain = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};
