/**
 * The ports and the file of VAPID keys and settings: `config.json`.
 *
 * A project may hold several pairs. The current one signs for new subscriptions;
 * the others keep signing for subscriptions that were made with them.
 */
import { UserError } from "../base/errors.ts";
import { parseSubject, type Subject } from "../protocol/subject.ts";
import { parseKeyPair, type VapidKeyPair, type VapidPublicKey } from "../protocol/vapid.ts";
import { expectArray, expectObject, expectText, parseAt } from "./json.ts";
import { isIgnoredByGit, shownPath, type ProjectLocation } from "./project.ts";
import { StateFile, type StateFileFormat } from "./state-file.ts";

/** A pair of a project. Times are ms since 1970. */
export interface StoredKeyPair {
  readonly pair: VapidKeyPair;
  /** When it was made or imported. */
  readonly createdAt: number;
  /** When it became the current one here; undefined for one that was only ever stored beside it. */
  readonly currentSince: number | undefined;
}

/** A pair to store. */
type NewKeyPair = Pick<StoredKeyPair, "pair" | "createdAt">;

/** Every pair of a project, which of them is current, and the contact. */
export interface ProjectConfig {
  /** The public key of the pair that signs for new subscriptions; undefined when there is no pair. */
  readonly current: VapidPublicKey | undefined;
  readonly pairs: readonly StoredKeyPair[];
  /** Contact for push services, the `sub` claim (RFC 8292 §2.1). */
  readonly subject: Subject | undefined;
}

/** Where a project's keys are kept. */
export interface ConfigStore {
  /** Whatever is stored now; an empty project has no pair. Never makes anything. */
  read(): Promise<ProjectConfig>;
  /** Reads, changes and writes while no other process does; `change` must be pure. */
  update(change: (current: ProjectConfig) => ProjectConfig): Promise<ProjectConfig>;
  /** Where that is, for messages to people: a file, or the address of a database. */
  readonly path: string;
  readonly isFile: boolean;
}

/** Project settings as text by name, read by the table in settings/. */
export type ProjectSettings = Readonly<Record<string, string>>;

/** Where a project's settings are kept: always its file, for they say where everything else is. */
export interface SettingsStore {
  read(): ProjectSettings;
  /** Reads, changes and writes while no other process does; `change` must be pure. */
  update(change: (current: ProjectSettings) => ProjectSettings): Promise<void>;
  /** The file, for messages to people. */
  readonly path: string;
  /** Whether git leaves the file alone. */
  isIgnoredByGit(): boolean;
}

/** What the file holds. */
interface StoredConfig extends ProjectConfig {
  readonly settings: ProjectSettings;
}

/**
 * Config of a project that has none.
 *
 * @internal
 */
export const emptyConfig: ProjectConfig = { current: undefined, pairs: [], subject: undefined };

/** The pair that signs for new subscriptions. */
export function currentPair(config: ProjectConfig): StoredKeyPair | undefined {
  return config.current === undefined ? undefined : heldPair(config, config.current);
}

/** `config` with `added` as the current pair; the pairs it had stay, unless `replacing`. */
export function withCurrentPair(
  config: ProjectConfig,
  added: NewKeyPair,
  { replacing }: { readonly replacing: boolean },
): ProjectConfig {
  const { pair, createdAt } = heldPair(config, added.pair.publicKey) ?? added;
  const others = config.pairs.filter(({ pair }) => pair.publicKey !== added.pair.publicKey);
  const kept = replacing ? others.filter(({ pair }) => pair.publicKey !== config.current) : others;
  const stored = { pair, createdAt, currentSince: added.createdAt };
  return { ...config, current: pair.publicKey, pairs: [...kept, stored] };
}

/** `config` with `added` beside the current pair: it signs for what was made with it, and for nothing else. */
export function withPairBeside(config: ProjectConfig, added: NewKeyPair): ProjectConfig {
  if (config.current === undefined) return withCurrentPair(config, added, { replacing: false });
  if (heldPair(config, added.pair.publicKey) !== undefined) return config;
  return { ...config, pairs: [...config.pairs, { ...added, currentSince: undefined }] };
}

/** `config` without one of its pairs, which must not be the current one. */
export function withoutPair(config: ProjectConfig, publicKey: VapidPublicKey): ProjectConfig {
  return { ...config, pairs: config.pairs.filter(({ pair }) => pair.publicKey !== publicKey) };
}

