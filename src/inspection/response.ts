/** A push service's answer, by the table that `send` reads it with. */
import { durationText } from "../base/figures.ts";
import { classifyResponse, diagnosisOf, type PushResponse } from "../protocol/delivery.ts";
import { parseEndpoint, type Endpoint } from "../protocol/subscription.ts";
import { UserError } from "../base/errors.ts";
import { fact, factsOf, type Inspection, type Surroundings } from "./inspection.ts";

/** Nobody's: then a vendor's rows count where they know the vendor's own words. */
const anybody = parseEndpoint("https://push.example.net/unknown");

/** Explains an answer; whose it is tells the endpoint. */
export function inspectResponse(
  response: PushResponse,
  endpoint: Endpoint | undefined,
  { clock }: Pick<Surroundings, "clock">,
): Inspection {
  const delivery = classifyResponse(endpoint ?? anybody, response, clock.now());
  const { outcome, cause, status, reason, requestId, retryAfterMs, clockSkewMs } = delivery;
  const { meaning, advice, subscription } = diagnosisOf(cause);
  const isGood = outcome === "accepted";
  return {
    kind: "response",
    title: "a push service's answer",
    facts: factsOf(
      fact("status", status),
      fact("cause", cause),
      fact("outcome", outcome),
      fact("reason", reason),
      fact("requestId", requestId),
      fact("retryAfterMs", retryAfterMs, retryAfterMs === undefined ? undefined : `${retryAfterMs / 1000} s`),
      fact(
        "clockSkewMs",
        clockSkewMs,
        clockSkewMs === undefined
          ? undefined
          : `its Date is ${durationText(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? "behind" : "ahead of"} this machine's clock; old, or one of the two is wrong`,
      ),
      fact("subscription", subscription),
    ),
    judgements: [
      { level: isGood ? "good" : "problem", what: meaning, fix: advice },
      ...(endpoint === undefined
        ? [
            {
              level: "note",
              what: "whose answer it is was not said",
              fix: "add --for with the endpoint",
            } as const,
          ]
        : []),
    ],
  };
}

/**
 * Reads an answer as `curl --include` prints it: status line, headers, an empty line, the body.
 *
 * @throws UserError `inspect-unreadable`
 */
export function parseResponse(text: string): PushResponse {
  let [head, body] = halves(text.replaceAll("\r\n", "\n"));
  // A proxy's 200 to CONNECT, and 1xx, come before the answer itself.
  while (body.startsWith("HTTP/")) [head, body] = halves(body);
  const [statusLine = "", ...lines] = head.split("\n");
  const [, digits] = /^HTTP\/[\d.]+\s+(\d{3})\b/.exec(statusLine) ?? [];
  if (digits === undefined) {
    throw new UserError("inspect-unreadable", "this is no HTTP answer", {
      hints: ["give what curl --include prints, from the line HTTP/… on"],
    });
  }
  const headers = lines.flatMap((line): [string, string][] => {
    const at = line.indexOf(":");
    return at > 0 ? [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]] : [];
  });
  return { status: Number(digits), headers: Object.fromEntries(headers), body };
}

/** What is before the first empty line, and what is after it. */
function halves(text: string): readonly [head: string, body: string] {
  const at = text.indexOf("\n\n");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 2)];
}
