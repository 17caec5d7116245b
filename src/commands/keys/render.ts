/**
 * What `webpush keys` says. The private key appears only where it was asked for by name.
 */
import { formatKeys } from "../../protocol/key-formats.ts";
import type { Subject } from "../../protocol/subject.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import type { ProjectConfig } from "../../store/config.ts";
import type { Io } from "../../terminal/io.ts";
import { shortKey } from "../../store/key-selector.ts";
import { printable } from "../../terminal/printable.ts";
import { counted } from "../subscriptions/render.ts";

/** Talk before the data, the data itself, talk after it. */
export interface KeysText {
  readonly before: readonly string[];
  readonly data: readonly string[];
  readonly after: readonly string[];
}

/** What is known of the pair to show. */
export interface ShownKeys extends Pick<ProjectConfig, "pairs" | "subject"> {
  readonly pair: VapidKeyPair;
}

export interface KeysView {
  /** Where the project's keys are kept. */
  readonly path: string;
  readonly isFile: boolean;
  readonly isIgnoredByGit: boolean;
  /** Show the private key (`--private`). */
  readonly private: boolean;
}

type Painted = Pick<Io, "paint">;

/** One pair as the `web-push` tool prints it with `--json`, byte for byte. */
export function keysJson(pair: VapidKeyPair): string {
  return formatKeys(pair, undefined, "json").trimEnd();
}

/** A pair that was stored nowhere, as lines of a `.env` file. */
export function printedPairText(pair: VapidKeyPair, subject: Subject | undefined): string {
  return formatKeys(pair, subject, "env").trimEnd();
}

/** Who may read the keys where they are kept. */
function safetyLines({ isFile, isIgnoredByGit }: Omit<KeysView, "private">): readonly string[] {
  if (!isFile) return ["         whoever may read its table key_pairs can sign with them"];
  return [`         only you can read it${isIgnoredByGit ? ", and git ignores it" : "; keep it out of git"}`];
}

/** A pair that was just made. */
export function pairMadeText(keys: ShownKeys, view: KeysView, io: Painted): KeysText {
  return {
    before: [
      `${io.paint.err.good("Made a VAPID key pair.")} The public key, for your page${view.private ? ", and the private key" : ""}:`,
      "",
    ],
    data: keyLines(keys, view),
    after: ["", `stored   ${printable(view.path)}`, ...safetyLines(view), ...nextSteps(keys, io)],
  };
}

/** The pair the project has. */
export function pairShownText(keys: ShownKeys, view: KeysView, io: Painted): KeysText {
  const others = keys.pairs.length - 1;
  const also =
    others > 0
      ? [
          `also     ${others} older ${others === 1 ? "pair" : "pairs"}, signing for what was made with ${others === 1 ? "it" : "them"}: ${io.paint.err.bold("webpush keys list")}`,
        ]
      : [];
  return {
    before: [io.paint.err.bold(headingOf("this project", view)), ""],
    data: keyLines(keys, view),
    after: ["", `stored   ${printable(view.path)}`, ...also, ...nextSteps(keys, io)],
  };
}

/** The pair of the environment, which is not the project's. */
export function environmentPairText(keys: ShownKeys, view: KeysView, io: Painted): KeysText {
  return {
    before: [io.paint.err.bold(headingOf("the environment", view)), ""],
    data: keyLines(keys, view),
    after: [
      "",
      `source   ${io.paint.err.bold("VAPID_PRIVATE_KEY")}, which goes before the project's keys;`,
      "         unset it to use those",
      ...nextSteps(keys, io),
    ],
  };
}

function headingOf(owner: string, view: KeysView): string {
  return `The VAPID public key of ${owner}${view.private ? ", and the private key" : ""}:`;
}

function keyLines({ pair }: ShownKeys, view: KeysView): readonly string[] {
  return view.private ? [pair.publicKey, pair.privateKey.reveal()] : [pair.publicKey];
}

function nextSteps({ subject }: ShownKeys, { paint }: Painted): readonly string[] {
  const scaffold = `${paint.err.bold("webpush scaffold")}   a page that subscribes with this key`;
  if (subject !== undefined) return [`contact  ${subject}`, `next     ${scaffold}`];
  return [
    "contact  none yet; push services want one, and Apple's refuses messages without",
    `next     ${paint.err.bold("webpush keys --subject mailto:you@your-domain")}`,
    `         ${scaffold}`,
  ];
}

/** A pair that was imported or was there already. */
export function importedText(
  pair: VapidKeyPair,
  { outcome, isCurrent }: { readonly outcome: "stored" | "known"; readonly isCurrent: boolean },
  path: string,
): readonly string[] {
  const what = outcome === "stored" ? "imported" : "already stored";
  return [
    `${what}: ${pair.publicKey}`,
    `stored   ${path}`,
    ...(isCurrent ? [] : ["signs    for the subscriptions made with it; the current pair is another"]),
  ];
}

/** A rotation that was just done. */
export interface Rotation {
  readonly made: VapidKeyPair;
  readonly previous: VapidKeyPair;
  /** Living subscriptions that were made with the previous pair, as far as is known. */
  readonly staying: number;
  /** The settings of the project's page, where they name the previous key. */
  readonly pageSettings: string | undefined;
}

/** A rotation: its outcome, the new key, and what is left to do. */
export function rotationText(
  { previous, staying, pageSettings }: Rotation,
  view: Omit<KeysView, "private">,
  { paint }: Painted,
): Omit<KeysText, "data"> {
  const old = previous.publicKey.slice(0, 12);
  return {
    before: [`${paint.err.good("Made a new VAPID key pair.")} The public key, for your page:`, ""],
    after: [
      "",
      `stored   ${printable(view.path)}`,
      ...safetyLines(view),
      `old key  ${old}…, ${staying === 0 ? "kept; no stored subscription was made with it" : `signing for ${counted(staying)} made with it`}`,
      ...(pageSettings === undefined
        ? [
            "next     1. give the page the new key: `publicKey` in its webpush-config.js,",
            "            or at your server; webpush serve hands it out already",
          ]
        : [
            `next     1. write the new key into ${printable(pageSettings)}, as \`publicKey\`;`,
            "            webpush serve hands it out already, your own server has to be told",
          ]),
      "         2. subscriptions move when their page is visited, in no other way",
      `         3. ${paint.err.bold("webpush keys list")} shows how far that has come`,
      `         4. when all have moved: ${paint.err.bold(`webpush keys remove ${old}`)}`,
    ],
  };
}

/** Before a new pair is made. */
export function rotationQuestion(staying: number): string {
  return `make a new pair? ${staying === 0 ? "No stored subscription was made with the old one" : `The old one stays for ${counted(staying)} made with it`}`;
}

/** What removing a pair costs, in a question. */
export function removalQuestion(pair: VapidKeyPair, lost: number): string {
  return `remove ${shortKey(pair.publicKey)}? ${counted(lost)} made with it ${lost === 1 ? "gets" : "get"} no more pushes`;
}

/** What replacing a pair costs, in a question. */
export function replacementQuestion(pair: VapidKeyPair, boundSubscriptions: number): string {
  const cost =
    boundSubscriptions === 0
      ? "every subscription made with it stops working"
      : `${boundSubscriptions} stored ${boundSubscriptions === 1 ? "subscription" : "subscriptions"} made with it will stop working`;
  return `replace ${pair.publicKey.slice(0, 12)}…? ${cost}`;
}
