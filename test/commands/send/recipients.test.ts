import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runMain } from "../../support/run-cli.ts";
import { ScriptedPushService, type Reply } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, sendJson, type Browser } from "./sending.ts";

const cannedReplies = (count: number): Reply[] => Array.from({ length: count }, () => ({}));

/** A project that knows ada's, bob's and carl's browsers, the last one called gone; `count` requests are expected. */
async function people(count: number) {
  const service = await ScriptedPushService.start(...cannedReplies(count));
  const [ada, bob, carl] = ["ada", "bob", "carl"].map((name) =>
    createBrowser(service.endpoint(`/${name}`), { name }),
  );
  if (ada === undefined || bob === undefined || carl === undefined) throw new Error("three were made");
  const tags = { ada: ["news", "vip"], bob: ["news"], carl: ["news", "old"] };
  const cwd = await openProject({ browsers: [ada, bob, carl], tags, gone: ["carl"] });
  const stranger = createBrowser(service.endpoint("/dora"), { name: "dora" });
  return {
    service,
    cwd,
    ada,
    stranger,
    /** Whom a run reached, in order. */
    reached: () => service.requests.map(({ path }) => path.slice(1)).sort(),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

describe("stored ones", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["without --to everyone, but for those gone", [], ["ada", "bob"]],
    ["all, the same", ["--to", "all"], ["ada", "bob"]],
    ["by name", ["--to", "bob"], ["bob"]],
    ["by tag, but for those gone", ["--to", "tag:news"], ["ada", "bob"]],
    ["one who is gone, when named", ["--to", "carl"], ["carl"]],
    ["several, each once", ["--to", "ada", "--to", "tag:vip", "--to", "all", "--to", "ada"], ["ada", "bob"]],
  ])("%s", async (_name, argv, expected) => {
    await using project = await people(expected.length);
    const { exitCode } = await runMain(["send", "hi", ...argv], { cwd: project.cwd });
    expect(project.reached()).toEqual(expected);
    expect(exitCode).toBe(0);
  });

  test("by id, and by the beginning of an id", async () => {
    await using project = await people(2);
    const { records } = await sendJson(["hi", "--to", "ada"], { cwd: project.cwd });
    const id = records[0]?.id ?? "";
    expect(id).toMatch(/^[0-9a-z]{10}$/);
    expect((await runMain(["send", "hi", "--to", id.slice(0, 6)], { cwd: project.cwd })).exitCode).toBe(0);
    expect(project.reached()).toEqual(["ada", "ada"]);
  });

  test.each([
    ["bbo", "did you mean bob?"],
    ["tag:nwes", "did you mean tag:news?"],
    ["zzzzzzzz", "run `webpush subscriptions list`"],
  ])("%s is nobody, and the nearest is named", async (to, hint) => {
    await using project = await people(0);
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", to], { cwd: project.cwd });
    expect(stderr).toContain(`no stored subscription is "${to}"`);
    expect(stderr).toContain(hint);
    expect(exitCode).toBe(2);
  });

  test("an endpoint alone is not enough, and is not repeated", async () => {
    await using project = await people(0);
    const to = "https://fcm.googleapis.com/fcm/send/dGhpcyBpcyBhIHNlY3JldA";
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", to], { cwd: project.cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--to does not take an endpoint (fcm.googleapis.com/…Y3JldA)");
    expect(stderr).not.toContain("dGhpcyBpcyBhIHNlY3JldA");
  });

  test("a group whose members are all gone is nobody, and it says so", async () => {
    await using project = await people(0);
    const { exitCode, stderr } = await runMain(["send", "hi", "--to", "tag:old"], { cwd: project.cwd });
    expect(stderr).toContain("nobody to send to");
    expect(stderr).toContain("all of them are gone: webpush subscriptions list --gone");
    expect(exitCode).toBe(2);
  });

  test("a project without any says how to get one", async () => {
    const { exitCode, stderr } = await runMain(["send", "hi"], { cwd: await openProject() });
    expect(stderr).toContain("webpush subscriptions add");
    expect(stderr).toContain("webpush scaffold");
    expect(exitCode).toBe(2);
  });
});

describe("what a script forgot must not mean everyone", () => {
  test.each<[readonly string[], string]>([
    [["--to", ""], "--to is empty"],
    [["--to", " "], "--to is empty"],
    [["--subscription", ""], "--subscription is empty"],
    [["--p256dh", "BA", "--auth", "AA"], "without --endpoint"],
    [["--key", "BA"], "without --endpoint"],
    [["--endpoint", "", "--p256dh", "BA", "--auth", "AA"], "subscription has no endpoint"],
  ])("send %j", async (argv, error) => {
    await using project = await people(0);
    const { exitCode, stderr } = await runMain(["send", "hi", ...argv], { cwd: project.cwd });
    expect(stderr).toContain(error);
    expect(exitCode).toBe(2);
  });
});

