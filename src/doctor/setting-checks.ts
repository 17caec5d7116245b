/** Checks of the project's settings: whether each reads, and those that are seldom meant. */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { settingNamed, settings } from "../settings/table.ts";
import type { Check, Finding } from "./check.ts";
import { valueOf, type ProjectFacts } from "./facts.ts";

export const settingChecks: readonly Check<ProjectFacts>[] = [
  {
    id: "settings.valid",
    title: "project settings",
    why: "a setting that does not read stops every command that would use it",
    needs: "nothing",
    examine: (facts) =>
      withSettings(facts, (stored) => {
        const found = Object.entries(stored).flatMap(([name, text]) => defectsOf(name, text));
        return found.length === 0 ? [{ level: "good", what: describe(stored) }] : found;
      }),
  },
  {
    id: "settings.unusual",
    title: "settings that are seldom meant for every message",
    why: "a setting holds for each message that does not say otherwise, also months later",
    needs: "nothing",
    examine: (facts) =>
      withSettings(facts, (stored) => {
        const found = unusual.flatMap(({ name, isOdd, what, fix }): readonly Finding[] => {
          const text = Object.hasOwn(stored, name) ? stored[name] : undefined;
          return text !== undefined && isOdd(text) ? [{ level: "warning", what, fix, where: name }] : [];
        });
        return found.length === 0 ? [{ level: "good", what: "none" }] : found;
      }),
  },
];

interface Unusual {
  readonly name: keyof typeof settings;
  readonly isOdd: (text: string) => boolean;
  readonly what: string;
  readonly fix: string;
}

const unusual: readonly Unusual[] = [
  {
    name: "ttl",
    isOdd: (text) => /^0+(?:ms|s|m|h|d|w)?$/.test(text.trim()),
    what: "ttl is 0: only browsers that are connected at that very moment get the message",
    fix: "webpush config unset ttl, and --ttl 0 where it is meant",
  },
  {
    name: "topic",
    isOdd: () => true,
    what: "each message replaces the one before that still waits, whatever it was about",
    fix: "webpush config unset topic, and --topic where it is meant",
  },
  {
    name: "retries",
    isOdd: (text) => Number(text) === 0,
    what: "retries is 0: a push service that is busy for a second costs the message",
    fix: "webpush config unset retries",
  },
  {
    name: "encoding",
    isOdd: (text) => text === "aesgcm",
    what: "encoding is aesgcm, a draft of 2016: Apple refuses it, and browsers of today ask for aes128gcm",
    fix: "webpush config unset encoding",
  },
];

function withSettings(
  { settings: reading }: ProjectFacts,
  examine: (stored: Readonly<Record<string, string>>) => readonly Finding[],
): readonly Finding[] {
  const stored = valueOf(reading);
  return stored === undefined
    ? [{ level: "skipped", what: "they cannot be read, see above" }]
    : examine(stored);
}

function defectsOf(name: string, text: string): readonly Finding[] {
  const row = settingNamed(name);
  if (row === undefined) {
    const near = nearest(name, Object.keys(settings));
    const what = `there is no setting ${JSON.stringify(name)}${near === undefined ? "" : `; ${near} is one`}`;
    return [{ level: "warning", what, fix: "remove it from the file", where: name }];
  }
  try {
    row.parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hints[0] === undefined ? "" : ` (${error.hints[0]})`;
    return [
      {
        level: "problem",
        what: `${error.message}${hint}`,
        fix: `webpush config set ${name} VALUE, or webpush config unset ${name}`,
        where: name,
      },
    ];
  }
}

function describe(stored: Readonly<Record<string, string>>): string {
  const names = Object.keys(stored);
  return names.length === 0 ? "defaults" : names.join(", ");
}
