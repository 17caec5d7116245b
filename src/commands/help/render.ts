/** The texts of help topics, made from the tables they explain. */
import { twinOf } from "../../settings/environment.ts";
import type { CommandDescription, OptionDescription } from "../describe.ts";
import { exitCodeMeanings } from "../exit-code.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { wrap } from "../../terminal/wrap.ts";

/** Every exit code and what a script can conclude from it. */
export function exitCodesText(json: boolean, columns: number): readonly string[] {
  const rows = Object.entries(exitCodeMeanings);
  if (json) return rows.map(([code, meaning]) => jsonLine({ code: Number(code), meaning }));
  return rows.flatMap(([code, meaning]) =>
    wrap(meaning, Math.min(columns, 79) - 5).map(
      (line, index) => `${(index === 0 ? code : "").padStart(3)}  ${line}`,
    ),
  );
}

const vapidVariables: readonly (readonly [string, string])[] = [
  ["VAPID_PUBLIC_KEY", "the public key, before the project's own"],
  ["VAPID_PRIVATE_KEY", "its private key; enough by itself"],
  ["VAPID_SUBJECT", "contact for push services (older: VAPID_EMAIL)"],
];

const commonVariables: readonly (readonly [string, string])[] = [
  ["NO_COLOR", "print without colours"],
  ["FORCE_COLOR", "print with colours even into a pipe"],
  ["CI", "never ask"],
  ["HTTPS_PROXY", "proxy to reach push services through"],
  ["NO_PROXY", "hosts to reach without it"],
];

/** Every environment variable that is read. */
export function environmentText(program: CommandDescription, columns: number): readonly string[] {
  const twins = new Map<string, string>();
  for (const option of allOptions(program)) {
    if (option.long !== undefined && option.long !== "--version")
      twins.set(twinOf(option.long), option.flags);
  }
  const width = Math.max(
    ...[...twins.keys(), ...commonVariables.map(([name]) => name)].map((name) => name.length),
  );
  const isNarrow = columns < width + 40;
  const line = ([name, meaning]: readonly [string, string]): string =>
    isNarrow
      ? [`  ${name}`, ...wrap(meaning, columns - 6).map((part) => `      ${part}`)].join("\n")
      : `  ${name.padEnd(width)}  ${meaning}`;
  return [
    "VAPID keys:",
    ...vapidVariables.map(line),
    "",
    "Conventions:",
    ...commonVariables.map(line),
    "",
    ...wrap("Every flag has a twin; the flag goes before it. Switches take 1 or 0:", columns),
    ...[...twins].sort(([a], [b]) => (a < b ? -1 : 1)).map(line),
  ];
}

function allOptions(command: CommandDescription): readonly OptionDescription[] {
  return [...command.options, ...command.commands.flatMap(allOptions)];
}
