/**
 * Whom `webpush emulator` shows itself as over TLS: one private file, and the certificate to trust beside it.
 *
 * Both stay between runs, since senders are told once where the certificate is. The store knows
 * the files, not what makes a certificate good: whoever keeps one decides that.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { otherVersion } from "./config.ts";
import { expectObject, expectText } from "./json.ts";
import { locateProject, shownPath, unwritable, type ProjectLocation } from "./project.ts";
import { StateFile, type StateFileFormat } from "./state-file.ts";

/** A certificate, its key, and the authority that signed it. */
export interface StoredIdentity {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: Secret<string>;
}

export interface EmulatorIdentityStore {
  /** The certificate to trust: an absolute path, as environment variables need it. */
  readonly caPath: string;
  /** The private file, for messages to people. */
  readonly path: string;
  /**
   * Keeps what `choose` picks, given what is kept now: nothing, or something that does not read as ours.
   *
   * @throws UserError `store-unreadable`, `store-unwritable`, `store-locked`
   */
  keep(choose: (kept: StoredIdentity | "damaged" | undefined) => StoredIdentity): Promise<StoredIdentity>;
}

/** The identity in the state folder of a project; it is the same for all profiles. */
export function createEmulatorIdentityStore(project: ProjectLocation): EmulatorIdentityStore {
  return storeIn({ ...project, folder: join(project.root, "emulator") });
}

/** The identity in a folder of its own, which is made when something is kept. */
export function createEmulatorIdentityStoreAt(folder: string, cwd: string): EmulatorIdentityStore {
  return storeIn(locateProject({ cwd, configDir: folder, profile: undefined }));
}

function storeIn(location: ProjectLocation): EmulatorIdentityStore {
  const path = join(location.folder, "identity.json");
  const caPath = join(location.folder, "ca.pem");
  const file = new StateFile(path, location, format);
  return {
    path: shownPath(path, location),
    caPath,
    async keep(choose) {
      const kept = readKept(file);
      let chosen = choose(kept);
      if (kept === "damaged") rmSync(path, { force: true });
      if (chosen !== kept) {
        // Somebody else may have been as quick: then theirs is the one that both show.
        const written = await file.update((current) => (chosen = choose(current)));
        chosen = written ?? chosen;
      }
      writeAuthority(caPath, chosen.caPem);
      return chosen;
    },
  };
}

function readKept(file: StateFile<StoredIdentity | undefined>): StoredIdentity | "damaged" | undefined {
  try {
    return file.read();
  } catch (error) {
    if (error instanceof UserError && error.code.startsWith("store-") && error.code !== "store-unreadable")
      return "damaged";
    throw error;
  }
}

/** Others may read it: it is what they are to trust. */
function writeAuthority(path: string, pem: string): void {
  try {
    if (readText(path) === pem) return;
    const draft = `${path}.tmp`;
    writeFileSync(draft, pem, { mode: 0o644 });
    renameSync(draft, path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // writing it will say what is wrong
  }
}

const version = 1;

const format: StateFileFormat<StoredIdentity | undefined> = {
  empty: undefined,
  parse(json) {
    const file = expectObject(json, "the file");
    if (file["version"] !== version) throw otherVersion(file["version"]);
    const text = (name: string) => expectText(file[name], name);
    return { caPem: text("ca"), certificatePem: text("certificate"), keyPem: new Secret(text("key")) };
  },
  format: (identity) => ({
    version,
    ...(identity === undefined
      ? {}
      : { ca: identity.caPem, certificate: identity.certificatePem, key: identity.keyPem.reveal() }),
  }),
};
