/**
 * A terminal's screen, as far as our programs drive one: what a person would see of what was written.
 *
 * Knows the sequences that src/terminal uses and throws for any other. Like most terminals it breaks its lines anew
 * when the window is resized; what scrolls out at the top can still be read.
 */

interface Row {
  text: string;
  /** Whether the row goes on in the next one because the text was too wide. */
  goesOn: boolean;
}

export class FakeTerminal {
  columns: number;
  rows: number;
  /** Every write, as it came. */
  readonly writes: string[] = [];
  wraps = true;
  readonly cursor = { row: 0, column: 0 };
  readonly #screen: Row[] = [{ text: "", goesOn: false }];

  constructor({ columns = 80, rows = 24 } = {}) {
    this.columns = columns;
    this.rows = rows;
  }

  /** What is on the screen and above it, without the empty rows at the end. */
  get lines(): readonly string[] {
    return this.#screen
      .map(({ text }) => text.trimEnd())
      .join("\n")
      .trimEnd()
      .split("\n");
  }

  write(text: string): void {
    this.writes.push(text);
    for (const [token] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|[^]/gu)) this.#take(token);
  }

  /** Narrower or wider: rows are joined and broken anew, and the cursor stays with its character. */
  resize(columns: number): void {
    const at = this.#screen
      .slice(0, this.cursor.row)
      .map(({ text, goesOn }) => (goesOn ? text : `${text}\n`));
    const whole = this.#screen.map(({ text, goesOn }) => (goesOn ? text : `${text}\n`)).join("");
    const { length } = at.join("").split("\n");
    this.columns = columns;
    this.#screen.splice(0);
    for (const [index, line] of whole.slice(0, -1).split("\n").entries()) {
      if (index === length - 1) this.cursor.row = this.#screen.length;
      for (let from = 0; from === 0 || from < line.length; from += columns) {
        this.#screen.push({ text: line.slice(from, from + columns), goesOn: from + columns < line.length });
      }
    }
  }

  #take(token: string): void {
    const { cursor } = this;
    if (token === "\r") cursor.column = 0;
    else if (token === "\n") this.#breakLine(false);
    else if (token === "\u001b[?7l") this.wraps = false;
    else if (token === "\u001b[?7h") this.wraps = true;
    else if (token === "\u001b[K") this.#erase();
    else if (token === "\u001b[J") {
      this.#erase();
      this.#screen.splice(cursor.row + 1);
    } else if (/^\u001b\[\d+A$/.test(token))
      cursor.row = Math.max(this.#top, cursor.row - parseInt(token.slice(2)));
    else if (/^[\p{Cc}]/u.test(token)) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
    else this.#put(token);
  }

  /** The first row that is still on the screen. */
  get #top(): number {
    return Math.max(0, this.#screen.length - this.rows);
  }

  get #row(): Row {
    const row = this.#screen[this.cursor.row];
    if (row === undefined) throw new Error("the cursor has left the screen");
    return row;
  }

  #put(character: string): void {
    const { cursor } = this;
    if (cursor.column === this.columns) {
      if (this.wraps) this.#breakLine(true);
      else cursor.column -= 1;
    }
    const row = this.#row;
    row.text =
      row.text.slice(0, cursor.column).padEnd(cursor.column) + character + row.text.slice(cursor.column + 1);
    cursor.column += 1;
  }

  #breakLine(goesOn: boolean): void {
    this.#row.goesOn = goesOn;
    this.cursor.column = 0;
    this.cursor.row += 1;
    if (this.cursor.row === this.#screen.length) this.#screen.push({ text: "", goesOn: false });
  }

  /** A full row's cursor stands on its last character, so that one goes too. */
  #erase(): void {
    const row = this.#row;
    row.text = row.text.slice(0, Math.min(this.cursor.column, this.columns - 1));
    row.goesOn = false;
  }
}
