/**
 * How a broadcast is getting on, in words: a few lines that are redrawn at a terminal, one line for a log.
 *
 * Pure: a snapshot in, lines out. Lines are laid out for the columns there are and never longer; where there is
 * little room the bar gets a line of its own, sentences break between their parts, and host names give way.
 */
import { durationText, groupDigits } from "../../base/figures.ts";
import { plainPaint, type Paint } from "../../terminal/paint.ts";
import { printable } from "../../terminal/printable.ts";
import { shorten } from "../../terminal/table.ts";
import type { Tally } from "./tally.ts";

/** Where a run stands. */
export interface Snapshot {
  /** How many there are; `undefined` where they come as a stream. */
  readonly total: number | undefined;
  readonly settled: Settled;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly origins: readonly OriginState[];
}

/** Those that are done with, by what became of them. */
export interface Settled {
  readonly accepted: number;
  readonly gone: number;
  readonly failed: number;
  /** No request was made for them: not usable, or sent to in an earlier run. */
  readonly skipped: number;
}

/** The same of a tally. */
export function settledOf({ accepted, failures, settledBefore, repeated }: Tally): Settled {
  const { gone, unusable, ...others } = failures;
  const failed = Object.values(others).reduce((sum, count) => sum + count);
  return { accepted, gone, failed, skipped: unusable + settledBefore + repeated };
}

/** Where the messages for one push service stand. */
export interface OriginState {
  readonly host: string;
  readonly inFlight: number;
  readonly waiting: number;
  /** How many may be in flight just now. */
  readonly limit: number;
  /** Nothing is sent there until then: it asked for that, or kept answering badly. */
  readonly pausedUntilMs?: number | undefined;
  readonly protocol?: "h2" | "http/1.1" | undefined;
}

/** What the lines are drawn on. */
export interface Canvas {
  readonly columns: number;
  readonly paint: Paint;
}

const mostOrigins = 3;
/** Below this many columns the bar stands alone. */
const roomyColumns = 64;
const shortestHost = 12;
const protocolNames = { h2: "HTTP/2", "http/1.1": "HTTP/1.1" } as const;

/** Lines for a status area: bar, figures, outcomes, then the push services that have most to tell. */
export function progressLines(
  snapshot: Snapshot,
  rate: number | undefined,
  { columns, paint }: Canvas,
): readonly string[] {
  const bar = barOf(snapshot, columns, paint);
  const figures = figuresOf(snapshot, rate).map((text) => ({ text, style: asItIs }));
  const outcomes = flow(outcomesOf(snapshot.settled, paint), columns);
  const origins = originLines(snapshot, { columns, paint });
  if (bar === undefined) return [...flow(figures, columns), ...outcomes, ...origins];
  if (columns < roomyColumns) return [bar.text, ...flow(figures, columns), ...outcomes, ...origins];
  const [first = "", ...rest] = flow(figures, columns, bar.width + 2);
  return [`${bar.text}  ${first}`, ...rest, ...outcomes, ...origins];
}

/** One line for a log: what is done, how fast, what is left; then what is not as it should be. */
export function progressText(snapshot: Snapshot, rate: number | undefined): string {
  const { settled, nowMs } = snapshot;
  const [done = "", ...speed] = figuresOf(snapshot, rate);
  const wrong = outcomesOf(settled, plainPaint).slice(1);
  const paused = snapshot.origins.filter((origin) => isPaused(origin, nowMs));
  const pauses = paused
    .slice(0, mostOrigins)
    .map(
      ({ host, pausedUntilMs = 0 }) => `${printable(host)} paused for ${durationText(pausedUntilMs - nowMs)}`,
    );
  const more = paused.length - pauses.length;
  return [
    [snapshot.total === undefined ? done : `${done} sent`, ...speed],
    wrong.map(({ text }) => text),
    [...pauses, ...(more > 0 ? [`${more} more paused`] : [])],
  ]
    .filter((part) => part.length > 0)
    .map((part) => part.join(", "))
    .join("; ");
}

/** A part of a sentence, which is not broken, and its colour. */
interface Phrase {
  readonly text: string;
  readonly style: (text: string) => string;
}

const asItIs = (text: string): string => text;

/** Phrases with commas between them, in lines of at most `columns`; the first begins at column `from`. */
function flow(phrases: readonly Phrase[], columns: number, from = 0): readonly string[] {
  const lines: string[] = [];
  let [line, width] = ["", from];
  for (const [index, { text, style }] of phrases.entries()) {
    const comma = index < phrases.length - 1 ? "," : "";
    if (line !== "" && width + 1 + text.length + comma.length > columns) {
      lines.push(line);
      [line, width] = ["", 0];
    }
    const gap = line === "" ? "" : " ";
    line += gap + style(text) + comma;
    width += gap.length + text.length + comma.length;
  }
  return [...lines, line];
}

function barOf({ total, settled }: Snapshot, columns: number, paint: Paint) {
  if (total === undefined) return undefined;
  const done = total === 0 ? 1 : Math.min(1, doneOf(settled) / total);
  // 100 % is said when all is done, and not for 99.6.
  const percent = ` ${Math.floor(done * 100)} %`.padStart(percentWidth);
  const cells = cellsFor(columns);
  const full = Math.floor(done * cells);
  return {
    text: `${paint.good("█".repeat(full))}${paint.dim("░".repeat(cells - full))}${percent}`,
    width: cells + percent.length,
  };
}

