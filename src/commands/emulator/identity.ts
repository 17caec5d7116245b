/** The certificate an emulator shows: the kept one while it is good, else a new one, and a word about that. */
import { UserError } from "../../base/errors.ts";
import { createTlsIdentity, readTlsIdentity, type TlsIdentity } from "../../emulator/certificate.ts";
import type { EmulatorIdentityStore, StoredIdentity } from "../../store/emulator-identity.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";

/** What to show over TLS, and the file that whoever connects is to trust. */
export interface EmulatorIdentity {
  readonly tls: TlsIdentity;
  /** `undefined` when it could not be written. */
  readonly caPath: string | undefined;
}

/** Opens the identity in `store`. An emulator without a folder to write to still runs. */
export async function openIdentity(
  store: EmulatorIdentityStore,
  { io, clock, random }: Pick<Context, "io" | "clock" | "random">,
): Promise<EmulatorIdentity> {
  const warn = (what: string) => {
    io.err(`${io.paint.err.caution("warning:")} ${printable(what)}`);
  };
  const now = clock.now();
  const outcome: { made?: TlsIdentity; isReplaced: boolean } = { isReplaced: false };
  const choose = (kept: StoredIdentity | "damaged" | undefined): StoredIdentity => {
    if (kept !== undefined && kept !== "damaged" && readTlsIdentity(kept, now) !== undefined) return kept;
    outcome.isReplaced ||= kept !== undefined;
    return (outcome.made ??= createTlsIdentity({ clock, random }));
  };
  try {
    const tls = readTlsIdentity(await store.keep(choose), now);
    if (tls === undefined) throw new Error("the emulator's own certificate does not read back");
    if (outcome.isReplaced) {
      warn(`the certificate in ${store.path} was damaged or too old, there is a new one`);
      io.err(`${io.paint.err.hint("hint:")} restart what trusts ${printable(store.caPath)}`);
    }
    return { tls, caPath: store.caPath };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`https is for this run only, as its certificate cannot be kept: ${error.message}`);
    return { tls: outcome.made ?? createTlsIdentity({ clock, random }), caPath: undefined };
  }
}