describe("given ones", () => {
  test("as JSON", async () => {
    await using project = await people(1);
    await runMain(["send", "hi", "--subscription", project.stranger.json], { cwd: project.cwd });
    expect(project.reached()).toEqual(["dora"]);
  });

  test("as a file with JSON, and beside stored ones", async () => {
    await using project = await people(2);
    writeFileSync(join(project.cwd, "dora.json"), `\uFEFF${project.stranger.json}\n`);
    await runMain(["send", "hi", "--subscription", "dora.json", "--to", "ada"], { cwd: project.cwd });
    expect(project.reached()).toEqual(["ada", "dora"]);
  });

  test("as stdin", async () => {
    await using project = await people(1);
    const stdin = project.stranger.json;
    await runMain(["send", "hi", "--subscription", "-"], { cwd: project.cwd, stdin });
    expect(project.reached()).toEqual(["dora"]);
  });

  test("part by part, in the words of web-push too", async () => {
    await using project = await people(2);
    const { endpoint, p256dh, auth } = project.stranger.subscription;
    const parts = ["--endpoint", endpoint, "--auth", auth.reveal()];
    await runMain(["send", "hi", ...parts, "--p256dh", p256dh], { cwd: project.cwd });
    await runMain(["send", "hi", ...parts, "--key", p256dh], { cwd: project.cwd });
    expect(project.reached()).toEqual(["dora", "dora"]);
  });

  test("the endpoint of a stored one is sent to once", async () => {
    await using project = await people(1);
    const { records } = await sendJson(["hi", "--to", "ada", "--subscription", project.ada.json], {
      cwd: project.cwd,
    });
    expect(records.map(({ name }) => name)).toEqual(["ada"]);
  });
});

describe("lists", () => {
  const flat = ({ subscription: { endpoint, p256dh, auth } }: Browser) => ({
    endpoint,
    p256dh,
    auth: auth.reveal(),
  });
  const forms: Readonly<Record<string, (browsers: readonly Browser[]) => string>> = {
    "a JSON list": (all) => JSON.stringify(all.map(({ json }) => JSON.parse(json) as unknown)),
    "a map by name": (all) =>
      JSON.stringify(Object.fromEntries(all.map((one) => [one.name, JSON.parse(one.json) as unknown]))),
    NDJSON: (all) => all.map(({ json }) => `${json}\n`).join(""),
    "NDJSON of flat rows": (all) => all.map((one) => `${JSON.stringify(flat(one))}\n`).join(""),
    CSV: (all) =>
      ["endpoint,p256dh,auth", ...all.map((one) => Object.values(flat(one)).join(","))].join("\r\n"),
  };

  test.each(Object.keys(forms))("%s, from a file and from stdin", async (form) => {
    await using service = await ScriptedPushService.start(...cannedReplies(4));
    const browsers = ["eve", "fay"].map((name) => createBrowser(service.endpoint(`/${name}`), { name }));
    const text = forms[form]?.(browsers) ?? "";
    const cwd = await openProject();
    writeFileSync(join(cwd, "list.txt"), text);
    expect((await runMain(["send", "hi", "--to", "list.txt"], { cwd })).exitCode).toBe(0);
    expect((await runMain(["send", "hi", "--to", "-"], { cwd, stdin: text })).exitCode).toBe(0);
    expect(service.requests.map(({ path }) => path).sort()).toEqual(["/eve", "/eve", "/fay", "/fay"]);
  });

  test("the name of a stored one goes before a file of that name", async () => {
    await using project = await people(1);
    writeFileSync(join(project.cwd, "ada"), project.stranger.json);
    await runMain(["send", "hi", "--to", "ada"], { cwd: project.cwd });
    expect(project.reached()).toEqual(["ada"]);
  });

  test("each endpoint once, and refused lines with their place", async () => {
    await using project = await people(1);
    const stdin = `${project.stranger.json}\n{"endpoint":"https://a.dev/1"}\nnonsense\n${project.stranger.json}\n`;
    const { exitCode, records, stderr } = await sendJson(["hi", "--to", "-"], { cwd: project.cwd, stdin });
    expect(records.map(({ outcome, cause }) => [outcome, cause])).toEqual([
      ["skipped", "input.malformed"],
      ["skipped", "input.malformed"],
      ["skipped", "input.repeated"],
      ["accepted", "ok"],
    ]);
    expect(records[0]?.reason).toBe("line 2: subscription has an endpoint but no keys");
    expect(stderr).toContain("line 3: subscription is not JSON");
    expect(stderr).toContain("4 in all: 1 accepted, 1 repeated, 2 unusable");
    expect(exitCode).toBe(3);
  });

  test("more refused lines than are shown are counted", async () => {
    await using project = await people(1);
    const bad = Array.from({ length: 5 }, (_, index) => `{"a":${index}}\n`).join("");
    const stdin = `${project.stranger.json}\n${bad}`;
    const { stderr } = await runMain(["send", "hi", "--to", "-"], { cwd: project.cwd, stdin });
    expect(stderr).toContain("5 × no usable subscription, not sent");
    expect(stderr).toContain("… and 2 more; --json has them all");
  });

  test.each<[string, readonly string[]]>([
    ["stdin", ["--to", "-"]],
    ["empty.ndjson", ["--to", "empty.ndjson"]],
  ])("an empty list is nobody: %s", async (name, argv) => {
    await using project = await people(0);
    writeFileSync(join(project.cwd, "empty.ndjson"), "\n");
    const { exitCode, stderr } = await runMain(["send", "hi", ...argv], { cwd: project.cwd, stdin: "" });
    expect(stderr).toContain(`${name} held no subscription`);
    expect(exitCode).toBe(2);
  });

  test.each<[readonly string[]]>([
    [["--to", "-", "--subscription", "-"]],
    [["--subscription", "-", "--subscription", "-"]],
  ])("stdin is read for one list only: %j", async (argv) => {
    await using project = await people(0);
    const { exitCode, stderr } = await runMain(["send", "hi", ...argv], {
      cwd: project.cwd,
      stdin: project.stranger.json,
    });
    expect(stderr).toContain("stdin cannot be read twice");
    expect(exitCode).toBe(2);
  });
});
