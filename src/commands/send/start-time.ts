/**
 * When a queued message is to begin: a length of time from now, a time of day here, or a date with its time.
 */
import { readSeconds } from "../../base/duration.ts";
import { UserError } from "../../base/errors.ts";

/** A time as it was typed: what it means depends on when it is asked. */
export type StartTime =
  | { readonly kind: "later"; readonly ms: number }
  | { readonly kind: "today"; readonly text: string; readonly hours: number; readonly minutes: number }
  | { readonly kind: "date"; readonly text: string; readonly ms: number };

/** More is a mistyped year. */
const furthestMs = 366 * 86_400_000;

/**
 * Reads a time: `+2h`, `18:30`, or ISO 8601, which is this machine's time where no zone is said.
 *
 * @throws UserError `start-time`
 */
export function parseStartTime(given: string): StartTime {
  const text = given.trim();
  const seconds = text.startsWith("+") ? readSeconds(text.slice(1)) : undefined;
  if (seconds !== undefined) return { kind: "later", ms: seconds * 1000 };
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined && Number(hours) < 24 && Number(minutes) < 60)
    return { kind: "today", text, hours: Number(hours), minutes: Number(minutes) };
  const ms = dateOf(text);
  if (ms !== undefined) return { kind: "date", text, ms };
  throw new UserError("start-time", `a time to begin cannot be ${JSON.stringify(given)}`, {
    hints: ["use +2h, 18:30, or a date and time such as 2030-01-31T18:30 or 2030-01-31T18:30Z"],
  });
}

function dateOf(text: string): number | undefined {
  const [, date, time] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)$/.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const ms = Date.parse(`${date}T${time}`);
  // A day that its month does not have is taken for one of the next.
  const midnight = Date.parse(`${date}T00:00Z`);
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date);
  return Number.isNaN(ms) || !isDay ? undefined : ms;
}

/**
 * How long it is until then, in milliseconds.
 *
 * @throws UserError `start-past`, `start-time`
 */
export function delayUntil(start: StartTime, now: number): number {
  const delay = start.kind === "later" ? start.ms : momentOf(start, now) - now;
  if (delay > furthestMs) {
    throw new UserError("start-time", "the time to begin is more than a year ahead", {
      hints: ["check the year, or queue it later"],
    });
  }
  if (delay >= 0 || start.kind === "later") return delay;
  throw new UserError("start-past", `${start.text} is over: it is ${clockText(now)} here`, {
    hints: [
      start.kind === "today"
        ? "say tomorrow's time with its date, such as 2030-01-31T18:30; leave --at out to begin at once"
        : "check date and zone; leave --at out to begin at once",
    ],
  });
}

function momentOf(start: Exclude<StartTime, { readonly kind: "later" }>, now: number): number {
  if (start.kind === "date") return start.ms;
  return new Date(now).setHours(start.hours, start.minutes, 0, 0);
}

function clockText(now: number): string {
  const at = new Date(now);
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
