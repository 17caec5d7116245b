/**
 * `webpush keys import`: stores a pair from a file of any usual format.
 */
import { UserError } from "../../base/errors.ts";
import { parseKeys } from "../../protocol/key-formats.ts";
import { parseSubject } from "../../protocol/subject.ts";
import { currentPair, withCurrentPair } from "../../store/config.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { readInput } from "../input.ts";
import type { ImportOptions } from "./command.ts";
import { importedText } from "./render.ts";
import { confirmReplacement } from "./replace.ts";
import { noteSubject } from "./subject.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "subscriptions" | "clock" | "cwd" | "json">;

/** No key file is longer; what is longer is some other file. */
const largestKeyFileBytes = 64 * 1024;

export async function run(options: ImportOptions, context: Needs): Promise<ExitCode> {
  const { io, config, clock, json } = context;
  const { pair, subject: found } = parseKeys(await readInput(options.file, context, largestKeyFileBytes));
  const parsed = options.subject ?? (found === undefined ? undefined : usableSubject(found, io));
  noteSubject(parsed, context);
  const existing = currentPair(config.read())?.pair;
  const isKnown = existing?.publicKey === pair.publicKey;
  if (existing !== undefined && !isKnown) {
    if (!options.force) throw refuseOverwrite();
    await confirmReplacement(existing, options, context);
  }
  await config.update((current) => {
    const subject = parsed?.subject ?? current.subject;
    if (isKnown) return subject === current.subject ? current : { ...current, subject };
    return {
      ...withCurrentPair(current, { pair, createdAt: clock.now() }, { replacing: true }),
      subject,
    };
  });
  if (json) io.out(jsonLine({ publicKey: pair.publicKey, imported: !isKnown }));
  else for (const line of importedText(pair, isKnown ? "known" : "stored", config.path)) io.say(line);
  return ExitCode.ok;
}

function refuseOverwrite(): UserError {
  return new UserError("keys-exist", "this project already has another key pair", {
    hints: [
      "add --force to replace it; subscriptions made with it stop working",
      "or keep both apart: webpush keys import FILE --profile NAME",
    ],
  });
}

/** A subject that came along with the keys; an unusable one is left out with a note, the keys still count. */
function usableSubject(text: string, io: Needs["io"]) {
  try {
    return parseSubject(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const why = printable(error.message);
    io.err(`${io.paint.err.caution("warning:")} the contact in the file was left out: ${why}`);
    return undefined;
  }
}
