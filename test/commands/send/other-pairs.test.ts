/**
 * Stored subscriptions that do not say which of a project's keys they were made with.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tryOtherPairs } from "../../../src/commands/send/other-pairs.ts";
import type { Attempted } from "../../../src/commands/send/deliver.ts";
import type { ReadyRecipient } from "../../../src/commands/send/plan.ts";
import { startEmulator, type PushEmulator } from "../../../src/emulator/index.ts";
import { classifyResponse } from "../../../src/protocol/delivery.ts";
import { formatKeys } from "../../../src/protocol/key-formats.ts";
import type { VapidKeyPair } from "../../../src/protocol/vapid.ts";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { samplePair, sampleSubscription } from "../../support/samples.ts";
import { createBrowser, openProject, ourPair, sendJson, storedIn } from "./sending.ts";

const [oldest, older] = [samplePair("oldest"), samplePair("older")];

let emulator: PushEmulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** A browser called `phone` that subscribed with `pair` and does not say so, in a project with three pairs. */
async function projectOf(pair: VapidKeyPair, pairs = [oldest, older, ourPair]) {
  const made = emulator.subscribe({ as: "fcm", applicationServerKey: pair.publicKey });
  const phone = createBrowser(made.endpoint, { name: "phone", keys: made.keys });
  return { cwd: await openProject({ browsers: [phone], pairs }), phone };
}

const keyOf = async (cwd: string) => (await storedIn(cwd)).get("phone")?.subscription.applicationServerKey;

describe("a stored subscription that does not say its key", () => {
  test("is tried with each pair until one is accepted: one record, and the key is known from then on", async () => {
    const { cwd } = await projectOf(oldest);
    const first = await sendJson(["hi"], { cwd });
    expect(first).toMatchObject({ exitCode: 0, records: [{ outcome: "accepted", attempts: 2 }] });
    expect(first.stderr).toContain(
      "found and stored which of your keys 1 subscription was made with\n1 in all: 1 accepted",
    );
    expect(await keyOf(cwd)).toBe(oldest.publicKey);
    expect((await sendJson(["again"], { cwd })).records).toMatchObject([
      { outcome: "accepted", attempts: 1 },
    ]);
  });

  test("made with none of them is refused once, marked, and left out until there is another pair", async () => {
    const stranger = samplePair("stranger");
    const { cwd } = await projectOf(stranger);
    expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ outcome: "wrong-key", attempts: 3 }]);
    expect((await storedIn(cwd)).get("phone")?.wrongKey?.publicKey).toBe(ourPair.publicKey);
    expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ cause: "key.refused", attempts: 0 }]);
    writeFileSync(join(cwd, "old.json"), formatKeys(stranger, undefined, "json"));
    await runMain(["keys", "import", "old.json", "--add"], { cwd });
    expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ outcome: "accepted", attempts: 4 }]);
    expect(await storedIn(cwd)).toMatchObject(new Map([["phone", { wrongKey: undefined }]]));
    expect(await keyOf(cwd)).toBe(stranger.publicKey);
  });

  test("keeps the key that was found when its page hands it in without one again", async () => {
    const { cwd, phone } = await projectOf(older);
    await sendJson(["hi"], { cwd });
    await runMain(["subscriptions", "add", phone.json], { cwd });
    expect(await keyOf(cwd)).toBe(older.publicKey);
  });

  test("is written down by the journal as one who has the message", async () => {
    const { cwd } = await projectOf(older);
    await sendJson(["hi", "--journal", "j"], { cwd });
    const again = await sendJson(["hi", "--journal", "j"], { cwd });
    expect(again.records).toMatchObject([{ outcome: "skipped", cause: "journal.accepted" }]);
  });
});

test("a subscription that says its key is tried with that one alone", async () => {
  const made = emulator.subscribe({ as: "fcm", applicationServerKey: older.publicKey });
  const liar = createBrowser(made.endpoint, {
    name: "liar",
    keys: made.keys,
    applicationServerKey: ourPair.publicKey,
  });
  const cwd = await openProject({ browsers: [liar], pairs: [older, ourPair] });
  expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ outcome: "wrong-key", attempts: 1 }]);
});

