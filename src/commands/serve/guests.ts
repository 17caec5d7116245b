/**
 * Subscriptions of a browser that is thrown away: when it is gone, nobody can ever receive for them.
 *
 * Left alone they would pile up, one for each run, and `send` would call messages
 * accepted that nothing will show. So they end with the browser, at the emulator and
 * in the store. Whoever the emulator knew before, and whoever did not come through the
 * page, such as `webpush listen`, is no guest.
 */
import type { Emulator } from "../../emulator/emulator.ts";
import type { Endpoint } from "../../protocol/subscription.ts";
import type { SubscriptionStore } from "../../store/subscriptions.ts";

export interface Guests {
  /** A page has handed in a subscription. */
  saw(endpoint: Endpoint): void;
  /** Ends those of new user agents; answers how many. */
  forget(): Promise<number>;
}

/** Watches from now on. */
export function watchGuests({ service }: Emulator, store: SubscriptionStore): Guests {
  const residents = new Set(service.subscriptions().map(({ owner }) => owner?.userAgentId));
  const seen = new Set<Endpoint>();
  return {
    saw(endpoint) {
      seen.add(endpoint);
    },
    async forget() {
      const guests = [...seen].flatMap((endpoint) => {
        const view = service.peekPushId(new URL(endpoint).pathname.split("/").at(-1) ?? "");
        if (view.kind === "refused" || residents.has(view.owner?.userAgentId)) return [];
        return [{ endpoint, subscriptionId: view.subscriptionId }];
      });
      seen.clear();
      for (const { subscriptionId } of guests) service.unsubscribe(subscriptionId);
      await store.remove(guests.map(({ endpoint }) => endpoint));
      return guests.length;
    },
  };
}
