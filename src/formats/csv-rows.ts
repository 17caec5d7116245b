/**
 * CSV with a heading line: rows as objects of text, from a whole text or a stream of lines.
 *
 * `csv-parse` does the reading (RFC 4180, quotes over several lines). Values come
 * out exactly as written: text that begins with `=`, `+`, `-` or `@` is data for
 * machines here, one auth secret in 64 begins with `-`, and the apostrophe that
 * spreadsheet defences put in front would break it. The same holds for writing.
 */
import { Readable, type TransformOptions } from "node:stream";
import { parse, type CsvError, type Options } from "csv-parse";

/** One row under the heading; `line` is where it ends in the text. */
export type CsvPiece =
  | { readonly line: number; readonly row: Readonly<Record<string, string>> }
  | { readonly line: number; readonly defect: string };

/** What a heading line says. */
export interface CsvHeading {
  readonly delimiter: string;
  readonly columns: readonly string[];
}

interface RecordWithInfo {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** Far above any row that holds one subscription: a quote that is never closed must not swallow a whole stream. */
const maxRowBytes = 64 * 1024;

/** The columns of a heading line, split at the delimiter that occurs most in it. */
export function readHeading(line: string): CsvHeading {
  const count = (delimiter: string): number => line.split(delimiter).length;
  const delimiter = [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
  const columns = line.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
  return { delimiter, columns };
}

/** Rows of a stream of lines that follow each other without a line break at their end. */
export async function* readRows(lines: AsyncIterable<string>, heading: CsvHeading): AsyncGenerator<CsvPiece> {
  const skipped: (CsvError | undefined)[] = [];
  const source = Readable.from(withLineBreaks(lines));
  const onSkip = (error?: CsvError): undefined => {
    skipped.push(error);
  };
  const parser = source.pipe(parse({ ...options(heading), info: true, on_skip: onSkip }));
  source.on("error", (error) => parser.destroy(error));
  let lastLine = 1;
  const defects = () => skipped.splice(0).map((error) => describeDefect(error, lastLine));
  try {
    for await (const record of parser) {
      const piece = describeRow(record as RecordWithInfo, heading);
      lastLine = piece.line;
      yield piece;
      yield* defects();
    }
    yield* defects();
  } finally {
    source.destroy();
  }
}

async function* withLineBreaks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

function options({ delimiter }: CsvHeading): Options & TransformOptions {
  return {
    bom: true,
    delimiter,
    from: 2, // the heading
    // As far as reading goes ahead of whoever takes the rows; Node 22 would make it four times as much.
    writableHighWaterMark: 16 * 1024,
    max_record_size: maxRowBytes,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    skip_records_with_error: true, // they come to `on_skip`
    trim: true,
  };
}

function describeRow({ record, info }: RecordWithInfo, { columns }: CsvHeading): CsvPiece {
  // Defines properties rather than assigning them, so a column named __proto__ is only a column.
  const row = Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ""]));
  return { line: info.lines, row };
}

/** A defect begins where the last good row ended; where the reader noticed it says nothing. */
function describeDefect(error: CsvError | undefined, lastLine: number): CsvPiece {
  const isQuote = error?.code === "CSV_QUOTE_NOT_CLOSED" || error?.code === "CSV_MAX_RECORD_SIZE";
  return { line: lastLine + 1, defect: isQuote ? "a quote is opened and not closed" : "it is not CSV" };
}

/** One CSV line of `values`, quoted where RFC 4180 §2 asks for it, and where blanks at an end would get lost. */
export function formatRow(values: readonly string[]): string {
  return values
    .map((value) => (/[",;\t\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(",");
}
