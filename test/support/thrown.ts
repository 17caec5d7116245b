/** The error of a parser that refuses, for tests that look at its words. */
import { expect } from "vitest";
import { UserError } from "../../src/base/errors.ts";

/** The UserError that `action` throws; throwing nothing, or anything else, fails the test. */
export function errorOf(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error("nothing was thrown");
}
