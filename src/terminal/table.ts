/**
 * Columns for people: aligned by what the eye sees, not by string length.
 *
 * A wide character takes two columns and a combining one none, so widths come
 * from string-width. A table never wraps: the column marked `flexible` gives way.
 */
import stringWidth from "string-width";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Shortened first when the terminal is too narrow. */
  readonly flexible?: boolean;
}

const gap = "  ";
const smallest = 6;

/** Lines of a table: a head and one line per row, none wider than `columns` where that can be had. */
export function table(
  head: readonly Column[],
  rows: readonly (readonly string[])[],
  columns: number,
): readonly string[] {
  const widths = head.map((column, index) =>
    Math.max(stringWidth(column.title), ...rows.map((row) => stringWidth(row[index] ?? ""))),
  );
  const excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (head.length - 1) - columns;
  if (excess > 0) narrow(head, widths, excess);
  return [head.map(({ title }) => title), ...rows].map((row) =>
    row
      .map((cell, index) => fit(cell, widths[index] ?? 0, head[index]?.align ?? "left"))
      .join(gap)
      .trimEnd(),
  );
}

/** Takes `excess` from the flexible columns, always from the widest, so that none is cut much more than others. */
function narrow(head: readonly Column[], widths: number[], excess: number): void {
  for (let left = excess; left > 0; left -= 1) {
    const widest = widestFlexible(head, widths);
    if (widest === undefined) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** The index of the widest column that can still give way. */
function widestFlexible(head: readonly Column[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, { title, flexible }] of head.entries()) {
    const width = widths[index] ?? 0;
    if (flexible !== true || width <= Math.max(smallest, stringWidth(title))) continue;
    if (widest === undefined || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

function fit(text: string, width: number, align: "left" | "right"): string {
  const shown = shorten(text, width);
  const padding = " ".repeat(Math.max(0, width - stringWidth(shown)));
  return align === "right" ? padding + shown : shown + padding;
}

/** `text` cut to `width` columns, the cut shown as `…`. */
export function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  // What the eye takes for one character may be several code points, with a width of their own together.
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = used + stringWidth(segment);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
}
