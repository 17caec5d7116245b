/**
 * A few lines that are redrawn in place, below everything else that is printed.
 *
 * The cursor rests at the first column of the area instead of below it. So erasing is "from here on", and no row
 * is ever counted: in a window made narrower a drawn line takes two rows or still one, as the terminal likes. The
 * cursor is never hidden, so there is nothing to give back, whatever ends the program: Ctrl-Z and `kill -9` too.
 */

/** Where a command shows how its work is getting on. */
export interface StatusArea {
  /** Whether there is one; where there is none, `show` does nothing. */
  readonly isLive: boolean;
  /** How wide a line may be just now: people resize windows. */
  readonly columns: number;
  /** Draws `lines` in place of those before; what is wider or higher than the terminal is cut. */
  show(lines: readonly string[]): void;
  /** Erases what is shown. */
  clear(): void;
}

/** A status area, as those see it who print on the same terminal. */
export interface SharedStatusArea extends StatusArea {
  /** Lets `print` print where the area was; the area comes back below, in the same turn of the event loop. */
  makeRoom(print: () => void): void;
}

/** The terminal's stream; `columns` and `rows` change with the window. */
export interface TerminalStream {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

/** The area of a run that nobody watches, or that was told to be quiet. */
export const absentStatusArea: SharedStatusArea = {
  isLive: false,
  columns: Number.POSITIVE_INFINITY,
  show: () => undefined,
  clear: () => undefined,
  makeRoom: (print) => {
    print();
  },
};

const eraseFromHere = "\r\u001b[J";

/** An area on `stream`. */
export function createStatusArea(stream: TerminalStream): SharedStatusArea {
  let lines: readonly string[] = [];
  let drawn = "";
  const put = (frame: string): void => {
    if (frame !== drawn) stream.write(frame === "" ? eraseFromHere : frame);
    drawn = frame;
  };
  const draw = (): void => {
    put(lines.length === 0 ? "" : frameOf(lines, stream));
  };
  const show = (next: readonly string[]): void => {
    lines = next;
    draw();
  };
  return {
    isLive: true,
    // The last column stays free: erasing the rest of a full line would take its last character.
    get columns() {
      return widthOf(stream) - 1;
    },
    show,
    clear: () => {
      show([]);
    },
    makeRoom(print) {
      put("");
      print();
      // Results come in bursts, and a terminal takes longer for the area than for a line: 0.1 ms against 0.03 in tmux.
      // Of several in one turn the first draws.
      if (lines.length > 0) setImmediate(draw);
    },
  };
}

/** Some terminals do not know their size, and say so with 0. */
function widthOf({ columns = 0 }: TerminalStream): number {
  return columns > 1 ? columns : 80;
}

/**
 * `lines` drawn over what is there, and the cursor back where it was.
 *
 * What follows a line is erased after it is written, not before, so nothing flickers.
 */
function frameOf(lines: readonly string[], { rows = 0 }: TerminalStream): string {
  const shown = rows > 0 ? lines.slice(0, rows) : lines;
  const text = shown.map((line) => `${line}\u001b[K`).join("\n");
  const up = shown.length > 1 ? `\u001b[${shown.length - 1}A` : "";
  // DECAWM off meanwhile: the terminal cuts what is too wide, where it would have wrapped it.
  return `\r\u001b[?7l${text}\u001b[J\u001b[?7h${up}\r`;
}
