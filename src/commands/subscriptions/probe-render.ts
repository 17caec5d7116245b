/** What `subscriptions check --online` prints, besides the findings. */
import { diagnosisOf } from "../../protocol/delivery.ts";
import { serviceOf } from "../../protocol/services.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { wrap } from "../../terminal/wrap.ts";
import type { Result } from "../send/deliver.ts";
import { counted } from "./render.ts";
import type { Unasked } from "./probe-plan.ts";

/** What will be done and what it costs, before it is done. */
export function probeNotice(
  { ready, unproven }: { readonly ready: number; readonly unproven: number },
  io: Shown,
): readonly string[] {
  return [
    ...labelled(
      "note:",
      `${counted(ready, "request")}: a push each that no browser can decrypt, so it is dropped unseen; it is not stored and not repeated`,
      io,
    ),
    ...labelled(
      "note:",
      "a device may wake for a moment, it counts against rate limits, and accepted proves little: so is one for a browser that is off",
      io,
    ),
    ...(unproven === 0
      ? []
      : labelled(
          "warning:",
          `${unproven} of them where nobody knows that it stays unseen: an iPhone ends a subscription at the third silent push, and what is accepted for it may be dead all the same`,
          io,
        )),
  ];
}

type Shown = Pick<Io, "paint" | "terminal">;

/** Broken between words at a terminal; anywhere else a line stays a line. */
function labelled(label: string, text: string, { paint, terminal }: Shown): readonly string[] {
  const [first = "", ...rest] = wrap(`${label} ${text}`, terminal.errColumns);
  return [first.replace(label, paint.err.caution(label)), ...rest];
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
  interrupted: "whose turn had not come when it was stopped",
  "key.refused": "whose push service refused your key before",
};

/** Who was not asked, a line for each reason. */
export function unaskedText(
  unasked: ReadonlyMap<Unasked["cause"], number>,
  { terminal }: Pick<Io, "terminal">,
): readonly string[] {
  return [...unasked].flatMap(([cause, count]) =>
    wrap(`not asked: ${counted(count)} ${unaskedWords[cause]}`, terminal.errColumns),
  );
}