test("one of a list is tried with the current pair alone", async () => {
  const { cwd, phone } = await projectOf(older);
  writeFileSync(join(cwd, "list.ndjson"), phone.json);
  const { records, stderr } = await sendJson(["hi", "--to", "list.ndjson"], { cwd });
  expect(records).toMatchObject([{ outcome: "wrong-key", attempts: 1 }]);
  expect(linesOf(stderr).at(-1)).toBe("1 in all: 0 accepted, 1 refused credentials");
});

describe("when sending is stopped between two tries", () => {
  const recipient: ReadyRecipient = {
    id: "1",
    name: undefined,
    subscription: sampleSubscription("phone", { endpoint: "https://fcm.googleapis.com/fcm/send/abc" }),
    record: undefined,
    pair: ourPair,
    otherPairs: [older],
  };
  const { endpoint } = recipient.subscription;
  const body = "the VAPID credentials do not correspond to those of the subscription";
  const delivery = classifyResponse(endpoint, { status: 403, headers: {}, body }, 0);
  const first: Attempted = { recipient, delivery, attempts: 1, durationMs: 5 };

  /** What comes of a sender that answers as told, in the order of its calls. */
  async function outcomesOf(second: (everyone: AsyncIterable<ReadyRecipient>) => AsyncGenerator<Attempted>) {
    let calls = 0;
    const send = (everyone: AsyncIterable<ReadyRecipient>) =>
      calls++ === 0 ? yields(first) : second(everyone);
    const outcomes: Attempted[] = [];
    for await (const outcome of tryOtherPairs(yields(recipient), send)) outcomes.push(outcome);
    return outcomes;
  }

  async function* yields<Value>(...values: readonly Value[]): AsyncGenerator<Value> {
    yield* values;
    await Promise.resolve();
  }

  const refused = { delivery, attempts: 1, durationMs: 5, recipient: { pair: older } };

  test("before it was taken, the refusal stands", async () => {
    expect(await outcomesOf(() => yields())).toMatchObject([refused]);
  });

  test("after it was taken, the refusal stands, and comes once", async () => {
    const outcomes = await outcomesOf(async function* (everyone) {
      for await (const taken of everyone) yield { recipient: taken };
    });
    expect(outcomes).toMatchObject([refused]);
  });
});

test("as many wait for another try as may be held; then these go first", async () => {
  const made = (id: string): ReadyRecipient => ({
    id,
    name: undefined,
    subscription: sampleSubscription(id, { endpoint: `https://fcm.googleapis.com/fcm/send/${id}` }),
    record: undefined,
    pair: ourPair,
    otherPairs: [older],
  });
  const asked: string[] = [];
  /** Refuses our own pair, accepts the older one. */
  async function* send(everyone: AsyncIterable<ReadyRecipient>): AsyncGenerator<Attempted> {
    for await (const recipient of everyone) {
      const isRefused = recipient.pair === ourPair;
      asked.push(`${recipient.id}${isRefused ? "" : " again"}`);
      const body = "the VAPID credentials do not correspond to those of the subscription";
      const answer = isRefused ? { status: 403, headers: {}, body } : { status: 201, headers: {}, body: "" };
      const delivery = classifyResponse(recipient.subscription.endpoint, answer, 0);
      yield { recipient, delivery, attempts: 1, durationMs: 5 };
    }
  }
  async function* everyone(): AsyncGenerator<ReadyRecipient> {
    yield* ["1", "2", "3"].map(made);
    await Promise.resolve();
  }
  const outcomes: Attempted[] = [];
  for await (const outcome of tryOtherPairs(everyone(), send, 2)) outcomes.push(outcome);
  expect(asked).toEqual(["1", "2", "1 again", "2 again", "3", "3 again"]);
  expect(outcomes).toMatchObject(
    ["1", "2", "3"].map((id) => ({ recipient: { id }, delivery: { outcome: "accepted" }, attempts: 2 })),
  );
});
