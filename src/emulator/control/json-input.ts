/**
 * What a client of the JSON API sent, read field by field: every name must be known, every value of its type.
 *
 * A misspelt field that is ignored makes a test pass that tests nothing, so it is refused, with the
 * name that was meant.
 */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";

/** A number and its bounds, both included. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

export class JsonInput {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #isText: boolean;

  /** Fields of a query are text, whatever they mean. */
  private constructor(
    entries: Iterable<readonly [string, unknown]>,
    names: readonly string[],
    isText: boolean,
  ) {
    const fields = new Map<string, unknown>();
    for (const [name, value] of entries) {
      if (!names.includes(name)) throw unknownField(name, names);
      if (fields.has(name)) throw malformed(`${JSON.stringify(name)} is given more than once`);
      fields.set(name, value);
    }
    this.#fields = fields;
    this.#isText = isText;
  }

  /**
   * The fields of a JSON object.
   *
   * @throws UserError `emulator-api`, as all reading does
   */
  static ofValue(value: unknown, names: readonly string[], what = "the body"): JsonInput {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw malformed(`${what} is not a JSON object`);
    return new JsonInput(Object.entries(value), names, false);
  }

  /** The fields of a query. */
  static ofQuery(query: URLSearchParams, names: readonly string[]): JsonInput {
    return new JsonInput(query, names, true);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  value(name: string): unknown {
    return this.#fields.get(name);
  }

  text(name: string): string | undefined {
    const value = this.#fields.get(name);
    if (value === undefined || typeof value === "string") return value;
    throw malformed(`${name} is ${shown(value)}, not text`);
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    const word = words.find((known) => known === text);
    if (text === undefined || word !== undefined) return word;
    const meant = nearest(text, words);
    throw malformed(
      `${name} is ${shown(text)}, not one of ${words.join(", ")}`,
      meant && `did you mean ${meant}?`,
    );
  }

  boolean(name: string): boolean | undefined {
    const value = this.#fields.get(name);
    if (value === undefined || typeof value === "boolean") return value;
    if (this.#isText && (value === "true" || value === "false")) return value === "true";
    throw malformed(`${name} is ${shown(value)}, not true or false`);
  }

  /** A whole number within bounds. */
  number(name: string, { least, most }: Bounds): number | undefined {
    const value = this.#fields.get(name);
    if (value === undefined) return undefined;
    const isDigits = this.#isText && typeof value === "string" && /^-?\d{1,15}$/.test(value);
    const number = isDigits ? Number(value) : value;
    const isGood =
      typeof number === "number" && Number.isInteger(number) && number >= least && number <= most;
    if (isGood) return number;
    throw malformed(`${name} is ${shown(value)}, not a whole number from ${least} to ${most}`);
  }
}

/** The value of a body in JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(`the body ${shown(text)} is not JSON`);
  }
}

/** What is wrong with a request to the API. */
export function malformed(what: string, hint?: string): UserError {
  return new UserError("emulator-api", what, { hints: hint === undefined ? [] : [hint] });
}

function unknownField(name: string, names: readonly string[]): UserError {
  const meant = nearest(name, names);
  const known = names.length === 0 ? "it takes no fields" : `its fields are ${names.join(", ")}`;
  return malformed(
    `there is no field ${shown(name)}`,
    meant === undefined ? known : `did you mean ${meant}?`,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
