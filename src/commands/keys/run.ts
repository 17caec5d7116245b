/**
 * `webpush keys`: makes the project's key pair, or shows the one it has.
 */
import { createKeyPair } from "../../protocol/vapid.ts";
import { readEnvironmentKeys } from "../../settings/vapid.ts";
import { currentPair, type ProjectConfig } from "../../store/config.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { KeysOptions } from "./command.ts";
import { makePair } from "./make.ts";
import {
  environmentText,
  keysJson,
  pairMadeText,
  pairShownText,
  printedPairText,
  type KeysText,
} from "./render.ts";
import { confirmReplacement } from "./replace.ts";
import { noteSubject, promptForSubject } from "./subject.ts";

type Needs = Pick<
  Context,
  "io" | "prompt" | "config" | "subscriptions" | "clock" | "random" | "env" | "json"
>;

export async function run(options: KeysOptions, context: Needs): Promise<ExitCode> {
  if (options.print) return printPair(context);
  noteSubject(options.subject, context);
  const before = context.config.read();
  const environment = readEnvironmentKeys(context.env);
  if (environment.pair !== undefined && !options.force) {
    const { pair } = environment;
    show({ ...before, current: pair.publicKey, pairs: [{ pair, createdAt: 0 }] }, options, context);
    for (const line of environmentText(context)) context.io.say(line);
    return ExitCode.ok;
  }
  const existing = currentPair(before);
  if (existing !== undefined && !options.force) {
    const after = options.subject === undefined ? before : await storeSubject(options, context);
    show(after, options, context);
    return ExitCode.ok;
  }
  if (existing !== undefined) await confirmReplacement(existing.pair, options, context);
  return makeAndShow(options, context, existing !== undefined);
}

async function makeAndShow(options: KeysOptions, context: Needs, replacing: boolean): Promise<ExitCode> {
  const { io, config, json } = context;
  const subject = options.subject?.subject ?? (await promptForSubject(context));
  const after = await makePair({ subject, replacing }, context);
  const pair = currentPair(after)?.pair;
  if (json && pair !== undefined) io.out(keysJson(pair));
  else print(pairMadeText(after, { path: config.path, private: options.private }, io), io);
  return ExitCode.ok;
}

function printPair({ io, random, json }: Needs): ExitCode {
  const pair = createKeyPair(random);
  io.out(json ? keysJson(pair) : printedPairText(pair));
  return ExitCode.ok;
}

function show(after: ProjectConfig, options: KeysOptions, { io, config, json }: Needs): void {
  const pair = currentPair(after)?.pair;
  if (pair === undefined) return;
  if (json) {
    io.out(keysJson(pair));
    return;
  }
  print(pairShownText(after, { path: config.path, private: options.private }, io), io);
}

async function storeSubject({ subject }: KeysOptions, { config }: Needs): Promise<ProjectConfig> {
  return config.update((current) =>
    subject === undefined || subject.subject === current.subject
      ? current
      : { ...current, subject: subject.subject },
  );
}

/** Talk before the data, the data, talk after it. */
function print({ before, data, after }: KeysText, io: Needs["io"]): void {
  for (const line of before) io.say(line);
  for (const line of data) io.out(line);
  for (const line of after) io.say(line);
}
