/**
 * Which proxy a request goes through.
 *
 * A proxy resolves names itself, so addresses cannot be pinned through it; the rules
 * about hosts, ports and schemes still hold. Endpoints on this machine never go
 * through one: the proxy could not reach them, and what it would reach is its own.
 *
 * The environment is an argument here. `proxy-from-env`, the usual package, reads
 * the process's own and cannot be handed one.
 */
import type { Agent, AgentOptions } from "node:http";
import { UserError } from "../base/errors.ts";
import { isLoopbackHost } from "../protocol/subscription.ts";

/** Where to find the proxy. */
export interface ProxySettings {
  /** The one given by flag or settings; it is used for all hosts that `NO_PROXY` does not name. */
  readonly url: string | undefined;
  /** The environment, for `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The proxy for the URL of an endpoint or of a push service, or `undefined` to connect directly. */
export type ProxyRule = (url: string) => URL | undefined;

/**
 * Reads the settings once.
 *
 * @throws UserError `proxy-malformed`
 */
export function createProxyRule({ url, environment }: ProxySettings): ProxyRule {
  const text = url ?? (read(environment, "https_proxy") || read(environment, "all_proxy"));
  if (text === "") return () => undefined;
  const proxy = parseProxy(text);
  const exempt = read(environment, "no_proxy");
  return (target) => {
    const { hostname, port } = new URL(target);
    return isLoopbackHost(hostname) || isExempt(hostname, port, exempt) ? undefined : proxy;
  };
}

/**
 * Reads a proxy's URL; without a scheme it is `http:`.
 *
 * @throws UserError `proxy-malformed`
 * @internal
 */
export function parseProxy(text: string): URL {
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return url;
  // A proxy's URL may hold a password, so only its scheme is shown.
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  throw new UserError(
    "proxy-malformed",
    `proxy is ${scheme === undefined ? "not a URL" : `a ${scheme} URL`}`,
    {
      hints: ["write it as http://proxy.example:3128"],
    },
  );
}

/** What connects through `proxy`: a tunnel for each connection. Loaded only where a proxy applies. */
export async function openProxyAgent(proxy: URL, options: AgentOptions = {}): Promise<Agent> {
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  return new HttpsProxyAgent(proxy, options);
}

/** The lower-case spelling wins, as with curl. */
function read(environment: ProxySettings["environment"], name: string): string {
  return environment[name] || environment[name.toUpperCase()] || "";
}

/**
 * Whether `NO_PROXY` names the host: by its name, by a parent domain (with or without
 * a leading dot or `*.`), with a port where one is given, or as `*` for all.
 */
function isExempt(hostname: string, port: string, list: string): boolean {
  const host = hostname.replace(/\.$/, "");
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = entry, onlyPort] = /^(.+?)(?::(\d+))?$/.exec(bracketed(entry)) ?? [];
      if (onlyPort !== undefined && onlyPort !== (port || "443")) return false;
      const domain = name.replace(/^\*?\./, "");
      return host === domain || host.endsWith(`.${domain}`);
    });
}

/** A bare IPv6 address gets the brackets it has in a URL, so its last group is not taken for a port. */
function bracketed(entry: string): string {
  return /^[\da-f]*:[\da-f:]*:[\da-f:]*$/.test(entry) ? `[${entry}]` : entry;
}
