/**
 * What a worker does all day: takes chunks as long as it has room, looks after what all workers share, and ends when
 * it is told to, giving back what it holds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { sumOf, type Counts } from "../../campaigns/counts.ts";
import type { WorkersPace } from "../../campaigns/shared-pace.ts";
import type { Turns } from "../../campaigns/turns.ts";
import type { KeyWatch } from "./key-watch.ts";
import { ActiveTurn, type TurnTools } from "./turn.ts";

export interface LoopTools extends Omit<TurnTools, "turns" | "pace" | "keys"> {
  readonly turns: Turns;
  readonly pace: WorkersPace;
  readonly keyWatch: KeyWatch;
  /** How many chunks at a time. */
  readonly chunks: number;
  /** End when no campaign has anything left. */
  readonly untilIdle: boolean;
  readonly signal: AbortSignal;
}

/** How often there is a look at the queue when it was empty, and at campaigns under way. */
const tickMs = 1000;
/** Whoever waits for the end does not want to wait a second for it. */
const eagerTickMs = 200;
/** In ticks of control: how often the worker says that it lives, and reads its keys. */
const tendEvery = 5;
const keysEvery = 60;

export class WorkerLoop {
  readonly #tools: LoopTools;
  readonly #active = new Set<ActiveTurn>();
  readonly #running = new Set<Promise<void>>();
  #counts: Counts = {};
  /** Ends waits early: a turn has ended, or the worker is told to stop. */
  #wake = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  readonly #over = new AbortController();
  #tickedAt: number;

  constructor(tools: LoopTools) {
    this.#tools = tools;
    this.#tickedAt = tools.now();
  }

  /** How many chunks are being worked on. */
  get turnsUnderWay(): number {
    return this.#active.size;
  }

  /** For how long nothing was heard of the loop, in ms: near nothing as long as it lives. */
  get silentMs(): number {
    return this.#tools.now() - this.#tickedAt;
  }

  /** Works until it is told to stop, or nothing is left where that is the end; answers whom it settled. */
  async run(): Promise<Counts> {
    const { signal, tell } = this.#tools;
    const stop = (): void => {
      tell({ type: "worker.stopping" });
      for (const turn of this.#active) turn.end("stopped");
      this.#wake.abort();
    };
    signal.addEventListener("abort", stop, { once: true });
    const control = this.#control();
    try {
      while (!this.#isStopped && !(await this.#takeAndWait())) continue;
    } finally {
      signal.removeEventListener("abort", stop);
      for (const turn of this.#active) turn.end("stopped");
      await Promise.all(this.#running);
      this.#over.abort();
      await control;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#counts;
  }

  get #isStopped(): boolean {
    return this.#tools.signal.aborted || this.#failure !== undefined;
  }

  /** Fills up with chunks, and waits for something to happen; true when there is nothing left to wait for. */
  async #takeAndWait(): Promise<boolean> {
    const { chunks, watch, untilIdle, turns } = this.#tools;
    const free = chunks - this.#active.size;
    const taken = free > 0 && this.#hasKeys ? await this.#take(free) : 0;
    if (taken === free && free > 0) return false;
    if (untilIdle && taken === 0 && this.#active.size === 0) {
      if ((await watch.try(() => turns.isIdle())) === true) return true;
    }
    await this.#wait(untilIdle ? eagerTickMs : tickMs);
    return false;
  }

  get #hasKeys(): boolean {
    return this.#tools.keyWatch.current.pairs.length > 0;
  }

  async #take(most: number): Promise<number> {
    const { turns, watch, keyWatch, now } = this.#tools;
    const startedAt = now();
    const keys = keyWatch.current;
    const publicKeys = keys.pairs.map(({ publicKey }) => publicKey);
    const taken = (await watch.try(() => turns.take(most, publicKeys))) ?? [];
    for (const turn of taken) {
      const active = new ActiveTurn(turn, startedAt, { ...this.#tools, keys });
      this.#active.add(active);
      const running = this.#work(active).finally(() => {
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
    // Told to stop while it was being taken.
    if (this.#isStopped) for (const turn of this.#active) turn.end("stopped");
    return taken.length;
  }

  async #work(active: ActiveTurn): Promise<void> {
    try {
      const counts = await active.run();
      this.#counts = sumOf(this.#counts, counts);
    } catch (error) {
      // A bug: the others end in order, then it is thrown.
      this.#failure ??= { error };
    } finally {
      this.#active.delete(active);
      this.#wake.abort();
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isStopped) return;
    const { signal } = this.#wake;
    await delay(ms, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) this.#wake = new AbortController();
  }

  // What is looked after beside.

  async #control(): Promise<void> {
    for (let tick = 0; !this.#over.signal.aborted; tick += 1) {
      const { watch, turns, pace, keyWatch } = this.#tools;
      try {
        await watch.try(() => this.#heedStates());
        await watch.try(() => pace.refresh());
        if (tick % tendEvery === 0) await watch.try(() => turns.tend());
        if (tick % keysEvery === keysEvery - 1) await watch.try(() => keyWatch.refresh());
      } catch (error) {
        this.#failure ??= { error };
        this.#wake.abort();
        return;
      }
      this.#tickedAt = this.#tools.now();
      await delay(tickMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  /** Turns of campaigns that are not to go on end. */
  async #heedStates(): Promise<void> {
    if (this.#active.size === 0) return;
    const ids = new Set(Array.from(this.#active, ({ turn }) => turn.campaign.id));
    const states = await this.#tools.turns.states([...ids]);
    for (const active of this.#active)
      if (states.get(active.turn.campaign.id) !== "running") active.end("campaign");
  }
}
