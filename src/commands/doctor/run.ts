/** `webpush doctor`: gathers facts, examines them, says what to do; the exit code is that of the worst. */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import type { About } from "../../doctor/check.ts";
import { sections, type Section } from "../../doctor/checks.ts";
import { commonSubject, examineAll, firstToMend, isBelow, selectChecks } from "../../doctor/examine.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { ask, isWorthAsking } from "./ask.ts";
import type { DoctorOptions } from "./command.ts";
import { gatherFacts } from "./facts.ts";
import { checkJson, findingJson, listText, sectionText, sumText, summaryJson } from "./render.ts";

export async function run(options: DoctorOptions, context: Context): Promise<ExitCode> {
  const { io, json } = context;
  if (options.ask) {
    await ask(context);
    return ExitCode.ok;
  }
  refuseUnknown(options.only, sections);
  const wanted = selectChecks(sections, { ...options, online: options.online || options.list });
  if (options.list) {
    list(wanted, context);
    return ExitCode.ok;
  }
  const examined = await examineAll(wanted, await gatherFacts(options, context));
  const found = examined.flatMap((section) => section.found);
  const exitCode = exitCodeFor(commonSubject(found, options.strict));
  if (json) {
    for (const one of found) io.out(jsonLine(findingJson(one)));
    io.out(jsonLine(summaryJson(found, exitCode)));
    return exitCode;
  }
  for (const section of examined) for (const line of sectionText(section, io)) io.out(line);
  for (const line of sumText(found, io)) io.out(line);
  if (firstToMend(found) === undefined && (await isWorthAsking(context))) await ask(context);
  return exitCode;
}

function list(wanted: readonly Section[], { io, json }: Pick<Context, "io" | "json">): void {
  const lines = json ? checksOf(wanted).map((check) => jsonLine(checkJson(check))) : listText(wanted, io);
  for (const line of lines) io.out(line);
}

function exitCodeFor(about: About | undefined): ExitCode {
  switch (about) {
    case undefined:
      return ExitCode.ok;
    case "credentials":
      return ExitCode.credentials;
    case "gone":
      return ExitCode.gone;
    case "network":
      return ExitCode.later;
    case "other":
      return ExitCode.failed;
    default:
      return about satisfies never;
  }
}

/** @throws UserError `doctor-check` */
function refuseUnknown(only: readonly string[], all: readonly Section[]): void {
  const ids = checksOf(all).map(({ id }) => id);
  const unknown = only.find((prefix) => !ids.some((id) => isBelow(id, prefix)));
  if (unknown === undefined) return;
  const near = nearest(unknown, [...ids, ...new Set(ids.map((id) => id.replace(/\..*/, "")))]);
  throw new UserError("doctor-check", `no check is called ${JSON.stringify(unknown)}`, {
    hints: [near === undefined ? "webpush doctor --list prints them all" : `did you mean ${near}?`],
  });
}

function checksOf(all: readonly Section[]) {
  return all.flatMap(({ checks }) => checks);
}
