/**
 * CSV with a heading line: rows as objects of text, from a whole text or a stream of lines.
 *
 * `csv-parse` does the reading (RFC 4180, quotes over several lines). Values come
 * out exactly as written: text that begins with `=`, `+`, `-` or `@` is data for
 * machines here, one auth secret in 64 begins with `-`, and the apostrophe that
 * spreadsheet defences put in front would break it. The same holds for writing.
 */
import { Readable } from "node:stream";
import { CsvError, parse, type Options } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";

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

/** Rows of a whole text, the heading line included. */
export function* parseRows(text: string, heading: CsvHeading): Generator<CsvPiece> {
  const pieces: CsvPiece[] = [];
  try {
    parseSync(text, {
      ...options(heading),
      // Collected here, so that what was read before an error is not lost with it.
      on_record(record, { lines }) {
        pieces.push(describeRow({ record, info: { lines } }, heading));
        return null;
      },
    });
  } catch (error) {
    pieces.push(describeFailure(error));
  }
  yield* pieces;
}

/** Rows of a stream of lines that follow each other without a line break at their end. */
export async function* readRows(lines: AsyncIterable<string>, heading: CsvHeading): AsyncGenerator<CsvPiece> {
  const source = Readable.from(withLineBreaks(lines));
  const parser = source.pipe(parse({ ...options(heading), info: true }));
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const record of parser) yield describeRow(record as RecordWithInfo, heading);
  } catch (error) {
    yield describeFailure(error);
  } finally {
    source.destroy();
  }
}

async function* withLineBreaks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

function options({ delimiter }: CsvHeading): Options {
  return {
    bom: true,
    delimiter,
    from: 2, // the heading
    max_record_size: maxRowBytes,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    trim: true,
  };
}

function describeRow({ record, info }: RecordWithInfo, { columns }: CsvHeading): CsvPiece {
  // Defines properties rather than assigning them, so a column named __proto__ is only a column.
  const row = Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ""]));
  return { line: info.lines, row };
}

function describeFailure(error: unknown): CsvPiece {
  if (!(error instanceof CsvError)) throw error;
  const line = typeof error["lines"] === "number" ? error["lines"] : 0;
  const isQuote = error.code === "CSV_QUOTE_NOT_CLOSED" || error.code === "CSV_MAX_RECORD_SIZE";
  return { line, defect: isQuote ? "a quote is opened and not closed" : "not CSV" };
}

/** One CSV line of `values`, quoted where RFC 4180 §2 asks for it, and where blanks at an end would get lost. */
export function formatRow(values: readonly string[]): string {
  return values
    .map((value) => (/[",;\t\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(",");
}