function heldPair({ pairs }: ProjectConfig, publicKey: VapidPublicKey): StoredKeyPair | undefined {
  return pairs.find(({ pair }) => pair.publicKey === publicKey);
}

/** The keys of a project folder. */
export function createConfigStore(location: ProjectLocation): ConfigStore {
  const file = new StateFile(location.configFile, location, configFormat);
  return {
    path: shownPath(location.configFile, location),
    isFile: true,
    // A file that cannot be read is a rejection, as with any other store.
    read: () => Promise.resolve().then(() => file.read()),
    update: (change) =>
      file.update((stored) => {
        const changed = change(stored);
        return changed === stored ? stored : { ...changed, settings: stored.settings };
      }),
  };
}

/** The settings of a project folder. */
export function createSettingsStore(location: ProjectLocation): SettingsStore {
  const file = new StateFile(location.configFile, location, configFormat);
  return {
    path: shownPath(location.configFile, location),
    isIgnoredByGit: () => isIgnoredByGit(location),
    read: () => file.read().settings,
    async update(change) {
      await file.update((stored) => {
        const settings = change(stored.settings);
        return settings === stored.settings ? stored : { ...stored, settings };
      });
    },
  };
}

const version = 1;

const configFormat: StateFileFormat<StoredConfig> = {
  empty: { ...emptyConfig, settings: {} },
  parse(json) {
    const config = expectObject(json, "the file");
    if (config["version"] !== version) throw otherVersion(config["version"]);
    const current = config["current"];
    const subject = config["subject"];
    const pairs = expectArray(config["keys"] ?? [], "keys").map(parseStoredPair);
    const found = pairs.find(({ pair }) => pair.publicKey === current);
    if (current !== undefined && found === undefined) {
      throw new UserError("store-damaged", "`current` names a key that is not among `keys`");
    }
    return {
      current: found?.pair.publicKey,
      pairs,
      subject: subject === undefined ? undefined : parseSubject(expectText(subject, "subject")).subject,
      settings: parseSettings(config["settings"] ?? {}),
    };
  },
  format: ({ current, pairs, subject, settings }) => ({
    version,
    ...(current === undefined ? {} : { current }),
    ...(subject === undefined ? {} : { subject }),
    keys: pairs.map(({ pair, createdAt, currentSince }) => ({
      publicKey: pair.publicKey,
      privateKey: pair.privateKey.reveal(),
      createdAt: new Date(createdAt).toISOString(),
      ...(currentSince === createdAt ? {} : { currentSince: formatSince(currentSince) }),
    })),
    settings: { ...settings },
  }),
};

/** `null`: never; it is left out where a pair was current from the day it came. */
function formatSince(currentSince: number | undefined): string | null {
  return currentSince === undefined ? null : new Date(currentSince).toISOString();
}

/** The error for a file of another format version. */
export function otherVersion(found: unknown): UserError {
  const shown = found === undefined ? "missing" : JSON.stringify(found);
  return new UserError("store-version", `its version is ${shown}, this webpush reads ${version}`, {
    hints: ["update webpush if a newer one wrote it"],
  });
}

function parseStoredPair(json: unknown, index: number): StoredKeyPair {
  const where = `keys[${index}]`;
  const entry = expectObject(json, where);
  const publicKey = expectText(entry["publicKey"], `${where}.publicKey`);
  const privateKey = expectText(entry["privateKey"], `${where}.privateKey`);
  const createdAt = parseTime(entry["createdAt"], `${where}.createdAt`);
  const { currentSince = entry["createdAt"] } = entry;
  return {
    pair: parseAt(where, () => parseKeyPair(publicKey, privateKey)),
    createdAt,
    currentSince: currentSince === null ? undefined : parseTime(currentSince, `${where}.currentSince`),
  };
}

/** Reads an ISO 8601 time as ms since 1970. */
export function parseTime(json: unknown, where: string): number {
  const time = Date.parse(expectText(json, where));
  if (Number.isNaN(time)) throw new UserError("store-damaged", `${where} is not a time`);
  return time;
}

function parseSettings(json: unknown): ProjectSettings {
  return Object.fromEntries(
    Object.entries(expectObject(json, "settings")).map(([name, value]) => {
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
        throw new UserError("store-damaged", `settings.${name} is not a text, number or boolean`);
      }
      return [name, String(value)];
    }),
  );
}
