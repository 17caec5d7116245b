/** What `subscriptions check --online` prints, besides the findings. */
import { diagnosisOf } from "../../protocol/delivery.ts";
import { serviceOf } from "../../protocol/services.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Result } from "../send/deliver.ts";
import { counted } from "./render.ts";
import type { ProbePlan, Unasked } from "./probe-plan.ts";

/** What will be done and what it costs, before it is done. */
export function probeNotice(
  { ready, unproven }: Pick<ProbePlan, "ready" | "unproven">,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  const note = paint.err.caution("note:");
  return [
    `${note} ${counted(ready.length, "request")}: a push each that no browser can decrypt, so it is dropped unseen; it is not stored and not repeated`,
    `${note} a device may wake for a moment, it counts against rate limits, and accepted proves little: so is one for a browser that is off`,
    ...(unproven === 0
      ? []
      : [
          `${paint.err.caution("warning:")} ${unproven} of them where nobody knows that it stays unseen; an iPhone ends a subscription at the third silent push`,
        ]),
  ];
}

/** What came of one probe, as a JSON record. Fields are a contract: docs/json.md. */
export function probeJson({ recipient, delivery, durationMs }: Result): string {
  return jsonLine({
    ...whoFields(recipient),
    probe: delivery.outcome,
    cause: delivery.cause,
    status: delivery.status ?? null,
    reason: delivery.reason ?? null,
    advice: delivery.outcome === "accepted" ? null : diagnosisOf(delivery.cause).advice,
    requestId: delivery.requestId ?? null,
    retryAfterMs: delivery.retryAfterMs ?? null,
    ms: Math.round(durationMs),
  });
}

/** One who was not asked, with the same fields. */
export function unaskedJson({ record, cause, reason, advice }: Unasked): string {
  return jsonLine({
    ...whoFields(record),
    probe: "not-asked",
    cause,
    status: null,
    reason,
    advice,
    requestId: null,
    retryAfterMs: null,
    ms: 0,
  });
}

function whoFields({ id, name, subscription }: Pick<SubscriptionRecord, "id" | "name" | "subscription">) {
  return {
    id,
    name: name ?? null,
    service: serviceOf(subscription.endpoint).id,
    host: new URL(subscription.endpoint).host,
  };
}

const unaskedWords: Readonly<Record<Unasked["cause"], string>> = {
  "probe.gone": "marked gone before",
  "probe.dead-host": "at a host where no push service is",
  "probe.unproven": "where nobody knows that it stays unseen (--include-unproven asks them too)",
  "key.unknown": "made with a key you do not have",
  "key.refused": "whose push service refused your key before",
};

/** Who was not asked, a line for each reason. */
export function unaskedText(unasked: readonly Unasked[]): readonly string[] {
  const causes = [...new Set(unasked.map(({ cause }) => cause))];
  return causes.map((cause) => {
    const count = unasked.filter((one) => one.cause === cause).length;
    return `not asked: ${counted(count)} ${unaskedWords[cause]}`;
  });
}
