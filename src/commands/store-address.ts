/** Which database a command is to work on. */
import { UserError } from "../base/errors.ts";
import type { Context } from "./context.ts";

type Needs = Pick<Context, "storeAddress">;

/** The address of the database that keys and subscriptions are kept in; undefined for the project's files. */
export function storeAddressOf({ storeAddress }: Needs): string | undefined {
  return storeAddress();
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
    hints: ["name one: --store postgres://user@host/database or WEBPUSH_STORE, then webpush store migrate"],
  });
}
