/** How the values of `webpush worker`'s flags are read. */
import { UserError } from "../../base/errors.ts";
import { parseCount } from "../../settings/table.ts";

/** An address of this machine to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const mostChunks = 64;

/** @throws UserError `count` */
export function parseChunks(text: string): number {
  return parseCount("chunks", text, mostChunks);
}

/** @throws UserError `count` */
export function parseOriginRate(text: string): number {
  return parseCount("origin-rate", text, 100_000);
}

/**
 * A port of loopback, or an address with a port; IPv6 in brackets.
 *
 * @throws UserError `health-address`
 */
export function parseAddress(text: string): ListenAddress {
  const [, host, port] = /^(?:(\[[\da-f:.]+\]|[^[\]:/\s]*):)?(\d{1,5})$/i.exec(text.trim()) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new UserError("health-address", `--health cannot listen on ${JSON.stringify(text)}`, {
      hints: ["give a port of this machine, 9464, or an address with it: 0.0.0.0:9464, [::]:9464"],
    });
  }
  const name = (host ?? "").replace(/^\[|\]$/g, "");
  return { host: name === "" ? "127.0.0.1" : name, port: Number(port) };
}
