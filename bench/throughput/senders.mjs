/**
 * Who is measured, in the order of the table.
 *
 * `module` is the file in `senders/` that does it, `options` what tells its variants apart. `protocol` names the port of
 * the service: `http1` offers HTTP/1.1 alone, `http2` both. `share` is the part of the messages that it gets: those that
 * take a millisecond for each are known well enough from fewer. `limit` marks what is no sender but a bound on one,
 * `offline` what needs no service. `threads` are threads that encrypt besides the one that sends.
 */
import { availableParallelism } from "node:os";

/** What the others are compared to: web-push as it is used by those who care. */
export const reference = "web-push, keep-alive agent";

const one = { threads: 0 };
const all = { threads: availableParallelism() };

export const senders = [
  {
    name: "web-push, no agent",
    module: "web-push",
    options: { agent: false },
    protocol: "http1",
    share: 0.1,
  },
  { name: reference, module: "web-push", options: { agent: true }, protocol: "http1", share: 0.1 },
  { name: "@pushforge/builder and fetch", module: "pushforge", protocol: "http1", share: 0.1 },
  { name: "webpush, HTTP/1.1, 1 thread", module: "webpush", options: one, protocol: "http1" },
  { name: "webpush, HTTP/2, 1 thread", module: "webpush", options: one, protocol: "http2" },
  { name: "webpush, HTTP/1.1, all cores", module: "webpush", options: all, protocol: "http1" },
  { name: "webpush, HTTP/2, all cores", module: "webpush", options: all, protocol: "http2" },
  { name: "webpush send (whole process), HTTP/2", module: "command", protocol: "http2" },
  {
    name: "encryption, 1 thread",
    module: "encryption",
    options: one,
    protocol: "http2",
    limit: true,
    offline: true,
  },
  {
    name: "encryption, all cores",
    module: "encryption",
    options: all,
    protocol: "http2",
    limit: true,
    offline: true,
  },
  { name: "node:https, bodies ready", module: "bare-https", protocol: "http1", limit: true },
  { name: "node:http2, bodies ready", module: "bare-http2", protocol: "http2", limit: true },
  { name: "our transport, HTTP/1.1, bodies ready", module: "transport", protocol: "http1", limit: true },
  { name: "our transport, HTTP/2, bodies ready", module: "transport", protocol: "http2", limit: true },
];
