/**
 * Where a command's words go: stdout is data, stderr is talk.
 *
 * Runners write through an `Io` and never touch the process, so a test reads
 * what would have been printed from two arrays. Text from outside must have gone
 * through `printable()` before it comes here.
 */
import type { Paint } from "./paint.ts";
import type { StatusArea } from "./status-area.ts";

/** The streams of one run. */
export interface Io {
  /** One line of data, for people or the next program in the pipe. */
  out(line: string): void;
  /** One line of talk: progress, next steps. Silent with `--quiet`. */
  say(line: string): void;
  /** One line that must be seen: errors and warnings. */
  err(line: string): void;
  /** One line of detail, shown with `--verbose`. */
  detail(line: string): void;
  /** Whether `detail` shows anything: in long runs, a line that nobody sees is not worth making. */
  readonly isDetailed: boolean;
  /** Our own words with commands as this person types them, behind `npx` or not. Talk is said that way unasked. */
  asTyped(text: string): string;
  /** Resolves when stdout can take more; await it now and then in long streams of lines. */
  drained(): Promise<void>;
  /** What is redrawn in place on stderr; lines printed meanwhile appear above it. */
  readonly status: StatusArea;
  readonly paint: { readonly out: Paint; readonly err: Paint };
  readonly terminal: Terminal;
  /** What is piped in, in chunks of any size. */
  readonly stdin: AsyncIterable<Uint8Array>;
}

/** Which of the streams is a terminal, and how wide it is in columns. */
export interface Terminal {
  readonly in: boolean;
  readonly out: boolean;
  readonly err: boolean;
  /** Of stdout; endless in a pipe, where nothing is cut, unless `COLUMNS` says otherwise. */
  readonly columns: number;
  /** Of stderr; endless in a pipe. */
  readonly errColumns: number;
}
