/**
 * Faults on the way to a receiver: a message is lost or late, the connection breaks, the browser is forgotten.
 *
 * They stand between the state machine, for which the message is out already, and the door; so what the
 * rules of redelivery say of a lost message holds for these too.
 */
import { messageOf } from "../../base/errors.ts";
import type { Interceptor } from "../exchange.ts";
import type { PushService } from "../push-service.ts";
import { refuse } from "../refusals.ts";
import type { Toxic } from "./fault.ts";
import type { FaultRules } from "./rules.ts";

const normalClosure = 1000;

/** Stands between `service` and its receivers. The service exists only once it has been given this. */
export function receiverFaults(rules: FaultRules, service: () => PushService): Interceptor {
  return (message, courier) => {
    const { pushId, subscriptionId, personality } = message;
    const strikes = rules.strike({ side: "receiver", pushId, personality });
    for (const { fault } of strikes)
      service().tell({ type: "fault", rule: fault.rule, reason: undefined, subscriptionId });
    const toxics = strikes.map(({ fault }) => fault.toxic);
    const delayMs = toxics.reduce((sum, toxic) => sum + delayOf(toxic, rules), 0);
    const act = () => {
      strikeReceiver(toxics, courier, () => {
        service().forgetReceiver(subscriptionId);
      });
    };
    // Nobody is up the stack of a timer: what throws here would end the process.
    const guarded = () => {
      try {
        act();
      } catch (error) {
        service().report(refuse("internal", `the emulator failed: ${messageOf(error)}`), subscriptionId);
      }
    };
    if (delayMs === 0) act();
    else setTimeout(guarded, delayMs).unref();
  };
}

function delayOf(toxic: Toxic, rules: FaultRules): number {
  if (toxic.type !== "delay") return 0;
  return Math.max(0, toxic.ms + (rules.chance() * 2 - 1) * toxic.jitterMs);
}

/** The first that is no delay counts. */
function strikeReceiver(
  toxics: readonly Toxic[],
  { deliver, disconnect }: Parameters<Interceptor>[1],
  forget: () => void,
): void {
  const toxic = toxics.find(({ type }) => type !== "delay");
  switch (toxic?.type) {
    case "drop":
      return;
    case "disconnect":
      disconnect(toxic.code, "fault");
      return;
    case "forget":
      forget();
      disconnect(normalClosure, "forgotten");
      return;
    default:
      deliver();
  }
}
