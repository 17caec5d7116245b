/**
 * `webpush keys`: makes the project's key pair, or shows the one it has.
 */
import { createKeyPair } from "../../protocol/vapid.ts";
import { readEnvironmentKeys, type EnvironmentKeys } from "../../settings/vapid.ts";
import { currentPair, type ProjectConfig } from "../../store/config.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { KeysOptions } from "./command.ts";
import { makePair } from "./make.ts";
import {
  environmentPairText,
  keysJson,
  pairMadeText,
  pairShownText,
  printedPairText,
  type KeysText,
  type KeysView,
} from "./render.ts";
import { confirmReplacement } from "./replace.ts";
import { noteSubject, promptForSubject } from "./subject.ts";

type Needs = Pick<
  Context,
  "io" | "prompt" | "config" | "settings" | "subscriptions" | "clock" | "random" | "env" | "json"
>;

export async function run(options: KeysOptions, context: Needs): Promise<ExitCode> {
  if (options.print) return printPair(options, context);
  noteSubject(options.subject, context);
  const environment = readEnvironmentKeys(context.env);
  const existing = currentPair(await context.config.read());
  if (!options.force && (environment.pair ?? existing) !== undefined) {
    show(await storeSubject(options, context), environment, options, context);
    return ExitCode.ok;
  }
  if (existing !== undefined) await confirmReplacement(existing.pair, options, context);
  return makeAndShow(options, context, existing !== undefined);
}

async function makeAndShow(options: KeysOptions, context: Needs, replacing: boolean): Promise<ExitCode> {
  const { io, json } = context;
  const subject = options.subject?.subject ?? (await promptForSubject(context));
  const after = await makePair({ subject, replacing }, context);
  const pair = currentPair(after)?.pair;
  if (pair === undefined) throw new Error("the pair that was made is not there");
  if (json) io.out(keysJson(pair));
  else print(pairMadeText({ ...after, pair }, viewOf(options, context), io), io);
  return ExitCode.ok;
}

function printPair({ subject }: KeysOptions, context: Needs): ExitCode {
  noteSubject(subject, context);
  const pair = createKeyPair(context.random);
  context.io.out(context.json ? keysJson(pair) : printedPairText(pair, subject?.subject));
  return ExitCode.ok;
}

/** Shows the pair that a run would use: the environment's, or the project's. */
function show(kept: ProjectConfig, environment: EnvironmentKeys, options: KeysOptions, context: Needs): void {
  const { io, json } = context;
  const pair = environment.pair ?? currentPair(kept)?.pair;
  if (pair === undefined) return;
  if (json) {
    io.out(keysJson(pair));
    return;
  }
  const used = { ...kept, subject: environment.subject ?? kept.subject };
  const text = environment.pair === undefined ? pairShownText : environmentPairText;
  print(text({ ...used, pair }, viewOf(options, context), io), io);
}

function viewOf({ private: isPrivate }: KeysOptions, { config, settings }: Needs): KeysView {
  return {
    path: config.path,
    isFile: config.isFile,
    isIgnoredByGit: settings.isIgnoredByGit(),
    private: isPrivate,
  };
}

async function storeSubject({ subject }: KeysOptions, { config }: Needs): Promise<ProjectConfig> {
  if (subject === undefined) return config.read();
  return config.update((current) =>
    subject.subject === current.subject ? current : { ...current, subject: subject.subject },
  );
}

/** Talk before the data, the data, talk after it. */
function print({ before, data, after }: KeysText, io: Needs["io"]): void {
  for (const line of before) io.say(line);
  for (const line of data) io.out(line);
  for (const line of after) io.say(line);
}
