/**
 * What happened so far at the emulator and at the development server, to be waited for.
 *
 * Past events count: whoever asks for the first of a kind gets it, whether it has happened or not yet.
 */
import type { PushServiceEvent } from "../../emulator/events.ts";
import type { ServerEvent } from "../../server/events.ts";
import { failed } from "./stage.ts";

export type StoryEvent = PushServiceEvent | ServerEvent;

type Of<Type extends StoryEvent["type"]> = Extract<StoryEvent, { readonly type: Type }>;

/** Longer than a browser takes for any step on a busy machine. */
const patienceMs = 60_000;

export class Story {
  readonly #signal: AbortSignal;
  readonly #events: StoryEvent[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  readonly tell = (event: StoryEvent): void => {
    this.#events.push(event);
    for (const listener of this.#listeners) listener();
  };

  /** The first event of a type that is meant; `failureIn` may see in another one that it will never come. */
  first<Type extends StoryEvent["type"]>(
    type: Type,
    failureIn: (event: StoryEvent) => string | undefined = () => undefined,
    isMeant: (event: Of<Type>) => boolean = () => true,
  ): Promise<Of<Type>> {
    const isIt = (event: StoryEvent): event is Of<Type> => event.type === type && isMeant(event as Of<Type>);
    const happened = new Promise<Of<Type>>((resolve, reject) => {
      const look = () => {
        const found = this.#events.find(isIt);
        const failure = this.#events.map(failureIn).find((words) => words !== undefined);
        if (found !== undefined) resolve(found);
        else if (failure !== undefined) reject(failed(failure, undefined));
        else return;
        this.#listeners.delete(look);
      };
      this.#listeners.add(look);
      look();
    });
    return this.within(happened, `"${type}"`);
  }

  /** Waits for `happening`, but not for ever, nor beyond Ctrl-C. */
  async within<Value>(happening: Promise<Value>, what: string): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const stop = new AbortController();
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(failed(`${what} did not happen within ${patienceMs / 1000} s`, undefined));
      }, patienceMs);
      const giveUp = () => {
        reject(this.#signal.reason as Error);
      };
      if (this.#signal.aborted) giveUp();
      else this.#signal.addEventListener("abort", giveUp, { signal: stop.signal });
    });
    try {
      return await Promise.race([happening, limit]);
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }
}
