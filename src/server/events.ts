/**
 * What happens at the development server, as one closed union: the terminal and `--json` show these and nothing else.
 */
import type { AddOutcome } from "../store/subscriptions.ts";
import type { Endpoint } from "../protocol/subscription.ts";
import type { BeaconType } from "./beacon.ts";

interface Happened {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The page handed in its subscription. Pages do so on every visit, so `unchanged` is the rule. */
export interface StoredEvent extends Happened {
  readonly type: "stored";
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly outcome: AddOutcome;
  /** The subscription this one stands for now: the browser had replaced it. */
  readonly replacedId: string | undefined;
}

interface RemovedEvent extends Happened {
  readonly type: "removed";
  readonly id: string;
  readonly endpoint: Endpoint;
}

interface TestedEvent extends Happened {
  readonly type: "tested";
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly result: TestResult;
}

/** What the service worker said of a message. */
interface BeaconEvent extends Happened {
  readonly type: "beacon";
  readonly what: BeaconType;
  /** `data.id` of the message, when its sender gave it one. */
  readonly messageId: string | undefined;
  /** By the browser's clock. */
  readonly happenedAt: number;
}

interface RefusedEvent extends Happened {
  readonly type: "refused";
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly method: string;
  readonly path: string;
  /** How many more were refused since the last of these events, without one of their own. */
  readonly untold: number;
}

/** Anything that happens at the development server. Switches over it must be total. */
export type ServerEvent = StoredEvent | RemovedEvent | TestedEvent | BeaconEvent | RefusedEvent;

export type ServerListener = (event: ServerEvent) => void;

/** What became of a test push, in the words of `webpush send`. */
export interface TestResult {
  readonly outcome: string;
  /** Id of the diagnosis. */
  readonly cause: string;
  readonly status: number | undefined;
  /** The push service's own words. */
  readonly reason: string | undefined;
  /** What the diagnosis means, for people. */
  readonly meaning: string;
  /** What to do; undefined when it was accepted. */
  readonly advice: string | undefined;
}
