/** The cause of a delivery by its id, as `send` and docs/errors.md have it. */
import { diagnoses, type Diagnosis } from "../protocol/diagnoses.ts";
import { factsOf as serviceFacts } from "../protocol/services.ts";
import { fact, factsOf, type Inspection } from "./inspection.ts";

/** Whether a text is the id of a cause. */
export function causeOf(text: string): Diagnosis | undefined {
  return diagnoses.find(({ id }) => id === text);
}

/** Explains a cause. */
export function inspectCause({
  id,
  service,
  outcome,
  meaning,
  advice,
  retry,
  subscription,
  example,
  source,
}: Diagnosis): Inspection {
  return {
    kind: "cause",
    title: "the cause of a delivery's end",
    facts: factsOf(
      fact("cause", id),
      fact("service", service, service === "any" ? "any" : serviceFacts(service).name),
      fact("outcome", outcome),
      fact("retry", retry, retryWords[retry]),
      fact("subscription", subscription, subscriptionWords[subscription]),
      fact("status", example?.status),
      fact("answer", example?.body?.trim()),
      fact("source", source),
    ),
    judgements: [{ level: outcome === "accepted" ? "good" : "note", what: meaning, fix: advice }],
  };
}

const retryWords = {
  no: "sending again does not help",
  backoff: "sending again may help after a while",
  after: "sending again may help after the time the service asks for",
  once: "sending again may help, once",
} as const;

const subscriptionWords = {
  keep: "kept",
  delete: "taken for gone",
  "wrong-key": "kept, marked as made with another key",
  suspect: "kept; look at it when this happens again",
} as const;
