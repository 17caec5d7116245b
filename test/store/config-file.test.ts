import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  createConfigStore,
  createSettingsStore,
  currentPair,
  emptyConfig,
  withCurrentPair,
  withoutPair,
  withPairBeside,
} from "../../src/store/config.ts";
import { locateProject, makeProjectFolder } from "../../src/store/project.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { samplePair } from "../support/samples.ts";
import { tempFolder } from "../support/temp-folder.ts";

const [first, second] = [samplePair("first"), samplePair("second")];
const monday = Date.parse("2026-11-02T08:00:00.000Z");

function openProject() {
  const location = locateProject({ cwd: tempFolder(), configDir: undefined, profile: undefined });
  return {
    location,
    store: createConfigStore(location),
    other: createConfigStore(location),
    settings: createSettingsStore(location),
  };
}

const full = {
  current: second.publicKey,
  pairs: [
    { pair: first, createdAt: monday, currentSince: undefined },
    { pair: second, createdAt: monday + 1, currentSince: monday + 1 },
  ],
  subject: parseSubject("mailto:ops@shop-online.de").subject,
};
const someSettings = { ttl: "10m", urgency: "high" };

describe("config.json", () => {
  test("keeps pairs, the current one, contact and settings", async () => {
    const { store, other, settings } = openProject();
    await settings.update(() => someSettings);
    await store.update(() => full);
    expect(await other.read()).toMatchObject(full);
    expect(settings.read()).toEqual(someSettings);
    expect((await other.read()).pairs.map(({ pair }) => pair.privateKey.reveal())).toEqual([
      first.privateKey.reveal(),
      second.privateKey.reveal(),
    ]);
  });

  test("is written as a document that its reader can rely on", async () => {
    const { location, store, settings } = openProject();
    await settings.update(() => someSettings);
    await store.update(() => full);
    expect(JSON.parse(readFileSync(location.configFile, "utf8"))).toEqual({
      version: 1,
      current: second.publicKey,
      subject: "mailto:ops@shop-online.de",
      keys: [
        {
          publicKey: first.publicKey,
          privateKey: first.privateKey.reveal(),
          createdAt: "2026-11-02T08:00:00.000Z",
          currentSince: null,
        },
        {
          publicKey: second.publicKey,
          privateKey: second.privateKey.reveal(),
          createdAt: "2026-11-02T08:00:00.001Z",
        },
      ],
      settings: { ttl: "10m", urgency: "high" },
    });
  });

  test("of before pairs said since when they are current takes them to be so since they came", async () => {
    const { location, store } = openProject();
    makeProjectFolder(location);
    const createdAt = "2026-11-02T08:00:00.000Z";
    const keys = [{ publicKey: first.publicKey, privateKey: first.privateKey.reveal(), createdAt }];
    writeFileSync(location.configFile, JSON.stringify({ version: 1, current: first.publicKey, keys }));
    expect((await store.read()).pairs).toMatchObject([{ createdAt: monday, currentSince: monday }]);
  });

  test("of an empty project reads as nothing, and reading makes nothing", async () => {
    const { location, store } = openProject();
    expect(await store.read()).toMatchObject(emptyConfig);
    expect(existsSync(location.root)).toBe(false);
  });

  test("is not made by a change that changes nothing", async () => {
    const { location, store } = openProject();
    await store.update((config) => config);
    expect(existsSync(location.root)).toBe(false);
  });

  test("and its folder are for their owner alone, out of git's sight", async () => {
    const { location, store, settings } = openProject();
    await store.update(() => full);
    expect(statSync(location.configFile).mode & 0o777).toBe(0o600);
    expect(statSync(location.root).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(location.root, ".gitignore"), "utf8")).toBe("*\n");
    expect(settings.isIgnoredByGit()).toBe(true);
  });

  test("that others could read is theirs no longer after a write", async () => {
    const { location, store } = openProject();
    makeProjectFolder(location);
    writeFileSync(location.configFile, '{"version":1}', { mode: 0o644 });
    await store.update(() => full);
    expect(statSync(location.configFile).mode & 0o777).toBe(0o600);
  });

  test("leaves neither lock nor temporary file behind", async () => {
    const { location, store } = openProject();
    await store.update(() => full);
    expect(readdirSync(location.root).sort()).toEqual([".gitignore", "config.json"]);
  });

  test("keeps a setting of a name that every object has as any other", async () => {
    const { settings } = openProject();
    const odd = Object.fromEntries([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    await settings.update(() => odd);
    expect(Object.entries(settings.read())).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  test("takes settings that somebody wrote as numbers or booleans", () => {
    const { location, settings } = openProject();
    makeProjectFolder(location);
    writeFileSync(location.configFile, '{"version":1,"settings":{"ttl":600,"yes":true}}');
    expect(settings.read()).toEqual({ ttl: "600", yes: "true" });
  });

  test("is written by one at a time", async () => {
    const { location, settings } = openProject();
    const other = createSettingsStore(location);
    const names = Array.from({ length: 10 }, (_, index) => `name-${index}`);
    await Promise.all(
      names.map((name, index) =>
        (index % 2 === 0 ? settings : other).update((stored) => ({ ...stored, [name]: "1" })),
      ),
    );
    expect(Object.keys(settings.read()).sort()).toEqual(names);
  });
});

describe("the current pair", () => {
  test("is none in an empty project", () => {
    expect(currentPair(emptyConfig)).toBeUndefined();
  });

  test("is the one added last, and the others stay", () => {
    const one = withCurrentPair(emptyConfig, { pair: first, createdAt: 1 }, { replacing: false });
    const two = withCurrentPair(one, { pair: second, createdAt: 2 }, { replacing: false });
    expect(currentPair(two)?.pair).toBe(second);
    expect(two.pairs.map(({ pair }) => pair)).toEqual([first, second]);
  });

  test("is gone when it is replaced, older ones stay", () => {
    const third = samplePair("third");
    const two = { ...full };
    const replaced = withCurrentPair(two, { pair: third, createdAt: 3 }, { replacing: true });
    expect(replaced.pairs.map(({ pair }) => pair)).toEqual([first, third]);
  });

  test("that is added again is there once", () => {
    const again = withCurrentPair(full, { pair: first, createdAt: 9 }, { replacing: false });
    expect(again.current).toBe(first.publicKey);
    expect(again.pairs.map(({ pair }) => pair)).toEqual([second, first]);
  });

  test("that is made current later keeps the day it came", () => {
    const beside = withPairBeside(full, { pair: samplePair("third"), createdAt: monday + 2 });
    const later = withCurrentPair(
      beside,
      { pair: samplePair("third"), createdAt: monday + 9 },
      { replacing: false },
    );
    expect(later.pairs.at(-1)).toMatchObject({ createdAt: monday + 2, currentSince: monday + 9 });
  });
});

describe("a pair beside the current one", () => {
  const added = { pair: samplePair("third"), createdAt: 3 };

  test("leaves that the current one, and was never current itself", () => {
    const config = withPairBeside(full, added);
    expect(currentPair(config)?.pair).toBe(second);
    expect(config.pairs.at(-1)).toEqual({ ...added, currentSince: undefined });
  });

  test("is the current one where there was none", () => {
    expect(currentPair(withPairBeside(emptyConfig, added))).toEqual({ ...added, currentSince: 3 });
  });

  test("that is there already stays as it is", () => {
    expect(withPairBeside(full, { pair: first, createdAt: 9 })).toBe(full);
  });

  test("can be taken out again", () => {
    expect(withoutPair(withPairBeside(full, added), added.pair.publicKey)).toEqual(full);
  });
});
