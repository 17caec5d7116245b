/**
 * Checks of the way to each push service, over what a visit there saw (`sender/visit.ts`).
 *
 * Each finding is told at its place, so one service that fails does not hide another.
 */
import type { TransportFailure } from "../protocol/delivery.ts";
import type { Visit } from "../sender/visit.ts";
import type { Check, Finding } from "./check.ts";
import { valueOf, type ProjectFacts } from "./facts.ts";

/** What else reads the clock (certificates, other senders' tokens) has less room than our tokens. */
const skewToNoteMs = 30_000;
/** Tokens of ours hold for 12 hours, of the 24 that are allowed: a clock that is this wrong has them refused. */
const skewThatFailsMs = 12 * 3_600_000;
/** Of a visit: up to three round trips, and the answer. */
const slowMs = 3000;

export const networkChecks: readonly Check<ProjectFacts>[] = [
  {
    id: "network.way",
    title: "ways out",
    why: "the proxy and the authorities that are given decide how a push service is reached",
    needs: "online",
    examine: ({ visits, subscriptions }) => {
      if ("value" in visits) {
        const what = `${visits.value.length} push services visited`;
        if (valueOf(subscriptions)?.hasMoreOrigins !== true) return [{ level: "good", what }];
        return [
          { level: "note", what: `${what}, no more at once: the stored subscriptions have others too` },
        ];
      }
      const { message, hints } = visits.error;
      return [{ level: "problem", what: message, fix: hints[0] ?? "correct it", about: "network" }];
    },
  },
  perVisit({
    id: "network.name",
    title: "names of push services",
    why: "a name that does not resolve, or leads into your own network, is a matter of your resolver or firewall",
    examine: (visit) => {
      const { failure, addresses, proxy } = visit;
      if (failure?.kind === "dns") {
        return problem(
          "its name does not resolve",
          "look at the name server, or give --proxy if only a proxy leads out",
        );
      }
      if (proxy !== undefined) return { level: "good", what: `resolved by proxy ${proxy}` };
      const inner = addresses?.filter(({ isPublic }) => !isPublic) ?? [];
      if (inner.length > 0) {
        const shown = inner.map(({ address }) => address).join(", ");
        return problem(
          `its name leads to ${shown}, which is not public`,
          "ask who runs your name server: it redirects or blocks the push service",
        );
      }
      const count = addresses?.length ?? 0;
      return { level: "good", what: count === 0 ? "this machine" : `${count} public addresses` };
    },
  }),
  perVisit({
    id: "network.reach",
    title: "reaching push services",
    why: "a push service that cannot be reached takes no message; a firewall has to let port 443 out",
    examine: ({ failure, proxy, status, origin }) => {
      if (failure === undefined)
        return {
          level: "good",
          what: `${status === undefined ? "connected" : `answers ${status}`}${proxy === undefined ? "" : ` through ${proxy}`}`,
        };
      if (failure.kind === "blocked")
        return skippedBecause(`send does not go there unless told: ${wordsOf(failure, origin)}`);
      if (failure.kind === "tls" || failure.kind === "dns") return skippedBecause("told by another check");
      return problem(
        wordsOf(failure, origin),
        "let port 443 to it out, or give the proxy that leads out: --proxy",
      );
    },
  }),
  perVisit({
    id: "network.tls",
    title: "certificates of push services",
    why: "a certificate of somebody else means that a proxy reads along, or that this is not the push service",
    examine: ({ failure, issuer, isPubliclyTrusted, origin }) => {
      if (failure?.kind === "tls") {
        const by = issuer === undefined ? "" : `; it was issued by ${issuer}`;
        return problem(
          `${wordsOf(failure, origin)}${by}`,
          "if that is your company's proxy, trust its authority: --ca FILE, or NODE_EXTRA_CA_CERTS",
        );
      }
      if (!origin.startsWith("https:")) return { level: "good", what: "plain HTTP on this machine" };
      if (isPubliclyTrusted === undefined) return skippedBecause("it was not reached");
      if (isPubliclyTrusted) return { level: "good", what: `issued by ${issuer ?? "a public authority"}` };
      return {
        level: "note",
        what: `issued by ${issuer ?? "an unnamed authority"}, which is trusted here alone: somebody may read along`,
        fix: "make sure that you know who that is",
      };
    },
  }),
  perVisit({
    id: "network.http2",
    title: "HTTP/2",
    why: "over HTTP/2 hundreds of messages share a connection; without it a broadcast takes longer",
    examine: ({ protocol, offersHttp2 }) => {
      if (!offersHttp2) return { level: "good", what: "not offered to this push service" };
      if (protocol === undefined) return skippedBecause("it was not reached");
      if (protocol === "h2") return { level: "good", what: "agreed" };
      return {
        level: "note",
        what: "not agreed to, though it is offered: a proxy in between may be the reason",
        fix: "nothing, unless broadcasts are too slow",
      };
    },
  }),
  perVisit({
    id: "network.clock",
    title: "clock",
    why: "a token says until when it holds: with a clock that is wrong, push services refuse it as expired or as too long",
    examine: ({ clockSkewMs }) => {
      if (clockSkewMs === undefined) return skippedBecause("it did not say its time");
      const off = Math.abs(clockSkewMs);
      if (off <= skewToNoteMs) return { level: "good", what: "agrees" };
      const what = `the clock here is ${inWords(off)} ${clockSkewMs > 0 ? "ahead" : "behind"}${consequence(clockSkewMs)}`;
      const fix = "set the clock: timedatectl set-ntp true, or restart the container or virtual machine";
      return off > skewThatFailsMs
        ? { level: "problem", what, fix, about: "credentials" }
        : { level: "warning", what, fix };
    },
  }),
  perVisit({
    id: "network.time",
    title: "time to an answer",
    why: "each message waits for an answer once; a slow way out costs every one of them",
    examine: ({ durationMs, failure }) => {
      if (failure !== undefined) return skippedBecause("it was not reached");
      const ms = `${Math.round(durationMs)} ms`;
      if (durationMs < slowMs) return { level: "good", what: ms };
      return {
        level: "warning",
        what: `${ms} for one plain request`,
        fix: "look at the proxy and the name server",
      };
    },
  }),
];

interface VisitCheck extends Pick<Check<never>, "id" | "title" | "why"> {
  readonly examine: (visit: Visit) => Finding;
}

/** A check that has a finding for each push service visited. */
function perVisit({ examine, ...rest }: VisitCheck): Check<ProjectFacts> {
  return {
    ...rest,
    needs: "online",
    examine: ({ visits }) => {
      if ("error" in visits) return [skippedBecause("nothing was visited, see above")];
      return visits.value.map((visit) => ({ ...examine(visit), where: visit.origin }));
    },
  };
}

/** What went wrong, without the host's name: that is told as the place. */
function wordsOf({ message }: TransportFailure, origin: string): string {
  const prefix = `${new URL(origin).host}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

function problem(what: string, fix: string): Finding {
  return { level: "problem", what, fix, about: "network" };
}

function skippedBecause(what: string): Finding {
  return { level: "skipped", what };
}

/** What it does to a token that is made to hold for twelve hours, where 24 are allowed at most. */
function consequence(skewMs: number): string {
  if (skewMs > skewThatFailsMs) return ": tokens seem to hold for longer than 24 hours, and are refused";
  return skewMs < -skewThatFailsMs ? ": tokens have expired before they are sent" : "";
}

function inWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
