/** Figures as people read them. */

/** `12345` as `12 345`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, " ");
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A length of time as exact as it matters: `42 s`, `12 min`, `2 h 10 min`, `3 days`. */
export function durationText(ms: number): string {
  if (ms <= 1.5 * minuteMs) return `${Math.ceil(ms / 1000)} s`;
  if (ms <= 1.5 * hourMs) return `${Math.round(ms / minuteMs)} min`;
  if (ms > 2 * dayMs) return `${Math.round(ms / dayMs)} days`;
  const tens = Math.round(ms / (10 * minuteMs));
  const minutes = (tens % 6) * 10;
  return `${Math.floor(tens / 6)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
}
