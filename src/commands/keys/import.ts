/**
 * `webpush keys import`: stores a pair from a file of any usual format.
 */
import { UserError } from "../../base/errors.ts";
import { parseKeys } from "../../protocol/key-formats.ts";
import { parseSubject, type ParsedSubject, type Subject } from "../../protocol/subject.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import { currentPair, withCurrentPair, withPairBeside, type ProjectConfig } from "../../store/config.ts";
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
  const before = await config.read();
  const existing = currentPair(before)?.pair;
  const isKnown = isHeld(pair, before, options);
  if (existing !== undefined && !isKnown && !options.add) {
    if (!options.force) throw refuseOverwrite();
    await confirmReplacement(existing, options, context);
  }
  const imported = { pair, createdAt: clock.now() };
  const after = await config.update((current) => {
    const subject = subjectAfter(current, parsed, options);
    if (isHeld(pair, current, options))
      return subject === current.subject ? current : { ...current, subject };
    const stored = options.add
      ? withPairBeside(current, imported)
      : withCurrentPair(current, imported, { replacing: true });
    return { ...stored, subject };
  });
  const isCurrent = after.current === pair.publicKey;
  if (json) io.out(jsonLine({ publicKey: pair.publicKey, imported: !isKnown, current: isCurrent }));
  else
    for (const line of importedText(pair, { outcome: isKnown ? "known" : "stored", isCurrent }, config.path))
      io.say(line);
  return ExitCode.ok;
}

/** Whether there is nothing to store: the pair is the current one, or need not be that and is among the others. */
function isHeld(
  { publicKey }: VapidKeyPair,
  { current, pairs }: ProjectConfig,
  { add }: ImportOptions,
): boolean {
  return publicKey === current || (add && pairs.some(({ pair }) => pair.publicKey === publicKey));
}

/** A contact that came along with an old pair does not take the place of the project's. */
function subjectAfter(
  { subject }: ProjectConfig,
  parsed: ParsedSubject | undefined,
  { add, subject: given }: ImportOptions,
): Subject | undefined {
  return add ? (given?.subject ?? subject ?? parsed?.subject) : (parsed?.subject ?? subject);
}

function refuseOverwrite(): UserError {
  return new UserError("keys-exist", "this project already has another key pair", {
    hints: [
      "add --add to keep both: the other signs for the subscriptions made with it",
      "or --force to replace it; subscriptions made with it stop working",
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
