/**
 * What `webpush scaffold` says: records, a tree for eyes, and the steps from the files to the first notification.
 */
import { sep } from "node:path";
import { defaultServerPath } from "../../scaffold/answers.ts";
import { shownFile, type FileOutcome, type InspectedFile, type Target } from "../../scaffold/target.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { table, type Column } from "../../terminal/table.ts";
import type { PageKey } from "./page-key.ts";
import { jsonLine } from "../../terminal/json-line.ts";

/** What was written, or would be. */
export interface Written {
  readonly target: Target;
  readonly files: readonly InspectedFile[];
  readonly dryRun: boolean;
}

type Painted = Pick<Io, "paint">;

/** Outcomes in `--dry-run`: the same words would claim what was not done. */
const trialOutcomes = {
  created: "would-create",
  replaced: "would-replace",
  unchanged: "unchanged",
} as const satisfies Record<FileOutcome, string>;

/** One file as a JSON record. */
export function fileJson({ file, outcome }: InspectedFile, { target, dryRun }: Written): string {
  return jsonLine({
    path: shownFile(target, file.path),
    outcome: dryRun ? trialOutcomes[outcome] : outcome,
    bytes: file.content.length,
  });
}

/** The paths of what was written, for the next program in the pipe. */
export function pathLines({ target, files }: Written): readonly string[] {
  return files
    .filter(({ outcome }) => outcome !== "unchanged")
    .map(({ file }) => printable(shownFile(target, file.path), { limit: 4096 }));
}

/** Below this width purposes and sizes are left out. */
const roomyColumns = 64;

/** The folder as a tree, with each file's size and purpose. */
export function treeText(
  { target, files, dryRun }: Written,
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

/** How many files were written, in a line. */
export function summaryText({ target, files, dryRun }: Written): string {
  const words = dryRun
    ? { created: "would be created", replaced: "would be replaced", unchanged: "unchanged" }
    : { created: "created", replaced: "replaced", unchanged: "unchanged" };
  const outcomes = files.map(({ outcome }) => outcome);
  const counts = [...new Set(outcomes)].map((outcome) => {
    return `${outcomes.filter((other) => other === outcome).length} ${words[outcome]}`;
  });
  const where = target.shown === "." ? "this folder" : printable(target.shown, { limit: 4096 });
  return `files    ${counts.join(", ")} in ${where}${dryRun ? "; nothing was written" : ""}`;
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
  readonly server: string | null;
  /** The private key lies in the folder: it must not be served as it is. */
  readonly exposesKeys: boolean;
}

/** From the files to the first notification: what works today, step by step. */
export function nextStepsText(
  { target, key, server, exposesKeys }: NextSteps,
  { io }: { readonly io: Painted },
): readonly string[] {
  const folder = shellWord(target.shown.split(sep).join("/"));
  const needsContact = key.source !== "flag" && key.subject === undefined;
  const steps: readonly Step[] = [
    ...(exposesKeys ? [{ say: "move .webpush/ out of the folder", run: [] }] : []),
    ...(isServable(key, server) ? servedSteps(folder) : hostedSteps(folder)),
    ...(needsContact
      ? [
          {
            say: "name a contact; Apple refuses without",
            run: ["webpush keys --subject mailto:you@your-domain"],
          },
        ]
      : []),
    { say: "send", run: ['webpush send "Hello"'] },
  ];
  const { bold, dim } = io.paint.err;
  const lines = steps.flatMap(({ say, run }, index) => [
    `  ${index + 1}. ${say}`,
    ...run.map((command, choice) => `     ${dim(choice === 0 ? "$" : "or")} ${bold(command)}`),
  ]);
  return ["", "Next:", ...lines];
}

/** Whether `webpush serve` does for the page what the page expects. */
function isServable(key: PageKey, server: string | null): boolean {
  return server === defaultServerPath && (key.source !== "flag" || key.isHeld);
}

function servedSteps(folder: string): readonly Step[] {
  return [
    { say: "serve it here; localhost counts as secure", run: [`webpush serve ${folder}`] },
    { say: "open http://localhost:8040 and turn on notifications", run: [] },
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

/** A path as one word of a command line: in double quotes, which every shell knows, where these are enough. */
function shellWord(path: string): string {
  const safe = printable(path.startsWith("-") ? `./${path}` : path, { limit: 4096 });
  if (/^[\w@%+=:,./-]+$/.test(safe)) return safe;
  return /["$`!\\]/.test(safe) ? `'${safe.replaceAll("'", String.raw`'\''`)}'` : `"${safe}"`;
}
