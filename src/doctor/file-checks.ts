/** Checks of Node, and of the state folder and its files. */
import { shellWord } from "../base/shell-quote.ts";
import type { Check, Finding } from "./check.ts";
import type { ProjectFacts, StateEntry } from "./facts.ts";
import { atLeast, leastNode, nodeLines, versionOf } from "./node-lines.ts";

/** A lock is refreshed every second or so; one this old has no owner. */
const staleLockMs = 60_000;
/** A temporary file this old was left by a process that was killed. */
const abandonedMs = 60_000;
const scarceBytes = 50 * 1024 * 1024;

export const fileChecks: readonly Check<ProjectFacts>[] = [
  {
    id: "files.node",
    title: "Node",
    why: "a release that is no longer maintained gets no fixes, TLS and HTTP included",
    needs: "nothing",
    examine: examineNode,
  },
  {
    id: "files.folder",
    title: "state folder",
    why: "keys and subscriptions are kept in the nearest .webpush/, and only its owner can change them",
    needs: "nothing",
    examine: ({ state }) => {
      if (!state.isThere) {
        return [{ level: "note", what: `there is none yet, it will be ${state.path}`, fix: "webpush keys" }];
      }
      const foreign = state.entries.filter(({ isMine }) => isMine === false);
      return foreign.length === 0
        ? [{ level: "good", what: state.path }]
        : foreign.map(({ path }) => ({
            level: "warning",
            what: "it belongs to somebody else, such as root after sudo",
            fix: `change the owner back: sudo chown -R "$(id -un)" ${shellWord(state.path)}`,
            where: path,
          }));
    },
  },
  {
    id: "files.modes",
    title: "who may read it",
    why: "whoever reads the private key can send in your name, whoever reads the subscriptions can send to them",
    needs: "nothing",
    examine: ({ state }) => {
      const open = state.entries.filter((entry) => isSecret(entry) && ((entry.mode ?? 0) & 0o077) !== 0);
      if (open.length > 0) return open.map((entry) => openEntry(entry));
      if (!state.isThere) return [{ level: "good", what: "nothing is stored" }];
      return state.entries.some(({ mode }) => mode !== undefined)
        ? [{ level: "good", what: "only you" }]
        : [{ level: "skipped", what: "this system does not say it with modes" }];
    },
  },
  {
    id: "files.ignored",
    title: "out of git's sight",
    why: "a private key in a repository is everybody's who can read it, for ever",
    needs: "nothing",
    examine: ({ state, isInGit }) => {
      if (!state.isThere || !isInGit) return [{ level: "good", what: "no repository around it" }];
      if (state.isIgnored) return [{ level: "good", what: `${state.path} is ignored` }];
      return [
        {
          level: "warning",
          what: "git would take the state folder in: its .gitignore is missing or says something else",
          fix: `echo '*' > ${shellWord(`${state.path}/.gitignore`)}`,
          where: state.path,
        },
      ];
    },
  },
  {
    id: "files.env",
    title: "private keys in .env files",
    why: "a .env file that git takes in shows the private key to everybody who can read the repository",
    needs: "nothing",
    examine: ({ secretFiles, isInGit }) => {
      const seen = isInGit ? secretFiles.filter(({ isIgnored }) => !isIgnored) : [];
      if (seen.length === 0) return [{ level: "good", what: "none that git would take in" }];
      return seen.map(({ path }) => ({
        level: "warning",
        what: "it holds a VAPID private key, and no .gitignore here names it",
        fix: `add ${path} to .gitignore; if it was ever committed, make new keys: webpush keys rotate`,
        where: path,
      }));
    },
  },
  {
    id: "files.damaged",
    title: "state files",
    why: "a file that does not read stops every command that needs it; it is never overwritten",
    needs: "nothing",
    examine: ({ config, subscriptions, damaged }) => {
      const errors = [config, subscriptions].flatMap((reading) =>
        "error" in reading ? [reading.error] : [],
      );
      const all = [...errors, ...damaged];
      if (all.length === 0) return [{ level: "good", what: "they read as they should" }];
      return all.map(({ message, hints: [fix] }) => ({
        level: "problem",
        what: message,
        ...(fix === undefined ? {} : { fix }),
      }));
    },
  },
  {
    id: "files.leftovers",
    title: "leftovers",
    why: "temporary files of a killed command hold the same secrets, and a lock makes others wait",
    needs: "nothing",
    examine: ({ state, now }) => {
      const left = state.entries.filter((entry) => isLeftover(entry, now));
      if (left.length === 0) return [{ level: "good", what: "none" }];
      return left.map(({ path, kind }) => ({
        level: "note",
        what:
          kind === "folder"
            ? "a lock that nobody holds any more"
            : "a temporary file of a command that was killed",
        fix: kind === "folder" ? "leave it: the next command takes it over" : `rm ${shellWord(path)}`,
        where: path,
      }));
    },
  },
  {
    id: "files.room",
    title: "room on the disk",
    why: "results of a broadcast that cannot be written down are sent again, or lost",
    needs: "nothing",
    examine: ({ state: { freeBytes } }) => {
      if (freeBytes === undefined) return [{ level: "skipped", what: "the system does not say" }];
      const room = `${Math.floor(freeBytes / (1024 * 1024))} MB`;
      if (freeBytes >= scarceBytes) return [{ level: "good", what: "enough" }];
      return [
        { level: "warning", what: `only ${room} are free`, fix: "free some disk space before you send" },
      ];
    },
  },
];

function examineNode({ nodeVersion, now }: ProjectFacts): readonly Finding[] {
  const version = versionOf(nodeVersion);
  if (!atLeast(version, leastNode)) {
    return [
      {
        level: "problem",
        what: `this is ${nodeVersion}, and webpush needs ${leastNode.join(".")} or newer`,
        fix: "install a newer Node from nodejs.org",
      },
    ];
  }
  const line = nodeLines.find(({ major }) => major === version[0]);
  if (line === undefined || Date.parse(line.endOfLife) > now) return [{ level: "good", what: nodeVersion }];
  return [
    {
      level: "note",
      what: `${nodeVersion} works, and has had no fixes since ${line.endOfLife}`,
      fix: "move to a maintained line when you can, see nodejs.org/en/about/previous-releases",
    },
  ];
}

function isSecret({ kind, path }: StateEntry): boolean {
  // A lock is an empty folder; an authority's certificate is there to be handed out.
  if (/\.lock$|(?:^|[\\/])ca\.pem$/.test(path)) return false;
  return kind === "folder" || /\.(?:json|pem|ndjson)(?:\.tmp-.*)?$/.test(path);
}

function openEntry({ path, kind, mode = 0 }: StateEntry): Finding {
  const wanted = kind === "folder" ? "700" : "600";
  return {
    level: "warning",
    what: `its mode is ${(mode & 0o777).toString(8).padStart(4, "0")}: others than you may use it`,
    fix: `chmod ${wanted} ${shellWord(path)}`,
    where: path,
  };
}

function isLeftover({ path, kind, changedAt }: StateEntry, now: number): boolean {
  const age = now - changedAt;
  if (kind === "folder") return path.endsWith(".lock") && age > staleLockMs;
  return /\.tmp-[^/]*$/.test(path) && age > abandonedMs;
}
