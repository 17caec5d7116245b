/** Spans of time as people write them: `600`, `10m`, `1h30m`, `28d`. */

const unitSeconds: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
  ["w", 604_800],
]);

/** Reads whole seconds, or a sum of numbers with their units; undefined when it is neither. */
export function readSeconds(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(?:\d+[smhdw])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g))
    seconds += Number(count) * (unitSeconds.get(unit ?? "") ?? 0);
  return seconds;
}
