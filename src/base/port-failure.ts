/** Why a port could not be listened on, and what to do: the same words for all that listen. */
import { messageOf, systemCode } from "./errors.ts";

export interface PortWanted {
  readonly host: string;
  readonly port: number;
  /** What asks for any free port: `--port 0`. */
  readonly anyPort: string;
}

export function describePortFailure(
  cause: unknown,
  { host, port, anyPort }: PortWanted,
): { readonly message: string; readonly hints: readonly string[] } {
  const isTaken = systemCode(cause) === "EADDRINUSE";
  const what = isTaken ? "is taken by another program" : `cannot be opened: ${messageOf(cause)}`;
  const hint = isTaken
    ? `stop the other program, or choose another port; ${anyPort} takes any free one`
    : "choose another address or port";
  return { message: `port ${port} of ${host} ${what}`, hints: [hint] };
}
