/**
 * Notices browsers that subscribed and do not come for their messages.
 *
 * `subscribe()` succeeds without a message stream, so that nothing in the page tells that none will ever come.
 */
export class Absences {
  readonly #afterMs: number;
  readonly #missed: (deviceId: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** `missed` is called with a device that did not come within `afterMs`. */
  constructor(afterMs: number, missed: (deviceId: string) => void) {
    this.#afterMs = afterMs;
    this.#missed = missed;
  }

  /** From now on this device should come. */
  expect(deviceId: string): void {
    this.came(deviceId);
    const miss = () => {
      this.#timers.delete(deviceId);
      this.#missed(deviceId);
    };
    this.#timers.set(deviceId, setTimeout(miss, this.#afterMs).unref());
  }

  came(deviceId: string): void {
    clearTimeout(this.#timers.get(deviceId));
    this.#timers.delete(deviceId);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
