/**
 * `webpush scaffold`: a page that receives web push, with the project's public key in it.
 */
import { resolve } from "node:path";
import { createKeyPair } from "../../protocol/vapid.ts";
import { applyPlan } from "../../scaffold/apply.ts";
import {
  defaultAppName,
  defaultServerPath,
  parseAppName,
  parseServerPath,
  type ServerPath,
} from "../../scaffold/answers.ts";
import { createPlan, type PlannedFile } from "../../scaffold/plan.ts";
import { inspectTarget, isInside, locateTarget, type Target } from "../../scaffold/target.ts";
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
  type Written,
} from "./render.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "env" | "clock" | "random" | "cwd" | "json">;

export async function run(options: ScaffoldOptions, context: Needs): Promise<ExitCode> {
  const target = locateTarget(options.dir, context.cwd);
  const template = readTemplate("client");
  const found = findPageKey(options, context);
  const answers = { ...(await askFor(options, context.prompt)), themeColor: options.themeColor };
  const planWith = (publicKey: string): readonly PlannedFile[] =>
    createPlan(template, { ...answers, publicKey });

  // What stands in the way must come to light before a key is made and stored.
  const draft = found?.publicKey ?? createKeyPair(context.random).publicKey;
  const inspected = inspectTarget(target, planWith(draft), options);
  if (options.dryRun) {
    print({ target, files: inspected, dryRun: true }, context);
    for (const line of keyText(found, context.config.path)) context.io.say(line);
    return ExitCode.ok;
  }
  const key = found ?? (await makePageKey(options, context));
  print({ target, files: applyPlan(target, planWith(key.publicKey), options), dryRun: false }, context);
  for (const line of keyText(key, context.config.path)) context.io.say(line);
  const exposesKeys = holdsKeys(target, context);
  if (exposesKeys) for (const line of exposedKeysText(context)) context.io.err(line);
  if (context.json) return ExitCode.ok;
  for (const line of nextStepsText({ target, key, server: answers.server, exposesKeys }, context))
    context.io.say(line);
  return ExitCode.ok;
}

/** Whether the project's private keys lie in the folder, which is there to be served. */
function holdsKeys({ root }: Target, { config, cwd }: Needs): boolean {
  return isInside(root, resolve(cwd, config.path)) && config.read().pairs.length > 0;
}

/** What the flags leave open is asked where somebody can answer, and assumed where nobody can. */
async function askFor({ name, api, yes }: ScaffoldOptions, prompt: Prompt) {
  const asks = prompt.available && !yes;
  const nameOpen = asks && name === undefined;
  const appName = nameOpen
    ? await prompt.input("Name of the app", parseAppName, defaultAppName)
    : (name ?? defaultAppName);
  const server = api ?? (asks ? await askForServer(prompt) : defaultServerPath);
  return { appName, server: server === "none" ? null : server };
}

async function askForServer(prompt: Prompt): Promise<ServerPath> {
  const where = await prompt.select<"usual" | "other" | "none">("Where does the page send subscriptions?", [
    {
      name: `to a server of this site, at ${defaultServerPath}`,
      value: "usual",
      description: "while nothing answers there, the page shows them for copying",
    },
    { name: "to a server of this site, at another path", value: "other" },
    { name: "nowhere", value: "none", description: "the page shows them for copying, always" },
  ]);
  if (where === "other") return prompt.input("Path of the server", parseServerPath, defaultServerPath);
  return where === "none" ? where : defaultServerPath;
}

/** Data for whoever reads stdout: records, a tree for eyes, or a path per line for the next program. */
function print(written: Written, { io, json }: Needs): void {
  if (json) for (const file of written.files) io.out(fileJson(file, written));
  else for (const line of io.terminal.out ? treeText(written, io) : pathLines(written)) io.out(line);
  io.say(summaryText(written));
}
