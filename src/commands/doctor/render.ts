/** What `webpush doctor` prints. */
import type { Check, Level } from "../../doctor/check.ts";
import type { Section } from "../../doctor/checks.ts";
import {
  countLevels,
  firstToMend,
  type Counts,
  type Examined,
  type ExaminedSection,
} from "../../doctor/examine.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { wrap } from "../../terminal/wrap.ts";
import type { ExitCode } from "../exit-code.ts";

type Screen = Pick<Io, "paint" | "terminal" | "isDetailed" | "asTyped">;
type Described = Omit<Check<never>, "examine">;

/** A check as a JSON record. Fields are a contract: docs/json.md. */
export function checkJson({ id, title, why, needs }: Described) {
  return { type: "check", check: id, title, why, needs };
}

/** A finding as a JSON record. */
export function findingJson({ check, finding }: Examined) {
  const { level, what, fix, where } = finding;
  return {
    type: "finding",
    check: check.id,
    level,
    what,
    fix: fix ?? null,
    where: where ?? null,
    about: level === "problem" ? (finding.about ?? "other") : null,
  };
}

/** The sum as a JSON record. */
export function summaryJson(found: readonly Examined[], exitCode: ExitCode) {
  const { good, note, warning, problem, skipped } = countLevels(found);
  return {
    type: "summary",
    good,
    notes: note,
    warnings: warning,
    problems: problem,
    skipped,
    first: firstToMend(found)?.check.id ?? null,
    exitCode,
  };
}

/** Findings of a check that ask for the same, told together. */
interface Group {
  readonly first: Examined;
  readonly all: readonly Examined[];
}

/** Each place by name up to here, the rest as a number. */
const namedPlaces = 3;

/**
 * One subject for people: its title, and what each check has to say. What is good is named in a
 * sentence, so that the rest is seen; `--verbose` has all of it.
 */
export function sectionText({ title, found }: ExaminedSection, io: Screen): readonly string[] {
  const isQuiet = ({ finding }: Examined): boolean => finding.level === "good" && !io.isDetailed;
  const loud = groupsOf(found.filter((one) => !isQuiet(one)));
  return [
    io.paint.out.bold(title),
    ...goodText(found.filter(isQuiet), io),
    ...loud.flatMap((group) => groupText(group, io)),
    "",
  ];
}

/** The titles of checks that found nothing, one after the other. */
function goodText(found: readonly Examined[], io: Screen): readonly string[] {
  const titles = [...new Set(found.map(({ check }) => check.title))];
  if (titles.length === 0) return [];
  const [head = "", ...rest] = wrap(titles.join(", "), Math.max(20, io.terminal.columns - indent));
  const word = paintLevel("good", levelWords.good.padEnd(indent - 2), io);
  return [`  ${word}${head}`, ...rest.map((line) => " ".repeat(indent) + line)];
}

function groupsOf(found: readonly Examined[]): readonly Group[] {
  const groups = new Map<string, Examined[]>();
  for (const one of found) {
    const { level, fix, where } = one.finding;
    // What is at no place in particular is one of its kind.
    const key = JSON.stringify([
      one.check.id,
      level,
      where === undefined ? one.finding.what : fix?.replace(where, ""),
    ]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].flatMap((all) => (all[0] === undefined ? [] : [{ first: all[0], all }]));
}

const levelWords: Readonly<Record<Level, string>> = {
  good: "ok",
  note: "note",
  warning: "warning",
  problem: "problem",
  skipped: "skipped",
};

const indent = 10;

function groupText({ first: { check, finding }, all }: Group, io: Screen): readonly string[] {
  const word = paintLevel(finding.level, levelWords[finding.level].padEnd(indent - 2), io);
  const whats = new Set(all.map((one) => one.finding.what));
  const what = whats.size > 1 ? `${finding.what}, and ${all.length - 1} more like it` : finding.what;
  const [head = "", ...rest] = lines(`${check.title}: ${what}`, io);
  const label = (name: string, text: string | undefined): readonly string[] =>
    text === undefined
      ? []
      : lines(`${name}: ${text}`, io).map(
          (line, index) =>
            " ".repeat(indent) + (index === 0 ? line.replace(name, io.paint.out.hint(name)) : line),
        );
  const isQuiet = finding.level === "good" || finding.level === "skipped";
  const isBad = finding.level === "problem" || finding.level === "warning";
  return [
    `  ${word}${head}`,
    ...rest.map((line) => " ".repeat(indent) + line),
    ...label("at", isQuiet && !io.isDetailed ? undefined : placesOf(all)),
    ...fixesOf(all).flatMap((fix) => label("do", io.asTyped(fix))),
    ...label("why", isBad || io.isDetailed ? check.why : undefined),
    ...label("id", io.isDetailed ? check.id : undefined),
  ];
}

/** What to do, at each place of its own where a place is part of it. */
function fixesOf(all: readonly Examined[]): readonly string[] {
  const fixes = [...new Set(all.flatMap(({ finding: { fix } }) => (fix === undefined ? [] : [fix])))];
  const more = fixes.length - namedPlaces;
  const named = fixes.slice(0, namedPlaces);
  return more > 0 ? [...named, `the same for ${more} more: webpush doctor --json has each`] : named;
}

function placesOf(all: readonly Examined[]): string | undefined {
  const places = all.flatMap(({ finding: { where } }) => (where === undefined ? [] : [where]));
  if (places.length === 0) return undefined;
  const named = places.slice(0, namedPlaces).join(", ");
  const more = places.length - namedPlaces;
  return more > 0 ? `${named} and ${more} more` : named;
}

function lines(text: string, { terminal }: Screen): readonly string[] {
  return wrap(printable(text), Math.max(20, terminal.columns - indent));
}

function paintLevel(level: Level, word: string, { paint }: Screen): string {
  switch (level) {
    case "good":
      return paint.out.good(word);
    case "warning":
      return paint.out.caution(word);
    case "problem":
      return paint.out.bad(word);
    case "note":
    case "skipped":
      return paint.out.dim(word);
    default:
      return level satisfies never;
  }
}

/** How many of each, and what to do first. */
export function sumText(found: readonly Examined[], io: Screen): readonly string[] {
  const first = firstToMend(found);
  const sum = wrap(sumOf(countLevels(found)), Math.max(20, io.terminal.columns));
  if (first === undefined) return sum;
  const { what, fix, where } = first.finding;
  const alike = found.filter(({ check }) => check.id === first.check.id);
  const place = where === undefined || alike.length > 1 ? "" : ` (${where})`;
  const todo = fix === undefined ? what : io.asTyped(fix);
  const begin = `begin with: ${first.check.title}: ${todo}${place}`;
  return [...sum, ...wrap(printable(begin), Math.max(20, io.terminal.columns))];
}

function sumOf({ good, note, warning, problem, skipped }: Counts): string {
  const parts = [
    counted(problem, "problem"),
    counted(warning, "warning"),
    counted(note, "note"),
    `${good} good`,
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
  ];
  return parts.join(", ");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `--list`: every check and why it matters. */
export function listText(all: readonly Section[], io: Screen): readonly string[] {
  return all.flatMap(({ title, checks }) => [
    io.paint.out.bold(title),
    ...checks.flatMap(({ id, why, needs }) => [
      `  ${id}${needs === "nothing" ? "" : `  (${needs === "online" ? "with --online" : "with --ask"})`}`,
      ...wrap(why, Math.max(20, io.terminal.columns - 6)).map((line) => `      ${line}`),
    ]),
    "",
  ]);
}
