/**
 * Nominal types over plain values.
 *
 * A branded value can only come out of the parser that checked it, so code that
 * asks for one never checks again.
 */

declare const brand: unique symbol;

/** `Value` that was checked once and now carries the proof in its type. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };
