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

type Row = readonly string[];

const gap = "  ";
const smallest = 6;

/** Lines of a table: a head and one line per row, none wider than `columns` where that can be had. */
export function table(head: readonly Column[], rows: readonly Row[], columns: number): readonly string[] {
  return tableLines(head, columns)(rows);
}

/**
 * A table whose rows come in batches: answers the lines of each, the head above the first. The first sets the widths;
 * what is wider later is cut at a terminal where it is flexible, and in a pipe shown whole.
 */
export function tableLines(
  head: readonly Column[],
  columns: number,
): (rows: readonly Row[]) => readonly string[] {
  let widths: readonly number[] | undefined;
  const isWide = !Number.isFinite(columns);
  const line = (row: Row, of: readonly number[]): string =>
    row
      .map((cell, index) => {
        const width = of[index] ?? 0;
        const { flexible = false, align = "left" } = head[index] ?? {};
        return pad(flexible && !isWide ? shorten(cell, width) : cell, width, align);
      })
      .join(gap)
      .trimEnd();
  return (rows) => {
    const first = widths === undefined ? [head.map(({ title }) => title)] : [];
    const known = (widths ??= widthsOf(head, rows, columns));
    return [...first, ...rows].map((row) => line(row, known));
  };
}

function widthsOf(head: readonly Column[], rows: readonly Row[], columns: number): readonly number[] {
  const widths = head.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? "")), widthOf(column.title)),
  );
  const excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (head.length - 1) - columns;
  if (excess > 0) narrow(head, widths, excess);
  return widths;
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
    if (flexible !== true || width <= Math.max(smallest, widthOf(title))) continue;
    if (widest === undefined || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

const plain = /^[\x20-\x7e]*$/;

/** How many columns a text takes; nearly all are plain, and a long list has many. */
function widthOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const padding = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? padding + text : text + padding;
}

/** `text` cut to `width` columns, the cut shown as `…`. */
export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  // What the eye takes for one character may be several code points, with a width of their own together.
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = used + widthOf(segment);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
}
