/** Visits the push services at hand: those of the stored subscriptions, else the usual ones. */
import { UserError } from "../../base/errors.ts";
import { usualOrigins } from "../../doctor/usual-origins.ts";
import { visitPushService, type Visit } from "../../sender/visit.ts";
import { parseTimeout } from "../../settings/table.ts";
import { readAuthorities } from "../authorities.ts";
import type { Context } from "../context.ts";
import type { DoctorOptions } from "./command.ts";

type Needs = Pick<Context, "env" | "clock" | "cwd" | "signal">;

const patienceMs = 10_000;

interface Project {
  /** Of the stored subscriptions. */
  readonly origins: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws UserError of `--ca`, `--proxy` or their settings */
export async function visitAll(
  options: DoctorOptions,
  { origins, settings }: Project,
  { env, clock, cwd, signal }: Needs,
): Promise<readonly Visit[]> {
  const ca = options.ca ?? settings["ca"];
  const limits = {
    timeoutMs: options.timeout ?? timeoutOf(settings),
    proxy: { url: options.proxy ?? settings["proxy"], environment: env },
    ca: ca === undefined ? undefined : readAuthorities(ca, cwd),
    allow: { private: false, hosts: [] },
    now: () => clock.now(),
  };
  const visited = origins.length > 0 ? origins : usualOrigins.map(({ origin }) => origin);
  return Promise.all(visited.map((origin) => visitPushService(origin, limits, signal)));
}

/** Of the project's settings; one that does not read is told by a check, and no reason not to look. */
function timeoutOf({ timeout }: Project["settings"]): number {
  if (timeout === undefined) return patienceMs;
  try {
    return parseTimeout(timeout);
  } catch (error) {
    if (error instanceof UserError) return patienceMs;
    throw error;
  }
}
