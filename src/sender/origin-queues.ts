/**
 * All origins of a run: which may send now, whose turn it is, and when the others may.
 */
import { Deadlines } from "../base/deadlines.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import type { OriginQueue } from "./origin-queue.ts";
import type { OriginShares } from "./origin-shares.ts";

/** Recipients may bring as many origins as they like; those with nothing to do are forgotten beyond this. */
const mostIdle = 1024;
/** How many of the oldest are looked at, to forget one. */
const glances = 8;

/** What the queues of a run are made and measured with. */
export interface OriginQueuesOptions<Tag> {
  /** Makes the queue of an origin that was unknown, or forgotten. */
  readonly open: (endpoint: Endpoint, now: number) => OriginQueue<Tag>;
  /** How many exchanges the connections to an origin bear at once, as far as that is known. */
  readonly capacityOf: (endpoint: Endpoint) => number | undefined;
  /** Which runs use the same connections. */
  readonly shares: OriginShares;
}

export class OriginQueues<Tag> implements Disposable {
  readonly #options: OriginQueuesOptions<Tag>;
  readonly #queues = new Map<string, OriginQueue<Tag>>();
  /** Those that may send at once, in the order of their turns. */
  readonly #ready = new Set<OriginQueue<Tag>>();
  /** Those that may send later. */
  readonly #later = new Deadlines<OriginQueue<Tag>>();

  constructor(options: OriginQueuesOptions<Tag>) {
    this.#options = options;
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

  /** The queue of an origin, if it has one. */
  get(origin: string): OriginQueue<Tag> | undefined {
    return this.#queues.get(origin);
  }

  /** Whether another origin than this one answered within the last minute; else it may be our own network that does not work. */
  hasAnswerBeside(queue: OriginQueue<Tag>, now: number): boolean {
    return Array.from(this.#queues.values()).some((one) => one !== queue && one.hasAnsweredLately(now));
  }

  /** The queue for an endpoint. */
  queueFor(endpoint: Endpoint, now: number): OriginQueue<Tag> {
    const origin = endpointOrigin(endpoint);
    const known = this.#queues.get(origin);
    if (known !== undefined) return known;
    if (this.#queues.size >= mostIdle) this.#forgetOne(now);
    const queue = this.#options.open(endpoint, now);
    this.#queues.set(origin, queue);
    return queue;
  }

  /** Something about a queue has changed that decides whether it may send. */
  update(queue: OriginQueue<Tag>, now: number): void {
    this.#share(queue, !queue.isIdle);
    queue.seekLeave(now);
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
      this.update(queue, now); // its leave may have lapsed
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

  [Symbol.dispose](): void {
    for (const queue of this.all()) this.#share(queue, false);
  }

  #hasRoom(queue: OriginQueue<Tag>): boolean {
    const { capacityOf, shares } = this.#options;
    const capacity = capacityOf(queue.endpoint) ?? Number.POSITIVE_INFINITY;
    const share = Math.floor(capacity / Math.max(1, shares.runsAt(queue.origin)));
    // At least one: what is on the way tells when there is more.
    return queue.inFlight < Math.max(1, Math.min(queue.limit.value, share));
  }

  #share(queue: OriginQueue<Tag>, isSharing: boolean): void {
    if (queue.isSharing === isSharing) return;
    queue.isSharing = isSharing;
    if (isSharing) this.#options.shares.join(queue.origin);
    else this.#options.shares.leave(queue.origin);
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
