/**
 * The journal of one broadcast: who was sent to and what became of it, so that a run
 * that was killed can be finished without sending to anybody twice (PROTOCOL.md §7.4).
 *
 * What the sender owes it: `intend` before a request leaves, `record` before the result
 * is shown. A recipient with an intent and no result may have got the message or not;
 * whether it is sent to again is for the person to say (§7.3).
 */
import { fstatSync, writeSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { UserError, systemCode } from "../../base/errors.ts";
import { holdLock } from "../lock.ts";
import {
  damagedJournal,
  fileFailure,
  foreignFile,
  headlessJournal,
  lockedJournal,
  mismatch,
} from "./errors.ts";
import { changesBetween, type CampaignIdentity } from "./identity.ts";
import { followLinks } from "./links.ts";
import { createNotes, type RecipientNotes } from "./notes.ts";
import { readJournal, type Reading } from "./reading.ts";
import { RecordFile, type OpenFile } from "./record-file.ts";
import { formatHeader, type Header } from "./records.ts";
import { RecipientStates, type RecipientState } from "./states.ts";

/** An open journal. */
export interface Journal extends RecipientNotes, AsyncDisposable {
  /** When the broadcast began, in its first run. */
  readonly createdAt: number;
  readonly campaignId: string;
  /** What earlier runs left; `undefined` in the first run. */
  readonly resumed: Resumed | undefined;
  /**
   * Makes the disk have all that was noted; it does so by itself a fifth of a second later.
   *
   * @throws UserError `journal-unwritable`, `journal-lost`
   */
  sync(): Promise<void>;
}

/** How many recipients earlier runs left in each state. */
export interface Resumed extends Readonly<Record<RecipientState, number>> {
  /** Lines that were left out because somebody said to resume anyway. */
  readonly damagedLines: number;
}

export interface JournalOptions {
  readonly clock: Clock;
  /** A fresh random name, for the case that the broadcast is a new one. */
  readonly campaignId: string;
  /** Goes on although something of the identity changed, or a line is damaged. */
  readonly resumeAnyway: boolean;
  /** Ends the reading of a long journal. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the journal of a broadcast, which it begins or resumes, and keeps it to this process until disposed.
 *
 * @throws UserError `journal-locked`, `journal-foreign`, `journal-version`, `journal-mismatch`, `journal-damaged`,
 *   `journal-full`, `journal-unwritable`
 */
export async function openJournal(
  path: string,
  identity: CampaignIdentity,
  options: JournalOptions,
): Promise<Journal> {
  let lock: AsyncDisposable | undefined;
  let handle: FileHandle | undefined;
  try {
    const target = followLinks(path);
    lock = await takeLock(path, target);
    handle = await openOrCreate(target);
    if (!(await handle.stat()).isFile()) throw foreignFile(path);
    return await begin({ path, identity, handle, lock }, options);
  } catch (error) {
    await handle?.close();
    await lock?.[Symbol.asyncDispose]();
    throw fileFailure(path, error);
  }
}

interface Opened {
  /** As the person named it. */
  readonly path: string;
  readonly identity: CampaignIdentity;
  readonly handle: FileHandle;
  readonly lock: AsyncDisposable;
}

async function begin(opened: Opened, options: JournalOptions): Promise<Journal> {
  const { path, handle, lock } = opened;
  const states = new RecipientStates();
  const reading = await readJournal(handle, path, { states, signal: options.signal });
  const header = headerFor(opened, reading, options);
  await handle.truncate(reading.end);
  const file = new RecordFile(openFile(handle), reading.end, { path, clock: options.clock });
  if (!reading.isEnded) file.append("\n", 0);
  if (header !== reading.header) file.append(formatHeader(header), 0);
  await file.sync();
  return {
    createdAt: header.createdAt,
    campaignId: header.campaignId,
    resumed: reading.header && { ...states.counts, damagedLines: reading.damage?.count ?? 0 },
    ...createNotes(file, states),
    sync: () => file.sync(),
    async [Symbol.asyncDispose]() {
      try {
        await file.close();
      } finally {
        await lock[Symbol.asyncDispose]();
      }
    },
  };
}

/** A new broadcast gets a header, and one that is resumed gets another when something of its identity changed. */
function headerFor(
  { path, identity }: Opened,
  { header, damage }: Reading,
  { clock, campaignId, resumeAnyway }: JournalOptions,
): Header {
  if (header === undefined && damage !== undefined) throw headlessJournal(path);
  if (header === undefined) return { campaignId, createdAt: clock.now(), identity };
  if (damage !== undefined && !resumeAnyway) throw damagedJournal(path, damage);
  const changes = changesBetween(header.identity, identity);
  if (changes.length === 0) return header;
  if (!resumeAnyway) throw mismatch(path, changes);
  return { ...header, identity };
}

async function takeLock(path: string, target: string): Promise<AsyncDisposable> {
  let lock: AsyncDisposable | undefined;
  try {
    lock = await holdLock(target);
  } catch (error) {
    // The lock speaks of the state folder; this is a file that the person named.
    throw error instanceof UserError ? error.cause : error;
  }
  if (lock === undefined) throw lockedJournal(path);
  return lock;
}

const privateMode = 0o600;

async function openOrCreate(target: string): Promise<FileHandle> {
  try {
    return await open(target, "r+");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const handle = await open(target, "wx+", privateMode);
  await syncFolder(dirname(target));
  return handle;
}

/** A power cut must not take the whole new file. Where folders cannot be opened (Windows) they need no such thing. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function openFile(handle: FileHandle): OpenFile {
  return {
    write: (bytes, position) => writeSync(handle.fd, bytes, 0, bytes.length, position),
    size() {
      const { size, nlink } = fstatSync(handle.fd);
      return nlink === 0 ? undefined : size;
    },
    sync: () => handle.datasync(),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
  };
}
