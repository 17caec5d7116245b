/**
 * What may be true at one point of a push handler: a set of states, each a few flags.
 *
 * Paths that agree in their flags are one state, so a handler of a hundred branches has
 * no more states than one of six. Each state remembers the place where its path left
 * the one that shows something.
 */
import type { AnyNode } from "acorn";
import type { Located } from "./names.ts";

export const Flag = {
  /** A notification was shown. */
  shown: 1,
  /** The network was waited for, and nothing was shown before. */
  network: 2,
  /** Shown, but after the network. */
  late: 4,
  /** Something ran that cannot be looked into, and may have shown one. */
  maybe: 8,
  /** Nothing can be shown on this path: there is no permission. */
  excused: 16,
  /** Of what was thrown: the payload could not be read. */
  payload: 32,
  /** Of what was thrown: the network failed. */
  offline: 64,
} as const;

type Flags = number;

/** A flag pattern, and where a path that leads to it turned off. */
export type States = ReadonlyMap<Flags, Located | undefined>;

export const noStates: States = new Map();
export const start: States = new Map([[0, undefined]]);

export function has(flags: Flags, flag: number): boolean {
  return (flags & flag) !== 0;
}

export function unite(...sets: readonly States[]): States {
  const all = new Map<Flags, Located | undefined>();
  for (const set of sets) {
    for (const [flags, origin] of set) all.set(flags, all.get(flags) ?? origin);
  }
  return all;
}

/** Changes the flags of each state. */
function mapStates(states: States, change: (flags: Flags) => Flags): States {
  return unite(...[...states].map(([flags, origin]) => new Map([[change(flags), origin]])));
}

/** Says where those paths that have shown nothing turned off, unless they know already. */
export function turnedOff(states: States, script: Located["script"], node: AnyNode): States {
  return new Map(
    [...states].map(([flags, origin]) => [
      flags,
      has(flags, Flag.shown) ? origin : (origin ?? { script, node }),
    ]),
  );
}

export function some(states: States, flag: number): boolean {
  return [...states.keys()].some((flags) => has(flags, flag));
}

export function show(states: States): States {
  return mapStates(states, (flags) => {
    const isLate = has(flags, Flag.network) && !has(flags, Flag.shown);
    return flags | Flag.shown | (isLate ? Flag.late : 0);
  });
}

/** Sets a flag where nothing has been shown yet. */
export function mark(states: States, flag: number): States {
  return mapStates(states, (flags) => (has(flags, Flag.shown) ? flags : flags | flag));
}

function without(states: States, flag: number): States {
  return mapStates(states, (flags) => flags & ~flag);
}

/** Nobody waited here, so what was waited for inside holds up nothing that comes after. */
export function unwaited(before: States, after: States): States {
  return some(before, Flag.network) ? after : without(after, Flag.network);
}

/** What was thrown, once it is caught: from there on it is the catching that decides. */
export function withoutCause(thrown: States): States {
  const caught = without(without(thrown, Flag.payload), Flag.offline);
  return new Map([...caught.keys()].map((flags) => [flags, undefined]));
}
