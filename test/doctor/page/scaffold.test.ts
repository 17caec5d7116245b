import { expect, test } from "vitest";
import { pageChecks } from "../../../src/doctor/page-checks.ts";
import { complaints, examine, factsOf, scaffoldedPage } from "./support.ts";

test("the page that webpush scaffold writes is good in every respect", async () => {
  expect(await complaints(factsOf(scaffoldedPage()))).toEqual([]);
});

test("and every check has seen something of it", async () => {
  const facts = factsOf(scaffoldedPage());
  const silent = await Promise.all(
    pageChecks.map(async ({ id }) => ((await examine(id, facts)).length === 0 ? [id] : [])),
  );
  expect(silent.flat()).toEqual([]);
});
