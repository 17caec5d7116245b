/** What subscriptions are called in the emulator's log: their endpoints, which is what senders and `send` show. */
import type { PushServiceEvent } from "./events.ts";
import type { PushServiceSnapshot } from "./snapshot.ts";

/** How many subscriptions are named; the oldest fall back to their own id. */
const remembered = 100_000;

export class Labels {
  readonly #pushIds = new Map<string, string>();
  #origin = "";

  constructor(state: PushServiceSnapshot | undefined) {
    for (const { id, pushId } of state?.subscriptions ?? []) this.#pushIds.set(id, pushId);
  }

  /** Says where the service is. */
  place(origin: string): void {
    this.#origin = origin;
  }

  get origin(): string {
    return this.#origin;
  }

  /** Takes a new subscription's name out of its event. */
  learn(event: PushServiceEvent): void {
    if (event.type !== "subscribed") return;
    this.#pushIds.set(event.subscriptionId, event.pushId);
    if (this.#pushIds.size <= remembered) return;
    for (const oldest of this.#pushIds.keys()) {
      this.#pushIds.delete(oldest);
      return;
    }
  }

  /** The secret part of a subscription's endpoint. */
  readonly pushIdOf = (subscriptionId: string | undefined): string | undefined =>
    subscriptionId === undefined ? undefined : this.#pushIds.get(subscriptionId);
}
