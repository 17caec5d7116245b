/**
 * The fault rules in force: which of them strike now.
 *
 * Counting is all the state there is. A rule counts what fits its subscription, origin and protocol, and
 * strikes when its number, share and limit say so; rules know nothing of each other.
 */
import type { Random } from "../../base/clock.ts";
import type { PersonalityId } from "../personalities.ts";
import { needsHttp2, sideOf, type Fault, type Protocol, type Side } from "./fault.ts";

/** What a fault may strike. */
export interface Target {
  readonly side: Side;
  readonly pushId: string;
  /** Not known of a request for a subscription that there is not. */
  readonly personality?: PersonalityId | undefined;
  /** Of requests. */
  readonly origin?: string;
  readonly protocol?: Protocol;
}

/** A rule as it is shown. */
export interface FaultRecord {
  readonly id: string;
  /** As on the command line. */
  readonly rule: string;
  /** How many fitted, and how many it struck. */
  readonly seen: number;
  readonly applied: number;
}

/** A rule that strikes; `isIdle` when the connection has no word for it, so that nothing happens. */
export interface Strike {
  readonly fault: Fault;
  readonly isIdle: boolean;
}

interface Entry {
  readonly id: string;
  readonly fault: Fault;
  seen: number;
  applied: number;
}

export class FaultRules {
  readonly #random: Random;
  readonly #entries = new Map<string, Entry>();
  #added = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(fault: Fault): FaultRecord {
    this.#added += 1;
    const entry = { id: String(this.#added), fault, seen: 0, applied: 0 };
    this.#entries.set(entry.id, entry);
    return recordOf(entry);
  }

  /** Whether there was such a rule. */
  remove(id: string): boolean {
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** In the order in which they were added, which is that in which they apply. */
  list(): readonly FaultRecord[] {
    return [...this.#entries.values()].map(recordOf);
  }

  /** The rules that strike `target`, counted as struck. */
  strike(target: Target): readonly Strike[] {
    const strikes: Strike[] = [];
    for (const entry of this.#entries.values()) {
      const { fault } = entry;
      if (!fits(fault, target)) continue;
      entry.seen += 1;
      if (!this.#isDue(entry)) continue;
      const isIdle = needsHttp2(fault.toxic) && target.protocol !== "h2";
      if (!isIdle) entry.applied += 1;
      strikes.push({ fault, isIdle });
    }
    return strikes;
  }

  #isDue({ fault: { conditions }, seen, applied }: Entry): boolean {
    const { nth, every, percent, times } = conditions;
    if (nth !== undefined && seen !== nth) return false;
    if (every !== undefined && seen % every !== 0) return false;
    if (times !== undefined && applied >= times) return false;
    return percent === undefined || this.chance() * 100 < percent;
  }

  /** A number from 0 up to 1. */
  chance(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#random.bytes(4);
    return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32;
  }
}

function fits({ toxic, conditions }: Fault, target: Target): boolean {
  const { pushId, personality, origin, protocol } = conditions;
  return (
    sideOf(toxic) === target.side &&
    (pushId === undefined || pushId === target.pushId) &&
    (personality === undefined || personality === target.personality) &&
    (origin === undefined || origin === target.origin) &&
    (protocol === undefined || protocol === target.protocol)
  );
}

function recordOf({ id, fault: { rule }, seen, applied }: Entry): FaultRecord {
  return { id, rule, seen, applied };
}
