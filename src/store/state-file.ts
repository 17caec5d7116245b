/**
 * One JSON state file: read strictly, changed under a lock, replaced atomically.
 *
 * conf does the writing (temporary file, fsync, rename, mode 0600). Reading is
 * plain, because conf re-reads the whole file on every `get`, makes folders when
 * asked to read, and costs 50-100 ms to load, which a command that only looks
 * should not pay. A file that does not read as ours is reported and never touched.
 */
import { existsSync, readFileSync, rmSync, readdirSync, statSync, statfsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError, messageOf, systemCode } from "../base/errors.ts";
import { withLock } from "./lock.ts";
import { makeProjectFolder, unwritable, type ProjectLocation } from "./project.ts";

/** Only the owner may read what holds private keys and subscriptions. */
const privateMode = 0o600;
/** Room that must be left on the disk beyond the new file. */
const spareBytes = 64 * 1024;
/** A temporary file this old was left by a process that was killed. */
const abandonedMs = 60_000;

export interface StateFileFormat<Value> {
  /** What a project without the file has. */
  readonly empty: Value;
  /** Reads the parsed JSON; throws a UserError that says what is wrong with it. */
  parse(json: unknown): Value;
  /** The JSON to write, spelled out, secrets revealed. */
  format(value: Value): Readonly<Record<string, unknown>>;
}

export class StateFile<Value> {
  readonly #path: string;
  readonly #location: ProjectLocation;
  readonly #format: StateFileFormat<Value>;

  constructor(path: string, location: ProjectLocation, format: StateFileFormat<Value>) {
    this.#path = path;
    this.#location = location;
    this.#format = format;
  }

  /**
   * The file's content now.
   *
   * @throws UserError `store-damaged`, `store-version`, `store-unreadable`
   */
  read(): Value {
    let text: string;
    try {
      // Whatever else bears the name is not read: a FIFO would never end, a device might never.
      if (statSync(this.#path, { throwIfNoEntry: false })?.isFile() === false) throw notAFile(this.#path);
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (systemCode(error) === "ENOENT") return this.#format.empty;
      throw new UserError(
        "store-unreadable",
        `cannot read ${this.#path} (${systemCode(error) ?? messageOf(error)})`,
        {
          kind: "failed",
          hints: ["check who owns it, or use --config-dir"],
          cause: error,
        },
      );
    }
    try {
      return this.#format.parse(JSON.parse(text));
    } catch (error) {
      throw unusable(this.#path, error);
    }
  }

  /**
   * Reads, changes and writes while nobody else does; writes nothing when `change` returns its argument.
   *
   * @throws UserError `store-damaged`, `store-version`, `store-unreadable`, `store-unwritable`, `store-locked`
   */
  async update(change: (current: Value) => Value): Promise<Value> {
    // The folder is made at the first write; a change of nothing is none.
    if (!existsSync(this.#path) && change(this.#format.empty) === this.#format.empty)
      return this.#format.empty;
    makeProjectFolder(this.#location);
    await import("conf"); // Loaded by now, the lock is held for milliseconds only.
    return withLock(this.#path, async () => {
      const before = this.read();
      const after = change(before);
      if (after !== before) await this.#write(after);
      return after;
    });
  }

  async #write(value: Value): Promise<void> {
    const json = this.#format.format(value);
    const text = `${JSON.stringify(json, undefined, 2)}\n`;
    const folder = dirname(this.#path);
    try {
      assertRoom(folder, Buffer.byteLength(text));
      const { default: Conf } = await import("conf");
      const conf = new Conf<Record<string, unknown>>({
        cwd: folder,
        configName: basename(this.#path, ".json"),
        configFileMode: privateMode,
        serialize: () => text,
      });
      conf.store = { ...json };
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    removeAbandoned(this.#path);
  }
}

function notAFile(path: string): UserError {
  return new UserError("store-unreadable", `cannot read ${path}: it is not a file`, {
    kind: "failed",
    hints: ["move it away, or use --config-dir"],
  });
}

/** The error for a file that does not read as ours. What JSON.parse says would quote the file, keys and all. */
function unusable(path: string, error: unknown): UserError {
  const keep = "repair the file, or move it away to start anew; it was left as it is";
  if (error instanceof UserError && error.code === "store-version") {
    return new UserError("store-version", `cannot use ${path}: ${error.message}`, {
      kind: "failed",
      hints: [...error.hints, "it was left as it is"],
      cause: error,
    });
  }
  const what = error instanceof SyntaxError ? "it is not JSON, or only a part of it" : messageOf(error);
  return new UserError("store-damaged", `${path} is damaged: ${what}`, {
    kind: "failed",
    hints: [keep],
    cause: error,
  });
}

/**
 * Refuses to start a write that the disk cannot hold. Node's `writeSync` reports a
 * full disk as a short count, which the library below conf does not look at, so
 * the half file would replace the whole one.
 */
function assertRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < bytes + spareBytes) {
    throw Object.assign(new Error("no space left on the disk"), { code: "ENOSPC" });
  }
}

/** Removes temporary files of writers that were killed: they hold the same secrets as the file itself. */
function removeAbandoned(path: string): void {
  const { mtimeMs: now } = statSync(path);
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.tmp-`)) continue;
    const abandoned = join(dirname(path), name);
    const isOld = now - (statSync(abandoned, { throwIfNoEntry: false })?.mtimeMs ?? now) > abandonedMs;
    if (isOld) rmSync(abandoned, { force: true });
  }
}
