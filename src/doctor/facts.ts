/**
 * What the checks of a project are examined over: gathered before, so that a check touches nothing.
 *
 * Files, the clock and the network are read by `commands/doctor/`; a test writes the
 * facts down as they would be.
 */
import type { UserError } from "../base/errors.ts";
import type { Environment } from "../settings/environment.ts";
import type { Visit } from "../sender/visit.ts";
import type { EnvironmentKeys } from "../settings/vapid.ts";
import type { ProjectConfig, ProjectSettings } from "../store/config.ts";
import type { KeyGroup } from "../store/key-use.ts";
import type { Finding } from "./check.ts";

/** What was read, or why it could not be. */
export type Reading<Value> = { readonly value: Value } | { readonly error: UserError };

/** The value of a reading; undefined where there is none. */
export function valueOf<Value>(reading: Reading<Value>): Value | undefined {
  return "value" in reading ? reading.value : undefined;
}

/** A file or folder of the state folder, itself included. */
export interface StateEntry {
  /** As people call it. */
  readonly path: string;
  readonly kind: "folder" | "file" | "other";
  /** Permission bits; undefined where the system has none. */
  readonly mode: number | undefined;
  /** Whether it belongs to whoever runs this; undefined where it cannot be told. */
  readonly isMine: boolean | undefined;
  readonly changedAt: number;
}

/** The state folder, `.webpush/`. */
export interface StateFolder {
  /** As people call it. */
  readonly path: string;
  readonly isThere: boolean;
  /** Whether git leaves all of it alone. */
  readonly isIgnored: boolean;
  readonly entries: readonly StateEntry[];
  /** Room on its disk; undefined where it cannot be told. */
  readonly freeBytes: number | undefined;
}

/** `.env` files beside the project that hold a private key. */
export interface SecretFile {
  readonly path: string;
  readonly isIgnored: boolean;
}

/** What the stored subscriptions are like. */
export interface SubscriptionSurvey {
  readonly total: number;
  /** Of them, those marked gone. */
  readonly gone: number;
  /** Whether the store holds them all, as a file does. */
  readonly isWhole: boolean;
  /** The push services of those that can be sent to: the first ones met. */
  readonly origins: readonly string[];
  /** Whether there are others, which were met later. */
  readonly hasMoreOrigins: boolean;
  readonly keyGroups: readonly KeyGroup[];
  /** What is wrong with single ones, by the id of the check. */
  readonly found: ReadonlyMap<string, FoundInRecords>;
}

export interface FoundInRecords {
  /** As many as can be held. */
  readonly first: readonly Finding[];
  /** How many there are, these included. */
  readonly count: number;
}

/** Everything the offline checks look at. */
export interface ProjectFacts {
  /** Without its `v`. */
  readonly nodeVersion: string;
  readonly now: number;
  readonly env: Environment;
  readonly state: StateFolder;
  readonly config: Reading<ProjectConfig>;
  readonly settings: Reading<ProjectSettings>;
  readonly configPath: string;
  readonly subscriptions: Reading<SubscriptionSurvey>;
  readonly subscriptionsPath: string;
  /** The other state files that do not read: a receiver's identity, the emulator's. */
  readonly damaged: readonly UserError[];
  readonly environmentKeys: Reading<EnvironmentKeys>;
  readonly secretFiles: readonly SecretFile[];
  /** Whether the project folder is in a git repository. */
  readonly isInGit: boolean;
  /** Whether the file that NODE_EXTRA_CA_CERTS names can be read; undefined when it names none. */
  readonly isExtraCaReadable: boolean | undefined;
  /** What `--proxy` or the project's setting says. */
  readonly proxy: string | undefined;
  /** With `--online`: what came of a visit to each push service. */
  readonly visits: Reading<readonly Visit[]>;
}
