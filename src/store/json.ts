/** Reading parsed JSON of our own files: the value in the expected shape, or a UserError that says where it is not. */
import { UserError } from "../base/errors.ts";

/** A JSON object, copied so that `__proto__` in the file stays a plain member. */
export function expectObject(json: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw unexpected(where, "an object");
  return Object.assign(Object.create(null) as Record<string, unknown>, json);
}

export function expectArray(json: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(json)) throw unexpected(where, "a list");
  return json;
}

export function expectText(json: unknown, where: string): string {
  if (typeof json !== "string") throw unexpected(where, "a text");
  return json;
}

/** What `parse` answers; a refusal is said with its place in the file. */
export function parseAt<Value>(where: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError("store-damaged", `${where}: ${error.message}`, { cause: error });
  }
}

function unexpected(where: string, expected: string): UserError {
  return new UserError("store-damaged", `${where} is not ${expected}`);
}
