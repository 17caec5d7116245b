/**
 * Values that must not be printed by accident: private keys, auth secrets, tokens.
 *
 * A `Secret` shows itself as `[secret]` wherever a value is turned into text:
 * template strings, `JSON.stringify`, `console.log`, error messages, stacks. The
 * value comes out only through `reveal()`, which is easy to search for.
 */

const inspect = Symbol.for("nodejs.util.inspect.custom");
const hidden = "[secret]";

/** A value that prints as `[secret]`. */
export class Secret<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The value itself. Every call is a place where a secret may leave the program. */
  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect](): string {
    return hidden;
  }
}
