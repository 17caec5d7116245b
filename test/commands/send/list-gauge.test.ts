import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ListGauge } from "../../../src/commands/send/list-gauge.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function* chunksOf(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield await Promise.resolve(Buffer.alloc(length));
}

test("the number of entries is guessed by how far the files have been read", async () => {
  const cwd = tempFolder();
  writeFileSync(join(cwd, "a"), Buffer.alloc(600));
  writeFileSync(join(cwd, "b"), Buffer.alloc(400));
  const gauge = new ListGauge(["a", "b"], cwd);
  expect(gauge.expect(3)).toBe(3);
  for await (const chunk of gauge.measure(chunksOf(100, 100))) gauge.entries += chunk.length / 20;
  expect(gauge.expect(3)).toBe(3 + 50);
  for await (const chunk of gauge.measure(chunksOf(800))) gauge.entries += chunk.length / 40;
  expect(gauge.expect(3)).toBe(3 + 30);
});

test.each([["-"], ["/dev/null"]])("of %s nothing is guessed", (file) => {
  expect(new ListGauge([file], tempFolder()).expect(0)).toBeUndefined();
});
