import { expect, test } from "vitest";
import type { WorkerEvent } from "../../../src/commands/worker/events.ts";
import { KeyWatch } from "../../../src/commands/worker/key-watch.ts";
import { withCurrentPair } from "../../../src/store/config.ts";
import { samplePair } from "../../support/samples.ts";
import { testContext } from "../../support/test-context.ts";

const [ours, next] = [samplePair("ours"), samplePair("next")];

test("a worker signs with a rotated pair without being started anew, and says so", async () => {
  const context = await testContext({ pairs: [ours] });
  const events: WorkerEvent[] = [];
  const watch = await KeyWatch.open(context, (event) => events.push(event));
  await watch.refresh();
  expect(events).toEqual([]);
  await context.config.update((before) =>
    withCurrentPair(before, { pair: next, createdAt: 0 }, { replacing: false }),
  );
  await watch.refresh();
  expect(watch.current.current?.publicKey).toBe(next.publicKey);
  const publicKeys = events.flatMap((event) => (event.type === "keys.changed" ? event.publicKeys : []));
  expect([...publicKeys].sort()).toEqual([ours.publicKey, next.publicKey].sort());
});
