/**
 * What an emulator keeps, in `webpush emulator --state DIR` and beside `webpush serve`: one private file,
 * replaced as a whole.
 *
 * The store knows the file, not the push service: the content is read and checked
 * by whoever it belongs to.
 */
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { expectObject } from "./json.ts";
import { holdLock } from "./lock.ts";
import { locateProject, makeProjectFolder, shownPath, type ProjectLocation } from "./project.ts";
import { StateFile } from "./state-file.ts";

export interface EmulatorStateFile {
  /** For messages to people. */
  readonly path: string;
  save(state: object): Promise<void>;
  /**
   * Keeps it to this process until disposed: two emulators on one file would take turns to forget.
   *
   * @throws UserError `emulator-state-busy` when another process has it
   */
  hold(): Promise<HeldEmulatorState>;
}

/** A state that no other process uses. */
export interface HeldEmulatorState extends AsyncDisposable {
  /** What was saved last; `undefined` before anything was. */
  readonly saved: unknown;
}

/** The state file in a folder, which is made at the first save. */
export function createEmulatorStateFile(folder: string, cwd: string): EmulatorStateFile {
  return openStateFile(locateProject({ cwd, configDir: folder, profile: undefined }));
}

/** Where the emulator beside `webpush serve` keeps things: a folder within the project's own. */
function emulatorLocationOf(project: ProjectLocation): ProjectLocation {
  return { ...project, folder: join(project.folder, "emulator") };
}

/** The state file of the emulator beside `webpush serve`. */
export function createProjectEmulatorState(project: ProjectLocation): EmulatorStateFile {
  return openStateFile(emulatorLocationOf(project));
}

function openStateFile(location: ProjectLocation): EmulatorStateFile {
  const path = join(location.folder, "emulator.json");
  const file = new StateFile<Readonly<Record<string, unknown>> | undefined>(path, location, {
    empty: undefined,
    parse: (json) => expectObject(json, "the file"),
    format: (state) => state ?? {},
  });
  return {
    path: shownPath(path, location),
    save: async (state) => {
      await file.update(() => ({ ...state }));
    },
    async hold() {
      makeProjectFolder(location);
      const held = await holdLock(`${path}.in-use`);
      if (held === undefined) throw busy(shownPath(location.folder, location));
      return { ...held, saved: file.read() };
    },
  };
}

function busy(folder: string): UserError {
  return new UserError("emulator-state-busy", `another emulator keeps its state in ${folder}`, {
    kind: "failed",
    hints: ["end that one, or keep this one's state elsewhere: --state DIR, or another --profile"],
  });
}
