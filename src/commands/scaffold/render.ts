/**
 * What `webpush scaffold` says: records, a tree for eyes, and the steps from the files to the first notification.
 */
import { sep } from "node:path";
import { defaultServerPath } from "../../scaffold/answers.ts";
import {
  shownFile,
  type FileOutcome,
  type Inspected,
  type InspectedFile,
  type Target,
} from "../../scaffold/target.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { table, type Column } from "../../terminal/table.ts";
import type { PageKey } from "./page-key.ts";
import { jsonLine } from "../../terminal/json-line.ts";

/** What was written, or would be, folder by folder. */
export interface Written {
  readonly folders: readonly Inspected[];
  readonly dryRun: boolean;
}

type Painted = Pick<Io, "paint">;

/** Outcomes in `--dry-run`: the same words would claim what was not done. */
const trialOutcomes = {
  created: "would-create",
  replaced: "would-replace",
  unchanged: "unchanged",
} as const satisfies Record<FileOutcome, string>;

/** A JSON record per file. */
export function fileJson({ folders, dryRun }: Written): readonly string[] {
  return folders.flatMap(({ target, files }) =>
    files.map(({ file, outcome }) =>
      jsonLine({
        path: shownFile(target, file.path),
        outcome: dryRun ? trialOutcomes[outcome] : outcome,
        bytes: file.content.length,
      }),
    ),
  );
}

/** The paths of what was written, for the next program in the pipe. */
export function pathLines({ folders }: Written): readonly string[] {
  return folders.flatMap(({ target, files }) =>
    files
      .filter(({ outcome }) => outcome !== "unchanged")
      .map(({ file }) => printable(shownFile(target, file.path), { limit: 4096 })),
  );
}

/** Below this width purposes and sizes are left out. */
const roomyColumns = 64;

/** The folders as trees, with each file's size and purpose. */
export function treeText({ folders, dryRun }: Written, io: Pick<Io, "terminal">): readonly string[] {
  return folders.flatMap((folder) => folderText(folder, dryRun, io));
}

function folderText(
  { target, files }: Inspected,
  dryRun: boolean,
  { terminal }: Pick<Io, "terminal">,
): readonly string[] {
  const isMixed = new Set(files.map(({ outcome }) => outcome)).size > 1;
  const isRoomy = terminal.columns >= roomyColumns;
  const rows = branches(files, "", "").map(({ name, entry }) => [
    name,
    ...(isRoomy ? [entry === undefined ? "" : formatSize(entry.file.content.length)] : []),
    ...(isMixed ? [entry === undefined ? "" : dryRun ? trialOutcomes[entry.outcome] : entry.outcome] : []),
    ...(isRoomy ? [entry?.file.purpose ?? ""] : []),
  ]);
  const head: readonly Column[] = [
    { title: "", flexible: !isRoomy },
    ...(isRoomy ? [{ title: "", align: "right" } as const] : []),
    ...(isMixed ? [{ title: "" }] : []),
    ...(isRoomy ? [{ title: "", flexible: true }] : []),
  ];
  return [printable(target.shown), ...table(head, rows, terminal.columns).slice(1)];
}

interface Branch {
  /** Its name, after the lines that lead to it. */
  readonly name: string;
  /** Undefined for a folder. */
  readonly entry: InspectedFile | undefined;
}

/** The files under `folder` and its folders, in the template's order. */
function branches(files: readonly InspectedFile[], folder: string, indent: string): readonly Branch[] {
  const below = files.filter(({ file }) => file.path.startsWith(folder));
  const names = [...new Set(below.map(({ file }) => file.path.slice(folder.length).split("/")[0] ?? ""))];
  return names.flatMap((name, index) => {
    const isLast = index === names.length - 1;
    const path = folder + name;
    const entry = below.find(({ file }) => file.path === path);
    const branch = { name: `${indent}${isLast ? "└─ " : "├─ "}${printable(name)}`, entry };
    if (entry !== undefined) return [branch];
    return [branch, ...branches(files, `${path}/`, `${indent}${isLast ? "   " : "│  "}`)];
  });
}

