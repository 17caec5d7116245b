/**
 * `webpush keys rotate`: a new pair for new subscriptions, beside the one that the others were made with.
 */
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { createKeyPair } from "../../protocol/vapid.ts";
import { readEnvironmentKeys } from "../../settings/vapid.ts";
import { currentPair, withCurrentPair } from "../../store/config.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { settingsWithKey, usualFolder } from "../serve/page-settings.ts";
import { countBound } from "./bound.ts";
import type { RotateOptions } from "./command.ts";
import { rotationQuestion, rotationText, type Rotation } from "./render.ts";
import { noteSubject } from "./subject.ts";

type Needs = Pick<
  Context,
  "io" | "prompt" | "config" | "settings" | "subscriptions" | "clock" | "random" | "env" | "cwd" | "json"
>;

export async function run(options: RotateOptions, context: Needs): Promise<ExitCode> {
  const { io, config, subscriptions, clock, random, env, cwd, json } = context;
  noteSubject(options.subject, context);
  if (readEnvironmentKeys(env).pair !== undefined) throw environmentSigns();
  const before = await config.read();
  const previous = currentPair(before)?.pair;
  if (previous === undefined) throw nothingToRotate();
  const staying = await countBound(previous, before, subscriptions);
  await confirm(staying, options, context);
  const made = createKeyPair(random);
  await config.update((current) => ({
    ...withCurrentPair(current, { pair: made, createdAt: clock.now() }, { replacing: false }),
    subject: options.subject?.subject ?? current.subject,
  }));
  const page = { folder: resolve(cwd, usualFolder), shown: usualFolder };
  const pageSettings = settingsWithKey(page, previous.publicKey);
  const rotation = { made, previous, staying, pageSettings };
  if (json) io.out(jsonLine(rotationJson(rotation)));
  else tell(rotation, context);
  return ExitCode.ok;
}

function rotationJson({ made, previous, staying }: Rotation) {
  return {
    publicKey: made.publicKey,
    previousPublicKey: previous.publicKey,
    subscriptions: staying,
  };
}

function tell(rotation: Rotation, { io, config, settings }: Needs): void {
  const view = { path: config.path, isFile: config.isFile, isIgnoredByGit: settings.isIgnoredByGit() };
  const { before, after } = rotationText(rotation, view, io);
  for (const line of before) io.say(line);
  io.out(rotation.made.publicKey);
  for (const line of after) io.say(line);
}

/** Nothing is lost by a rotation, so a script need not say yes. */
async function confirm(staying: number, { yes }: RotateOptions, { prompt }: Needs): Promise<void> {
  if (yes || !prompt.available || (await prompt.confirm(rotationQuestion(staying), true))) return;
  throw new UserError("declined", "nothing was changed", { kind: "failed" });
}

function environmentSigns(): UserError {
  return new UserError(
    "keys-environment",
    "VAPID_PRIVATE_KEY is set and signs; the project's keys would not be used",
    {
      hints: [
        "unset VAPID_PRIVATE_KEY to rotate the project's keys",
        "or make a pair for the environment: webpush keys --print, and store the old one: webpush keys import FILE --add",
      ],
    },
  );
}

function nothingToRotate(): UserError {
  return new UserError("keys-missing", "this project has no VAPID keys to rotate", {
    kind: "failed",
    hints: ["make a pair: webpush keys"],
  });
}
