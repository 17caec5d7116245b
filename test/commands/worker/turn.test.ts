/** What a turn decides about those who are left, over a sender and a database that are told what to do. */
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/base/errors.ts";
import type { GoneMarks, Outcome, Turn } from "../../../src/campaigns/campaign.ts";
import { DatabaseWatch } from "../../../src/commands/worker/database-watch.ts";
import type { WorkerEvent } from "../../../src/commands/worker/events.ts";
import { ActiveTurn, type TurnTools } from "../../../src/commands/worker/turn.ts";
import type { ReadyRecipient } from "../../../src/commands/send/plan.ts";
import type { Delivery } from "../../../src/protocol/delivery.ts";
import type { SendResult } from "../../../src/sender/job.ts";
import { samplePlan } from "../../support/sample-plan.ts";
import { samplePair, sampleSubscription } from "../../support/samples.ts";

const ours = samplePair("ours");
const accepted: Delivery = { outcome: "accepted", cause: "ok", status: 201 };
const throttled: Delivery = { outcome: "throttled", cause: "http.429", status: 429 };

interface Answered {
  readonly delivery: Delivery;
  readonly isFinal?: boolean;
}

interface Script {
  /** What becomes of each recipient, by number. */
  readonly answers: readonly Answered[];
  readonly heldForMs?: number;
  readonly turn?: Partial<Turn>;
  readonly isRecorded?: () => Promise<boolean>;
}

interface Ran {
  readonly events: readonly WorkerEvent[];
  readonly recorded: readonly Outcome[];
  readonly finished: GoneMarks | undefined;
  readonly givenBack: number | undefined;
}

async function runTurn({ answers, heldForMs = 0, turn = {}, isRecorded }: Script): Promise<Ran> {
  const events: WorkerEvent[] = [];
  const recorded: Outcome[] = [];
  let finished: GoneMarks | undefined;
  let givenBack: number | undefined;
  const now = (): number => performance.now();
  const tell = (event: WorkerEvent): void => void events.push(event);
  const tools: TurnTools = {
    turns: {
      async record(_turn, outcomes) {
        const isHeld = (await isRecorded?.()) ?? true;
        if (isHeld) recorded.push(...outcomes);
        return isHeld;
      },
      finish(_turn, gone) {
        finished = gone;
        return Promise.resolve(true);
      },
      giveBack(_turn, afterMs) {
        givenBack = afterMs;
        return Promise.resolve(true);
      },
    },
    sender: {
      async *send(jobs) {
        let number = 0;
        for await (const job of jobs) {
          const { delivery, isFinal = true } = answers[number] ?? { delivery: accepted };
          number += 1;
          yield {
            job,
            kind: "delivery",
            delivery,
            isFinal,
            attempts: 1,
            durationMs: 1,
          } satisfies SendResult<ReadyRecipient>;
        }
      },
    },
    pace: {
      of: () => ({
        current: () => [],
        subscribe: () => ({ [Symbol.dispose]: () => undefined }),
        held: () => undefined,
      }),
      heldForMs: () => heldForMs,
    },
    watch: new DatabaseWatch({ tell, now }),
    keys: { current: ours, pairs: [ours], tenures: [], newestAt: undefined, subject: undefined },
    concurrency: 10,
    observer: {},
    clock: { now: () => Date.now() },
    now,
    tell,
  };
  await new ActiveTurn(turnOf(answers.length, turn), now(), tools).run();
  return { events, recorded, finished, givenBack };
}

function turnOf(count: number, over: Partial<Turn>): Turn {
  return {
    campaign: {
      ...samplePlan(),
      id: "news",
      message: { payload: undefined, ttlSeconds: 60, urgency: undefined, topic: undefined },
      state: "running",
      source: "subscriptions",
      createdAt: 0,
      dueAt: 0,
      endsAt: 0,
      finishedAt: undefined,
      recipients: count,
      chunks: 1,
      chunksDone: 0,
    },
    chunk: 1,
    number: 1,
    recipients: Array.from({ length: count }, (_, index) => ({
      seq: BigInt(index + 1),
      record: {
        id: `id-${index}`,
        name: undefined,
        tags: [],
        subscription: sampleSubscription(`reader-${index}`),
        createdAt: 0,
        registeredAt: 0,
        lastResult: undefined,
        gone: undefined,
        wrongKey: undefined,
      },
    })),
    leaseMs: 60_000,
    endsInMs: 3_600_000,
    ...over,
  };
}

const open = { delivery: throttled, isFinal: false };

describe("a turn", () => {
  test("is finished when everybody has a final result", async () => {
    const { recorded, finished, givenBack } = await runTurn({
      answers: [{ delivery: accepted }, { delivery: throttled }],
    });
    expect(recorded.map(({ outcome }) => outcome)).toEqual(["accepted", "throttled"]);
    expect(finished).toEqual([]);
    expect(givenBack).toBe(undefined);
  });

  test("is given back without those who could be sent to later, for as long as they must wait", async () => {
    const { recorded, givenBack, events } = await runTurn({
      answers: [{ delivery: accepted }, open],
      heldForMs: 30_000,
    });
    expect(recorded.map(({ outcome }) => outcome)).toEqual(["accepted"]);
    expect(givenBack).toBe(30_000);
    expect(events.at(-1)).toMatchObject({ type: "chunk.returned", why: "held", left: 1 });
  });

  test("in which nobody was settled rests longer each time", async () => {
    expect((await runTurn({ answers: [open] })).givenBack).toBe(2000);
    expect((await runTurn({ answers: [open], turn: { number: 4 } })).givenBack).toBe(16_000);
    expect((await runTurn({ answers: [open], turn: { number: 40 } })).givenBack).toBe(30_000);
  });

  test.each([
    ["its campaign is over before", { endsInMs: 20_000 }],
    ["it has gone round too often", { number: 50 }],
  ])("takes those left as they stand when %s", async (_when, turn) => {
    const { recorded, finished } = await runTurn({ answers: [open], heldForMs: 30_000, turn });
    expect(recorded.map(({ outcome, cause }) => [outcome, cause])).toEqual([["throttled", "http.429"]]);
    expect(finished).toEqual([]);
  });

  test("whose chunk is in other hands is lost, and lets go of what may still be its own", async () => {
    const { events, givenBack, finished } = await runTurn({
      answers: [{ delivery: accepted }],
      isRecorded: () => Promise.resolve(false),
    });
    expect(events.at(-1)).toMatchObject({ type: "chunk.lost", counts: {} });
    expect(givenBack).toBe(0);
    expect(finished).toBe(undefined);
  });

  test("records again what a database that was away did not take", async () => {
    let tries = 0;
    const { events, recorded, finished } = await runTurn({
      answers: [{ delivery: accepted }],
      isRecorded() {
        tries += 1;
        if (tries > 2) return Promise.resolve(true);
        return Promise.reject(new UserError("store-unreachable", "it is away"));
      },
    });
    expect(recorded).toHaveLength(1);
    expect(finished).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual([
      "chunk.taken",
      "database.lost",
      "database.back",
      "chunk.finished",
    ]);
  });
});