function formatSize(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

/** How many files were written, in a line per folder. */
export function summaryText({ folders, dryRun }: Written): readonly string[] {
  const words = dryRun
    ? { created: "would be created", replaced: "would be replaced", unchanged: "unchanged" }
    : { created: "created", replaced: "replaced", unchanged: "unchanged" };
  return folders.map(({ target, files }, index) => {
    const outcomes = files.map(({ outcome }) => outcome);
    const counts = [...new Set(outcomes)].map((outcome) => {
      return `${outcomes.filter((other) => other === outcome).length} ${words[outcome]}`;
    });
    const where = target.shown === "." ? "this folder" : printable(target.shown, { limit: 4096 });
    const trial = dryRun && index === folders.length - 1 ? "; nothing was written" : "";
    return `files    ${counts.join(", ")} in ${where}${trial}`;
  });
}

/** Which key the page has, and what that means; undefined when one would be made. */
export function keyText(key: PageKey | undefined, configPath: string): readonly string[] {
  const path = printable(configPath, { limit: 4096 });
  if (key === undefined) return [`key      none yet; would make a VAPID key pair in ${path}`];
  const shown = `key      ${key.publicKey.slice(0, 12)}…`;
  switch (key.source) {
    case "made":
      return [`${shown}, of a VAPID key pair made for this page`, `stored   ${path}`];
    case "project":
      return [`${shown}, this project's`];
    case "environment":
      return [`${shown}, from VAPID_PRIVATE_KEY in the environment`];
    case "flag":
      return key.isHeld
        ? [`${shown}, as given; this project has its private key`]
        : [`${shown}, as given; sending needs its private key:`, "         webpush keys import FILE --add"];
    default:
      return key satisfies never;
  }
}

/** A warning when the private key lies in the folder that will be served. */
export function exposedKeysText({ io }: { readonly io: Painted }): readonly string[] {
  const { caution, hint } = io.paint.err;
  return [
    `${caution("warning:")} your private key is inside this folder, in .webpush/; whoever can fetch it can send as you`,
    `${hint("hint:")} move .webpush/ one folder up before you serve or upload this one; it is found there too`,
  ];
}

export interface NextSteps {
  readonly target: Target;
  readonly key: PageKey;
  /** Where the page looks for its server; null for none. */
  readonly api: string | null;
  /** The folder of the push server that was written; undefined for none. */
  readonly server: Target | undefined;
  /** The private key lies in the folder: it must not be served as it is. */
  readonly exposesKeys: boolean;
}

/** From the files to the first notification: what works today, step by step. */
export function nextStepsText(
  { target, key, api, server, exposesKeys }: NextSteps,
  { io }: { readonly io: Painted },
): readonly string[] {
  const folder = folderWord(target);
  const needsContact = key.source !== "flag" && key.subject === undefined;
  const contact = needsContact
    ? [
        {
          say: "name a contact; Apple refuses without",
          run: ["webpush keys --subject mailto:you@your-domain"],
        },
      ]
    : [];
  const send = { say: "send", run: ['webpush send "Hello"'] };
  const steps: readonly Step[] = [
    ...(exposesKeys ? [{ say: "move .webpush/ out of the folder", run: [] }] : []),
    ...(server !== undefined
      ? [...contact, ...serverSteps(folderWord(server), key)]
      : [...(isServable(key, api) ? servedSteps(folder) : hostedSteps(folder)), ...contact, send]),
  ];
  const { bold, dim } = io.paint.err;
  const lines = steps.flatMap(({ say, run }, index) => [
    `  ${index + 1}. ${say}`,
    ...run.map((command, choice) => `     ${dim(choice === 0 ? "$" : "or")} ${bold(command)}`),
  ]);
  return ["", "Next:", ...lines];
}

/** Whether `webpush serve` does for the page what the page expects. */
function isServable(key: PageKey, api: string | null): boolean {
  return api === defaultServerPath && (key.source !== "flag" || key.isHeld);
}

function servedSteps(folder: string): readonly Step[] {
  return [
    { say: "serve it here; localhost counts as secure", run: [`webpush serve ${folder}`] },
    { say: "open http://localhost:8040 and turn on notifications", run: [] },
  ];
}

/** The push server gets the keys, and does the rest. */
function serverSteps(folder: string, key: PageKey): readonly Step[] {
  const env = `${folder}/.env`;
  const isHeld = key.source !== "flag" || key.isHeld;
  return [
    isHeld
      ? { say: "give the server the keys", run: [`webpush keys export --format env --output ${env}`] }
      : { say: `put the key pair and VAPID_SUBJECT into ${env}`, run: [] },
    { say: "start it", run: [`cd ${folder} && npm install && npm start`] },
    { say: "open http://localhost:3000 and turn on notifications", run: [] },
    { say: "set SEND_TOKEN as README.md says, then send to everybody", run: ['npm run send -- "Hello"'] },
  ];
}

/** Without a server behind the page, the subscription is carried over by hand. */
function hostedSteps(folder: string): readonly Step[] {
  return [
    {
      say: "serve it here; localhost counts as secure",
      run: [`npx http-server ${folder} -c-1`, `python3 -m http.server 8080 --directory ${folder}`],
    },
    { say: "open http://localhost:8080 and turn on notifications", run: [] },
    { say: "copy the command that the page shows, run it here", run: ["webpush subscriptions add '…'"] },
  ];
}

interface Step {
  readonly say: string;
  /** Commands to choose from. */
  readonly run: readonly string[];
}

function folderWord({ shown }: Target): string {
  return shellWord(shown.split(sep).join("/"));
}

/** A path as one word of a command line: in double quotes, which every shell knows, where these are enough. */
function shellWord(path: string): string {
  const safe = printable(path.startsWith("-") ? `./${path}` : path, { limit: 4096 });
  if (/^[\w@%+=:,./-]+$/.test(safe)) return safe;
  return /["$`!\\]/.test(safe) ? `'${safe.replaceAll("'", String.raw`'\''`)}'` : `"${safe}"`;
}
