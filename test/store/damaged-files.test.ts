/** A file that does not read as ours is reported with its path, and never touched. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { createConfigStore } from "../../src/store/config.ts";
import { locateProject, type ProjectLocation } from "../../src/store/project.ts";
import { createSubscriptionStore } from "../../src/store/subscription-file.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";
import { tempFolder } from "../support/temp-folder.ts";

const pair = samplePair("damaged");
const someTime = Date.parse("2026-11-02T12:00:00.000Z");

/** A project with a pair and a subscription. */
async function openProject(): Promise<ProjectLocation> {
  const location = locateProject({ cwd: tempFolder(), configDir: undefined, profile: undefined });
  const pairs = [{ pair, createdAt: someTime, currentSince: someTime }];
  await createConfigStore(location).update((config) => ({ ...config, current: pair.publicKey, pairs }));
  const labels = { name: "phone", tags: ["news"] };
  await createSubscriptionStore(location).add(
    [{ subscription: sampleSubscription("alice"), ...labels }],
    someTime,
  );
  return location;
}

interface Kept {
  readonly path: string;
  readonly read: () => Promise<unknown>;
  readonly change: () => Promise<unknown>;
}

const kinds: Readonly<Record<string, (location: ProjectLocation) => Kept>> = {
  "config.json": (location) => {
    const store = createConfigStore(location);
    return {
      path: location.configFile,
      read: () => Promise.resolve().then(() => store.read()),
      change: () => store.update((config) => ({ ...config, settings: { ttl: "1" } })),
    };
  },
  "subscriptions.json": (location) => {
    const store = createSubscriptionStore(location);
    const added = { subscription: sampleSubscription("bob"), name: undefined, tags: [] };
    return {
      path: location.subscriptionsFile,
      read: () => store.list(),
      change: () => store.add([added], someTime),
    };
  },
};

/** What went wrong; undefined when nothing did. */
async function refusalOf(work: () => Promise<unknown>): Promise<UserError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

