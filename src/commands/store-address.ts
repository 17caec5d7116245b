/** Which database a command is to work on. */
import { UserError } from "../base/errors.ts";
import type { Context } from "./context.ts";

type Needs = Pick<Context, "env">;

/** The address of the database that keys and subscriptions are kept in; undefined for the project's files. */
export function storeAddressOf({ env }: Needs): string | undefined {
  const address = env["WEBPUSH_STORE"] ?? "";
  return address === "" ? undefined : address;
}

/**
 * The same, for commands that need a database.
 *
 * @throws UserError `store-required`
 */
export function requireStoreAddress(context: Needs): string {
  const address = storeAddressOf(context);
  if (address !== undefined) return address;
  throw new UserError("store-required", "this needs a database, and subscriptions are kept in a file here", {
    hints: ["name one: export WEBPUSH_STORE=postgres://user@host/database, then webpush store migrate"],
  });
}
