/** Gathers what the checks look at: files and their modes, stores, environment, and with `--online` the network. */
import type { DoctorFacts } from "../../doctor/checks.ts";
import type { ProjectFacts, Reading } from "../../doctor/facts.ts";
import { valueOf } from "../../doctor/facts.ts";
import { UserError } from "../../base/errors.ts";
import { readEnvironmentKeys } from "../../settings/vapid.ts";
import type { Context } from "../context.ts";
import type { DoctorOptions } from "./command.ts";
import { visitAll } from "./visits.ts";
import { findPageFolder, readSurroundings, readStateFolder } from "./files.ts";

type Needs = Omit<Context, "prompt" | "io">;

export async function gatherFacts(options: DoctorOptions, context: Needs): Promise<DoctorFacts> {
  findPageFolder(options.dir, context);
  return { project: await gatherProject(options, context) };
}

async function gatherProject(options: DoctorOptions, context: Needs): Promise<ProjectFacts> {
  const { config, subscriptions, env, clock } = context;
  const read = await attempt(() => config.read());
  const stored = await attempt(() => subscriptions.list());
  const records = valueOf(stored) ?? [];
  const settings = valueOf(read)?.settings ?? {};
  return {
    nodeVersion: context.nodeVersion,
    now: clock.now(),
    env,
    state: readStateFolder(context),
    config: read,
    configPath: config.path,
    subscriptions: stored,
    subscriptionsPath: subscriptions.path,
    environmentKeys: await attempt(() => readEnvironmentKeys(env)),
    proxy: options.proxy ?? settings["proxy"],
    visits: await attempt(() => (options.online ? visitAll(options, { records, settings }, context) : [])),
    ...readSurroundings(context),
  };
}

/** What `read` answers, or the `UserError` it throws; anything else is a bug and goes on. */
async function attempt<Value>(read: () => Value | Promise<Value>): Promise<Reading<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof UserError) return { error };
    throw error;
  }
}
