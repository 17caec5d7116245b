/**
 * `webpush scaffold`: a page that receives web push, with the project's public key in it, and a server that sends it.
 */
import { resolve } from "node:path";
import { createKeyPair } from "../../protocol/vapid.ts";
import { applyPlans } from "../../scaffold/apply.ts";
import {
  defaultAppName,
  defaultServerPath,
  parseAppName,
  parseServerPath,
  serverKinds,
  type ServerKind,
  type ServerPath,
} from "../../scaffold/answers.ts";
import { createPlan } from "../../scaffold/plan.ts";
import { inspectTargets, isInside, locateTarget, type Filled, type Target } from "../../scaffold/target.ts";
import { readTemplate } from "../../scaffold/template.ts";
import type { Prompt } from "../../terminal/prompt.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ScaffoldOptions } from "./command.ts";
import { findPageKey, makePageKey } from "./page-key.ts";
import {
  exposedKeysText,
  fileJson,
  keyText,
  nextStepsText,
  pathLines,
  summaryText,
  treeText,
  type NextSteps,
  type Written,
} from "./render.ts";
import { checkServerFlags, locateServer, planServer } from "./targets.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "env" | "clock" | "random" | "cwd" | "json">;

export async function run(options: ScaffoldOptions, context: Needs): Promise<ExitCode> {
  checkServerFlags(options);
  const target = locateTarget(options.dir, context.cwd);
  const found = await findPageKey(options, context);
  const { server: kind, ...asked } = await askFor(options, context.prompt);
  const server = kind === undefined ? undefined : locateServer(kind, target, options, context.cwd);
  const plansWith = (publicKey: string): readonly Filled[] => {
    const answers = { appName: asked.appName, server: asked.api, themeColor: options.themeColor, publicKey };
    const page = { target, plan: createPlan(readTemplate("client"), answers) };
    return server === undefined ? [page] : [page, planServer(server, target, asked.api ?? defaultServerPath)];
  };

  // What stands in the way must come to light before a key is made and stored.
  const draft = found?.publicKey ?? createKeyPair(context.random).publicKey;
  const inspected = inspectTargets(plansWith(draft), options);
  if (options.dryRun) {
    print({ folders: inspected, dryRun: true }, context);
    for (const line of keyText(found, context.config.path)) context.io.say(line);
    return ExitCode.ok;
  }
  const key = found ?? (await makePageKey(options, context));
  print({ folders: applyPlans(plansWith(key.publicKey), options), dryRun: false }, context);
  for (const line of keyText(key, context.config.path)) context.io.say(line);
  await tellTheRest({ target, key, api: asked.api, server: server?.target }, context);
  return ExitCode.ok;
}

/** What is left to do, for people; that the private key lies in a public folder, for everybody. */
async function tellTheRest(steps: Omit<NextSteps, "exposesKeys">, context: Needs): Promise<void> {
  const exposesKeys = await holdsKeys(steps.target, context);
  if (exposesKeys) for (const line of exposedKeysText(context)) context.io.err(line);
  if (context.json) return;
  for (const line of nextStepsText({ ...steps, exposesKeys }, context)) context.io.say(line);
}

/** Whether the project's private keys lie in the folder, which is there to be served. */
async function holdsKeys({ root }: Target, { config, cwd }: Needs): Promise<boolean> {
  if (!config.isFile || !isInside(root, resolve(cwd, config.path))) return false;
  return (await config.read()).pairs.length > 0;
}

/** What the flags leave open is asked where somebody can answer, and assumed where nobody can. */
async function askFor({ name, api, server, yes }: ScaffoldOptions, prompt: Prompt) {
  const asks = prompt.available && !yes;
  const nameOpen = asks && name === undefined;
  const appName = nameOpen
    ? await prompt.input("Name of the app", parseAppName, defaultAppName)
    : (name ?? defaultAppName);
  const path = api ?? (asks ? await askForPath(prompt, server) : defaultServerPath);
  if (path === "none") return { appName, api: null, server: undefined };
  return { appName, api: path, server: server ?? (asks ? await askForServer(prompt) : undefined) };
}

async function askForPath(prompt: Prompt, server: ServerKind | undefined): Promise<ServerPath> {
  const where = await prompt.select<"usual" | "other" | "none">("Where does the page send subscriptions?", [
    {
      name: `to a server of this site, at ${defaultServerPath}`,
      value: "usual",
      description: "while nothing answers there, the page shows them for copying",
    },
    { name: "to a server of this site, at another path", value: "other" },
    ...(server === undefined
      ? [{ name: "nowhere", value: "none" as const, description: "the page shows them for copying, always" }]
      : []),
  ]);
  if (where === "other") return prompt.input("Path of the server", parseServerPath, defaultServerPath);
  return where === "none" ? where : defaultServerPath;
}

async function askForServer(prompt: Prompt): Promise<ServerKind | undefined> {
  const kind = await prompt.select<ServerKind | "none">("Write a push server too?", [
    { name: "No server", value: "none", description: "webpush serve does for development" },
    ...serverKinds.map((name) => ({ name, value: name })),
  ]);
  return kind === "none" ? undefined : kind;
}

/** Data for whoever reads stdout: records, a tree for eyes, or a path per line for the next program. */
function print(written: Written, { io, json }: Needs): void {
  if (json) for (const line of fileJson(written)) io.out(line);
  else for (const line of io.terminal.out ? treeText(written, io) : pathLines(written)) io.out(line);
  for (const line of summaryText(written)) io.say(line);
}