const percentWidth = 6;

function cellsFor(columns: number): number {
  if (columns < roomyColumns) return Math.max(1, columns - percentWidth);
  return columns < 100 ? 20 : 40;
}

function doneOf({ accepted, gone, failed, skipped }: Settled): number {
  return accepted + gone + failed + skipped;
}

/** `48 230 of 100 000`, `2 480/s`, `about 35 s left`; of the last two what can be told. */
function figuresOf(
  { total, settled, startedAtMs, nowMs }: Snapshot,
  rate: number | undefined,
): readonly string[] {
  const done = doneOf(settled);
  const count =
    total === undefined
      ? `${groupDigits(done)} sent in ${durationText(nowMs - startedAtMs)}`
      : `${groupDigits(done)} of ${groupDigits(total)}`;
  if (rate === undefined) return [count];
  const left = total === undefined ? 0 : total - done;
  return [count, rateText(rate), ...(left > 0 && rate > 0 ? [timeLeftText((left / rate) * 1000)] : [])];
}

/** Three digits at most: the others change too fast to be read. */
export function rateText(rate: number): string {
  return `${rate < 10 ? Number(rate.toFixed(1)) : groupDigits(Math.round(Number(rate.toPrecision(3))))}/s`;
}

export function timeLeftText(ms: number): string {
  if (ms < 10_000) return "a few seconds left";
  return `about ${durationText(Math.ceil(ms / 5000) * 5000)} left`;
}

/** How those that are done with fared, in a line. */
export function outcomesText(settled: Settled): string {
  return outcomesOf(settled, plainPaint)
    .map(({ text }) => text)
    .join(", ");
}

/** How those that are done with fared; what did not happen is left out. */
function outcomesOf({ accepted, gone, failed, skipped }: Settled, paint: Paint): readonly Phrase[] {
  return [
    { text: `${groupDigits(accepted)} accepted`, style: paint.good },
    ...(gone === 0 ? [] : [{ text: `${groupDigits(gone)} gone`, style: paint.caution }]),
    ...(failed === 0 ? [] : [{ text: `${groupDigits(failed)} failed`, style: paint.bad }]),
    ...(skipped === 0 ? [] : [{ text: `${groupDigits(skipped)} skipped`, style: paint.dim }]),
  ];
}

function isPaused({ pausedUntilMs = 0 }: OriginState, nowMs: number): boolean {
  return pausedUntilMs > nowMs;
}

/** The push services with most to tell, paused ones first, in the order they came in, so that lines keep their places. */
function originLines({ origins, nowMs }: Snapshot, { columns, paint }: Canvas): readonly string[] {
  const busy = origins.filter((origin) => {
    return origin.inFlight > 0 || origin.waiting > 0 || isPaused(origin, nowMs);
  });
  const urgency = (origin: OriginState): number =>
    isPaused(origin, nowMs) ? Number.MAX_SAFE_INTEGER : origin.waiting + origin.inFlight;
  const told = new Set([...busy].sort((a, b) => urgency(b) - urgency(a)).slice(0, mostOrigins));
  const rows = busy
    .filter((origin) => told.has(origin))
    .map((origin) => ({ host: printable(origin.host), ...stateOf(origin, nowMs, paint) }));
  const longestState = Math.max(...rows.map(({ state }) => state.length));
  const hostWidth = Math.min(
    Math.max(...rows.map(({ host }) => host.length)),
    Math.max(shortestHost, columns - longestState - 2),
  );
  const more = busy.length - rows.length;
  return [
    ...rows.map(({ host, state, style, details }) => {
      const room = columns - hostWidth - 2;
      return `${shorten(host, hostWidth).padEnd(hostWidth)}  ${style(shorten(state, room))}${fitting(details, room - state.length)}`;
    }),
    ...(more > 0 ? [paint.dim(`and ${more} more`)] : []),
  ];
}

/** What one push service is doing, and what may be left out where there is no room. */
function stateOf(origin: OriginState, nowMs: number, paint: Paint) {
  const { inFlight, waiting, limit, pausedUntilMs = 0, protocol } = origin;
  const waits = waiting === 0 ? [] : [`${groupDigits(waiting)} waiting`];
  if (isPaused(origin, nowMs)) {
    const flying = inFlight === 0 ? [] : [`${inFlight} in flight`];
    const state = `paused for ${durationText(pausedUntilMs - nowMs)}`;
    return { state, style: paint.caution, details: [...waits, ...flying] };
  }
  const spoken = protocol === undefined ? [] : [protocolNames[protocol]];
  return { state: `${inFlight} of ${limit} in flight`, style: asItIs, details: [...waits, ...spoken] };
}

/** As many of `details` as there is room for, each after a comma. */
function fitting(details: readonly string[], room: number): string {
  let text = "";
  for (const detail of details) {
    if (text.length + 2 + detail.length > room) break;
    text += `, ${detail}`;
  }
  return text;
}