describe.each(Object.entries(kinds))("%s", (_name, open) => {
  test("cut short at any byte is reported with its path and left as it is, or whole in all but its last line break", async () => {
    const { path, read, change } = open(await openProject());
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const error = await refusalOf(read);
      if (length === whole.length - 1) {
        expect(error).toBeUndefined();
        continue;
      }
      expect(error, `cut at ${length}`).toMatchObject({ code: "store-damaged", kind: "failed" });
      expect(error?.message).toContain(path);
      if (length % 25 === 0) expect(await refusalOf(change)).toMatchObject({ code: "store-damaged" });
      expect(readFileSync(path).equals(whole.subarray(0, length))).toBe(true);
    }
  });

  test("with any one byte spoiled is read or reported, and no message quotes a key", async () => {
    const { path, read } = open(await openProject());
    const whole = readFileSync(path);
    const secret = pair.privateKey.reveal();
    const parts = Array.from({ length: secret.length - 5 }, (_, at) => secret.slice(at, at + 6));
    for (let at = 0; at < whole.length; at += 1) {
      const spoiled = Buffer.from(whole);
      spoiled[at] = at % 2 === 0 ? 0x22 : 0x00;
      writeFileSync(path, spoiled);
      const error = await refusalOf(read);
      if (error === undefined) continue;
      expect(error.code, `spoiled at ${at}`).toBe("store-damaged");
      const said = [error.message, ...error.hints].join("\n");
      expect(
        parts.filter((part) => said.includes(part)),
        `spoiled at ${at}: ${said}`,
      ).toEqual([]);
    }
  });

  test.each([
    ["newer", '{"version":2,"keys":[],"subscriptions":[]}', "its version is 2, this webpush reads 1"],
    ["without a version", "{}", "its version is missing, this webpush reads 1"],
  ])("of another version, %s, is said to be that and left as it is", async (_name, text, what) => {
    const { path, read, change } = open(await openProject());
    writeFileSync(path, text);
    const error = await refusalOf(read);
    expect(error).toMatchObject({ code: "store-version", message: `cannot use ${path}: ${what}` });
    expect(error?.hints).toContain("update webpush if a newer one wrote it");
    expect(await refusalOf(change)).toMatchObject({ code: "store-version" });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test.each([
    ["a list", "[]"],
    ["a text", '"x"'],
    ["null", "null"],
    ["an HTML page", "<!doctype html>"],
  ])("that holds %s is damaged", async (_name, text) => {
    const { path, read } = open(await openProject());
    writeFileSync(path, text);
    expect(await refusalOf(read)).toMatchObject({ code: "store-damaged" });
  });

  test("with a folder in its place cannot be read, and nothing waits for a lock", async () => {
    const { path, read, change } = open(
      locateProject({ cwd: tempFolder(), configDir: undefined, profile: undefined }),
    );
    mkdirSync(path, { recursive: true });
    expect(await refusalOf(read)).toMatchObject({
      code: "store-unreadable",
      message: `cannot read ${path}: it is not a file`,
    });
    expect(await refusalOf(change)).toMatchObject({ code: "store-unreadable" });
  });

  test("with a pipe in its place does not wait for somebody to write into it", async () => {
    const { path, read } = open(await openProject());
    rmSync(path);
    execFileSync("mkfifo", [path]);
    expect(await refusalOf(read)).toMatchObject({
      code: "store-unreadable",
      message: `cannot read ${path}: it is not a file`,
    });
  });

  test("in a folder that is a file cannot be written, and nothing waits for a lock", async () => {
    const cwd = tempFolder();
    writeFileSync(`${cwd}/.webpush`, "");
    const { change } = open(locateProject({ cwd, configDir: undefined, profile: undefined }));
    expect(await refusalOf(change)).toMatchObject({ code: "store-unwritable", kind: "failed" });
  });
});

describe("config.json says what is wrong with it", () => {
  test.each([
    [
      "a current key that is not there",
      { current: "B".repeat(87), keys: [] },
      "`current` names a key that is not among `keys`",
    ],
    [
      "a current key that is no text",
      { current: null, keys: [] },
      "`current` names a key that is not among `keys`",
    ],
    ["keys that are no list", { keys: {} }, "keys is not a list"],
    [
      "a private key that is a number",
      { keys: [{ publicKey: pair.publicKey, privateKey: 5 }] },
      "keys[0].privateKey is not a text",
    ],
    [
      "a time that is none",
      { keys: [{ publicKey: pair.publicKey, privateKey: pair.privateKey.reveal(), createdAt: "today" }] },
      "keys[0].createdAt is not a time",
    ],
    ["a setting that is a list", { settings: { ttl: [] } }, "settings.ttl is not a text, number or boolean"],
  ])("%s", async (_name, content, what) => {
    const location = await openProject();
    writeFileSync(location.configFile, JSON.stringify({ version: 1, ...content }));
    const error = await refusalOf(() => Promise.resolve().then(() => createConfigStore(location).read()));
    expect(error?.message).toBe(`${location.configFile} is damaged: ${what}`);
  });

  test("keys that do not belong together", async () => {
    const location = await openProject();
    const other = samplePair("other");
    const key = { publicKey: other.publicKey, privateKey: pair.privateKey.reveal(), createdAt: "2026-11-02" };
    writeFileSync(location.configFile, JSON.stringify({ version: 1, keys: [key] }));
    const error = await refusalOf(() => Promise.resolve().then(() => createConfigStore(location).read()));
    expect(error).toMatchObject({ code: "store-damaged" });
    expect(error?.message).toContain("keys[0]: VAPID public and private key do not belong together");
    expect(error?.message).not.toContain(pair.privateKey.reveal());
  });
});

test("a subscription that was spoiled by hand is named by its place", async () => {
  const location = await openProject();
  const file = JSON.parse(readFileSync(location.subscriptionsFile, "utf8")) as { subscriptions: unknown[] };
  file.subscriptions.push({
    createdAt: "2026-11-02T12:00:00Z",
    subscription: { endpoint: "ftp://x", keys: {} },
  });
  writeFileSync(location.subscriptionsFile, JSON.stringify(file));
  const error = await refusalOf(() => createSubscriptionStore(location).list());
  expect(error?.message).toContain("subscriptions[1]");
});
