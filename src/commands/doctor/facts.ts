/** Gathers what the checks look at: files and their modes, stores, environment, and with `--online` the network. */
import type { DoctorFacts } from "../../doctor/checks.ts";
import type { ProjectFacts, Reading } from "../../doctor/facts.ts";
import { valueOf } from "../../doctor/facts.ts";
import { ringOf } from "../../doctor/key-checks.ts";
import { surveySubscriptions } from "../../doctor/survey.ts";
import { UserError } from "../../base/errors.ts";
import { readEnvironmentKeys } from "../../settings/vapid.ts";
import type { Context } from "../context.ts";
import type { DoctorOptions } from "./command.ts";
import { findPageFolder, readSurroundings, readStateFolder } from "./files.ts";
import { gatherPage } from "./page-facts.ts";
import { visitAll } from "./visits.ts";

type Needs = Omit<Context, "prompt" | "io">;

/** @throws UserError `doctor-folder` */
export async function gatherFacts(options: DoctorOptions, context: Needs): Promise<DoctorFacts> {
  // First, so that a folder that is not there is said before anybody is visited.
  const folder = findPageFolder(options.dir, context);
  const project = await gatherProject(options, context);
  return { project, page: await gatherPage(folder, options.only, project) };
}

async function gatherProject(options: DoctorOptions, context: Needs): Promise<ProjectFacts> {
  const { config, subscriptions, env, clock } = context;
  const read = await attempt(() => config.read());
  const environmentKeys = await attempt(() => readEnvironmentKeys(env));
  const pairs = ringOf({ config: read, environmentKeys })?.pairs ?? [];
  const now = clock.now();
  const stored = await attempt(() => surveySubscriptions(subscriptions, { pairs, now }));
  const origins = valueOf(stored)?.origins ?? [];
  const asked = await attempt(() => context.settings.read());
  const settings = valueOf(asked) ?? {};
  return {
    nodeVersion: context.nodeVersion,
    now,
    env,
    state: readStateFolder(context),
    config: read,
    settings: asked,
    configPath: config.path,
    subscriptions: stored,
    subscriptionsPath: subscriptions.path,
    environmentKeys,
    proxy: options.proxy ?? settings["proxy"],
    visits: await attempt(() => (options.online ? visitAll(options, { origins, settings }, context) : [])),
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
