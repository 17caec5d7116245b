/**
 * All origins of a run: which may send now, whose turn it is, and when the others may.
 */
import { Deadlines } from "../base/deadlines.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import { OriginQueue } from "./origin-queue.ts";

/** Recipients may bring as many origins as they like; those with nothing to do are forgotten beyond this. */
const mostIdle = 1024;
/** How many of the oldest are looked at, to forget one. */
const glances = 8;

export class OriginQueues<Tag> {
  readonly #concurrency: number;
  readonly #capacityOf: (endpoint: Endpoint) => number;
  readonly #queues = new Map<string, OriginQueue<Tag>>();
  /** Those that may send at once, in the order of their turns. */
  readonly #ready = new Set<OriginQueue<Tag>>();
  /** Those that may send later. */
  readonly #later = new Deadlines<OriginQueue<Tag>>();

  /** `capacityOf` tells how many exchanges the connections to an origin bear at once. */
  constructor(concurrency: number, capacityOf: (endpoint: Endpoint) => number) {
    this.#concurrency = concurrency;
    this.#capacityOf = capacityOf;
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** When the next of those that wait may send; infinity when none waits for a time. */
  get nextAt(): number {
    return this.#later.nextAt;
  }

  all(): Iterable<OriginQueue<Tag>> {
    return this.#queues.values();
  }

  /** The queue for an endpoint. */
  queueFor(endpoint: Endpoint, now: number): OriginQueue<Tag> {
    const origin = endpointOrigin(endpoint);
    const known = this.#queues.get(origin);
    if (known !== undefined) return known;
    if (this.#queues.size >= mostIdle) this.#forgetOne(now);
    const queue = new OriginQueue<Tag>(origin, endpoint, this.#concurrency);
    this.#queues.set(origin, queue);
    return queue;
  }

  /** Something about a queue has changed that decides whether it may send. */
  update(queue: OriginQueue<Tag>, now: number): void {
    const at = queue.nextAt(now);
    if (at <= now) this.#later.delete(queue);
    else if (at < Number.POSITIVE_INFINITY) this.#later.set(queue, at);
    else this.#later.delete(queue);
    if (at <= now && this.#hasRoom(queue)) this.#ready.add(queue);
    else this.#ready.delete(queue);
  }

  /** The queue whose turn it is; `update` puts it at the end of the line again. */
  next(now: number): OriginQueue<Tag> | undefined {
    for (const queue of this.#ready) {
      this.#ready.delete(queue);
      if (queue.nextAt(now) <= now && this.#hasRoom(queue)) return queue;
    }
    return undefined;
  }

  /** Notices which waits have ended. */
  wake(now: number): void {
    for (let queue = this.#later.takeDue(now); queue !== undefined; queue = this.#later.takeDue(now))
      this.update(queue, now);
  }

  /** The queue that has to wait longest. */
  farthest(): OriginQueue<Tag> | undefined {
    const entries = [...this.#later.entries()];
    const [first, ...others] = entries;
    return first && others.reduce((far, entry) => (entry.at > far.at ? entry : far), first).item;
  }

  #hasRoom(queue: OriginQueue<Tag>): boolean {
    // At least one: what is on the way tells when there is more.
    return queue.inFlight < Math.max(1, Math.min(queue.limit.value, this.#capacityOf(queue.endpoint)));
  }

  /** An origin that is held or halted is kept in mind. */
  #forgetOne(now: number): void {
    let looked = 0;
    for (const [origin, queue] of this.#queues) {
      this.#queues.delete(origin);
      if (queue.isIdle && !queue.isHalted(now) && queue.heldUntil(now) === undefined) return;
      this.#queues.set(origin, queue); // at the end, so that the next look meets others
      if ((looked += 1) === glances) return;
    }
  }
}
