/** `--journal`: a run that goes on where another ended. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runMain } from "../../support/run-cli.ts";
import { ScriptedPushService, type Reply } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, sendJson } from "./sending.ts";

const accepted: Reply = {};

/** A list of two in a file, and the service that answers so. */
async function openCampaign(...replies: Reply[]) {
  const service = await ScriptedPushService.start(...replies);
  const browsers = ["ada", "bob"].map((name) => createBrowser(service.endpoint(`/${name}`), { name }));
  const cwd = await openProject();
  writeFileSync(join(cwd, "all.ndjson"), browsers.map(({ json }) => json).join("\n"));
  const run = (...flags: string[]) =>
    sendJson(["--to", "all.ndjson", "--journal", "news.journal", "--concurrency", "1", ...flags], { cwd });
  return { service, cwd, run, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const outcomes = ({ records }: Awaited<ReturnType<typeof sendJson>>) =>
  records.map(({ outcome, cause }) => `${outcome} ${cause}`);

describe("a second run with the same journal", () => {
  test("sends nothing to those who have it, and is a success", async () => {
    await using campaign = await openCampaign(accepted, accepted);
    expect((await campaign.run("hi")).exitCode).toBe(0);
    const again = await campaign.run("hi");
    expect(outcomes(again)).toEqual(["skipped journal.accepted", "skipped journal.accepted"]);
    expect(again.stderr).toMatch(/going on with news\.journal, begun .* ago: 2 accepted/);
    expect(again.stderr).toContain("2 in all: 0 accepted, 2 done before");
    expect(again.exitCode).toBe(0);
  });

  test("sends to those who do not, and the first says how", async () => {
    await using campaign = await openCampaign(accepted, { status: 503 }, accepted);
    const first = await campaign.run("three new", "--ttl", "600");
    expect(first.exitCode).toBe(3);
    expect(first.stderr).toContain(
      "try the 1 again with: webpush send --to all.ndjson --journal news.journal --concurrency 1 'three new' --ttl 600 --json",
    );
    const second = await campaign.run("three new", "--ttl", "600");
    expect(outcomes(second)).toEqual(["skipped journal.accepted", "accepted ok"]);
    expect(second.exitCode).toBe(0);
    expect(second.stderr).not.toContain("again with");
  });

  test.each<[string, readonly string[], string]>([
    ["another message", ["other"], "the payload changed"],
    ["another TTL", ["hi", "--ttl", "60"], "ttl was 2419200 and is 60"],
  ])("is refused for %s, unless told otherwise", async (_, flags, what) => {
    await using campaign = await openCampaign(accepted, accepted);
    await campaign.run("hi");
    const refused = await campaign.run(...flags);
    expect(refused.stderr).toContain(what);
    expect(refused.stderr).toContain("--resume-anyway");
    expect(refused.exitCode).toBe(2);
    expect((await campaign.run(...flags, "--resume-anyway")).exitCode).toBe(0);
  });

  test("asks those again who had just registered when they were called gone", async () => {
    await using service = await ScriptedPushService.start({ status: 410 }, accepted);
    const phone = createBrowser(service.endpoint(), { name: "phone" });
    const cwd = await openProject({ browsers: [phone], ageMs: 0 });
    const argv = ["hi", "--no-prune", "--journal", "news.journal"];
    expect(outcomes(await sendJson(argv, { cwd }))).toEqual(["gone http.410"]);
    expect(outcomes(await sendJson(argv, { cwd }))).toEqual(["accepted ok"]);
  });

  test("leaves those alone who are gone", async () => {
    await using service = await ScriptedPushService.start({ status: 410 });
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const argv = ["hi", "--no-prune", "--journal", "news.journal"];
    await sendJson(argv, { cwd });
    const again = await sendJson(argv, { cwd });
    expect(outcomes(again)).toEqual(["skipped journal.gone"]);
    expect(again.exitCode).toBe(0);
  });
});

test("who was found gone by a run that was killed before it marked anybody is asked again, and marked", async () => {
  await using service = await ScriptedPushService.start({ status: 410 }, { status: 410 });
  const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
  // Which marks nobody, as one that was killed.
  await sendJson(["hi", "--journal", "news.journal", "--no-prune"], { cwd });
  expect(outcomes(await sendJson(["hi", "--journal", "news.journal"], { cwd }))).toEqual(["gone http.410"]);
  const { stdout } = await runMain(["subscriptions", "list", "--gone", "--json"], { cwd });
  expect(stdout).toContain("phone");
});

describe("who may have it already", () => {
  const lost: Reply = { fault: "reset-before-headers" };

  test("gets it again, at least once", async () => {
    await using campaign = await openCampaign(accepted, lost, accepted);
    const first = await campaign.run("hi");
    expect(first.stderr).toContain("1 in doubt");
    expect(first.stderr).toContain("try the 1 again with");
    expect(outcomes(await campaign.run("hi"))).toEqual(["skipped journal.accepted", "accepted ok"]);
  });

  test("does not with --no-retry-ambiguous, at most once", async () => {
    await using campaign = await openCampaign(accepted, lost);
    const first = await campaign.run("hi", "--no-retry-ambiguous");
    expect(first.stderr).not.toContain("again with");
    const second = await campaign.run("hi", "--no-retry-ambiguous");
    expect(outcomes(second)).toEqual(["skipped journal.accepted", "skipped journal.ambiguous"]);
    expect(second.exitCode).toBe(3);
  });
});

test("the journal is its owner's, and holds neither endpoints nor keys", async () => {
  await using campaign = await openCampaign(accepted, accepted);
  await campaign.run("a secret message");
  const path = join(campaign.cwd, "news.journal");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const text = readFileSync(path, "utf8");
  for (const word of ["127.0.0.1", "/ada", "a secret message"]) expect(text).not.toContain(word);
});

test("the command to go on is not printed with a secret in it", async () => {
  await using service = await ScriptedPushService.start({ status: 503 });
  const { json } = createBrowser(service.endpoint());
  const argv = ["send", "hi", "--subscription", json, "--journal", "one.journal"];
  const { stderr } = await runMain(argv, { cwd: await openProject() });
  expect(stderr).toContain("try the 1 again with: the same command and the same --journal");
  expect(stderr).not.toContain(service.endpoint());
});
