/** Visits the push services at hand: those of the stored subscriptions, else the usual ones. */
import { UserError } from "../../base/errors.ts";
import { serviceOf } from "../../protocol/services.ts";
import { endpointOrigin } from "../../protocol/subscription.ts";
import { usualOrigins } from "../../doctor/usual-origins.ts";
import { visitPushService, type Visit } from "../../sender/visit.ts";
import { parseTimeout } from "../../settings/table.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import { readAuthorities } from "../authorities.ts";
import type { Context } from "../context.ts";
import type { DoctorOptions } from "./command.ts";

type Needs = Pick<Context, "env" | "clock" | "cwd" | "signal">;

/** More are not visited: a list from a hundred self-hosted services would take minutes. */
const mostVisits = 12;
const patienceMs = 10_000;

interface Project {
  readonly records: readonly SubscriptionRecord[];
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws UserError of `--ca`, `--proxy` or their settings */
export async function visitAll(
  options: DoctorOptions,
  { records, settings }: Project,
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
  return Promise.all(originsOf(records).map((origin) => visitPushService(origin, limits, signal)));
}

function originsOf(records: readonly SubscriptionRecord[]): readonly string[] {
  const living = records.filter(
    ({ gone, subscription }) => gone === undefined && !serviceOf(subscription.endpoint).dead,
  );
  const origins = new Set(living.map(({ subscription }) => endpointOrigin(subscription.endpoint)));
  return origins.size > 0 ? [...origins].slice(0, mostVisits) : usualOrigins.map(({ origin }) => origin);
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
