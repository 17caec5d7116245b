/**
 * The emulator beside `webpush serve`: a push service whose subscriptions survive a restart.
 *
 * Its state is the project's, in `.webpush/emulator/`, so what a browser subscribed
 * yesterday is known today, and messages that waited still come.
 */
import { UserError } from "../../base/errors.ts";
import type { LocalPushService } from "../../server/local-push-service.ts";
import type { Context } from "../context.ts";
import { runEmulator, type RunningEmulator, type RunOptions } from "../emulator/running.ts";

export interface EmulatorBeside extends RunningEmulator {
  /** How the server tells the emulator's subscriptions from others. */
  readonly pushService: LocalPushService;
}

/**
 * Starts it with what was kept.
 *
 * @throws UserError `emulator-port`, `emulator-state`, and those of the state file
 */
export async function startEmulatorBeside(
  { port, onEvent }: { readonly port: number; readonly onEvent: RunOptions["onEvent"] },
  context: Pick<Context, "io" | "clock" | "random" | "emulatorState" | "emulatorIdentity">,
): Promise<EmulatorBeside> {
  const { emulatorIdentity: identity, emulatorState: stateFile } = context;
  const running = await runEmulator({ port, identity, stateFile, onEvent }, context).catch(
    (error: unknown) => {
      throw portTaken(error);
    },
  );
  const { origin, service } = running.emulator;
  const knows: LocalPushService["knows"] = (token) => service.peekPushId(token).kind === "subscription";
  return { ...running, pushService: { origin, knows } };
}

/** The same error, with this command's own flag for the port. */
function portTaken(error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "emulator-port") return error;
  return new UserError("emulator-port", `the emulator cannot start: ${error.message}`, {
    kind: "failed",
    hints: ["stop the other program, or add --emulator-port 0 for any free port"],
    cause: error,
  });
}
