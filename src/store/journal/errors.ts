/** The refusals of a journal: what is wrong with the file, and how to go on. */
import { UserError, messageOf, systemCode } from "../../base/errors.ts";

/** What a write to a full disk, a full quota, or past the greatest size of a file is answered with. */
const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** What a failed file operation means: no room, or any other reason of the system's. Other errors stay what they are. */
export function fileFailure(path: string, cause: unknown): Error {
  const code = systemCode(cause) ?? "";
  if (cause instanceof UserError || !/^E[A-Z0-9]+$/.test(code))
    return cause instanceof Error ? cause : new Error(messageOf(cause));
  if (fullCodes.includes(code)) {
    return new UserError("journal-full", `there is no room left to write ${path} (${code})`, {
      kind: "failed",
      hints: ["make room and run the same command again: it goes on where it stopped"],
      cause,
    });
  }
  return new UserError("journal-unwritable", `cannot write ${path} (${code})`, {
    kind: "failed",
    hints: ["check its folder and permissions, or name another file"],
    cause,
  });
}

export function foreignFile(path: string): UserError {
  return new UserError("journal-foreign", `${path} is no journal, and was left as it is`, {
    hints: ["name a file that does not exist yet"],
  });
}

export function otherVersion(path: string, version: unknown): UserError {
  const other = typeof version === "number" ? String(version) : "unknown";
  return new UserError("journal-version", `${path} is a journal of another version (${other}) of webpush`, {
    kind: "failed",
    hints: ["finish the broadcast with the webpush that began it, or name another file"],
  });
}

export function damagedJournal(path: string, { line, count }: { line: number; count: number }): UserError {
  const others = count === 2 ? ", as is another line behind it" : `, as are ${count - 1} lines behind it`;
  return new UserError("journal-damaged", `line ${line} of ${path} is damaged${count === 1 ? "" : others}`, {
    kind: "failed",
    hints: [
      "add --resume-anyway to leave out what is damaged; whom it names may get the message a second time",
    ],
  });
}

/** The first line of all is spoiled: of what broadcast the rest is, nobody knows. */
export function headlessJournal(path: string): UserError {
  return new UserError(
    "journal-damaged",
    `line 1 of ${path} is damaged, which says what broadcast it is of`,
    {
      kind: "failed",
      hints: ["restore the file, or name another one to begin anew"],
    },
  );
}

export function mismatch(path: string, changes: readonly string[]): UserError {
  return new UserError("journal-mismatch", `${path} is of another broadcast: ${changes.join("; ")}`, {
    hints: ["run the command as it was, name another file, or add --resume-anyway to go on all the same"],
  });
}

export function lockedJournal(path: string): UserError {
  return new UserError("journal-locked", `another webpush is writing ${path}`, {
    kind: "failed",
    hints: ["wait for it to end, or name another file"],
  });
}

export function lostJournal(path: string): UserError {
  return new UserError("journal-lost", `${path} was changed or removed by something else while we wrote it`, {
    kind: "failed",
    hints: ["leave the file alone while webpush runs; run the same command again to go on"],
  });
}
