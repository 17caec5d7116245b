/** `webpush keys`: flags only. Nothing here opens a file or makes a key. */
import { Command, Option } from "commander";
import { keyFormats, type KeyFormat } from "../../protocol/key-formats.ts";
import { parseSubject, type ParsedSubject } from "../../protocol/subject.ts";
import { choiceOption, type Dispatch } from "../dispatch.ts";

export interface KeysOptions {
  readonly subject: ParsedSubject | undefined;
  readonly private: boolean;
  readonly print: boolean;
  readonly force: boolean;
  readonly yes: boolean;
}

export interface RotateOptions {
  readonly subject: ParsedSubject | undefined;
  readonly yes: boolean;
}

export interface RemoveOptions {
  /** The beginning of a public key. */
  readonly key: string;
  readonly yes: boolean;
}

export interface ImportOptions {
  readonly file: string;
  /** Store it beside the current pair. */
  readonly add: boolean;
  readonly subject: ParsedSubject | undefined;
  readonly force: boolean;
  readonly yes: boolean;
}

export interface ExportOptions {
  /** The beginning of a public key; undefined means the pair that signs. */
  readonly key: string | undefined;
  readonly format: KeyFormat;
  readonly output: string | undefined;
}

export function keysCommand(dispatch: Dispatch): Command {
  return new Command("keys")
    .summary("make, show, rotate, import and export VAPID keys")
    .description("Make the VAPID key pair of this project, or show the one it has.")
    .addOption(subjectOption())
    .option("--private", "show the private key too", false)
    .option("--print", "make a pair and print it as .env lines, store nothing", false)
    .addOption(forceOption())
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ webpush keys --subject mailto:ops@shop.example.org
  $ webpush keys --print >> .env
  $ webpush keys rotate
  $ webpush keys import old-keys.pem
  $ webpush keys export --format jwk`,
    )
    .action((flags: KeysOptions) =>
      dispatch<KeysOptions>(() => import("./run.ts"), { ...flags, subject: flags.subject }),
    )
    .addCommand(rotateCommand(dispatch))
    .addCommand(listCommand(dispatch))
    .addCommand(removeCommand(dispatch))
    .addCommand(importCommand(dispatch))
    .addCommand(exportCommand(dispatch));
}

function rotateCommand(dispatch: Dispatch): Command {
  return new Command("rotate")
    .summary("make a new pair; the old one signs for its own")
    .description(
      "Make a new key pair for new subscriptions. The old one keeps signing for those\n" +
        "made with it, until their pages have been visited. No push service moves them.",
    )
    .addOption(subjectOption())
    .addOption(yesOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush keys rotate\n  $ webpush keys list      # how far it has come",
    )
    .action((flags: RotateOptions) =>
      dispatch<RotateOptions>(() => import("./rotate.ts"), { ...flags, subject: flags.subject }),
    );
}

function listCommand(dispatch: Dispatch): Command {
  return new Command("list")
    .summary("every pair, and how many subscriptions were made with it")
    .description(
      "List every key pair and every key that subscriptions were made with: how many,\n" +
        "when one of them was last seen alive, and how far a rotation has come.",
    )
    .addHelpText("after", "\nExamples:\n  $ webpush keys list\n  $ webpush keys list --json")
    .action(() => dispatch<object>(() => import("./list.ts"), {}));
}

function removeCommand(dispatch: Dispatch): Command {
  return new Command("remove")
    .summary("forget an older pair")
    .description(
      "Forget a key pair that is not the current one. Subscriptions made with it get\n" +
        "no more pushes, so it asks first while there are any. It cannot be had back:\n" +
        "save it with webpush keys export KEY.",
    )
    .argument("<key>", "beginning of its public key, as webpush keys list shows it")
    .addOption(yesOption())
    .addHelpText("after", "\nExample:\n  $ webpush keys remove BKd0FOnmkPQa")
    .action((key: string, flags: Omit<RemoveOptions, "key">) =>
      dispatch<RemoveOptions>(() => import("./remove.ts"), { key, ...flags }),
    );
}

function importCommand(dispatch: Dispatch): Command {
  return new Command("import")
    .summary("store a key pair from a file of any usual format")
    .description(
      "Store a VAPID key pair from a file or stdin: JSON, .env, PEM, DER, JWK, PKCS#8 or\n" +
        "raw base64url. A private key alone will do; the public one is derived from it.",
    )
    .argument("<file>", "file to read, or - for stdin")
    .addOption(subjectOption())
    .addOption(
      new Option("--add", "keep the current pair; this one signs only for what was made with it")
        .default(false)
        .conflicts("force"),
    )
    .addOption(forceOption())
    .addOption(yesOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush keys import .env\n  $ webpush keys import old-keys.pem --add\n  $ pass show push/vapid | webpush keys import -",
    )
    .action((file: string, flags: Omit<ImportOptions, "file">) =>
      dispatch<ImportOptions>(() => import("./import.ts"), { file, ...flags, subject: flags.subject }),
    );
}

function exportCommand(dispatch: Dispatch): Command {
  return new Command("export")
    .summary("print the key pair, private key included")
    .description("Print a key pair, private key included, in the format of your choice.")
    .argument("[key]", "beginning of a public key, for another pair than the one that signs")
    .addOption(
      choiceOption("--format <format>", "what to print", keyFormats).default("json" satisfies KeyFormat),
    )
    .option("-o, --output <file>", "write a new file that only you can read")
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush keys export --format env\n  $ webpush keys export --format pem --output private_key.pem\n  $ webpush keys export BKd0FOnmkPQa --output old-keys.json",
    )
    .action((key: string | undefined, flags: Omit<ExportOptions, "key">) =>
      dispatch<ExportOptions>(() => import("./export.ts"), { key, ...flags, output: flags.output }),
    );
}

function subjectOption(): Option {
  return new Option("--subject <contact>", "contact for push services: mailto:… or https://…").argParser(
    parseSubject,
  );
}

function forceOption(): Option {
  return new Option("--force", "replace the pair; its subscriptions stop working").default(false);
}

function yesOption(): Option {
  return new Option("-y, --yes", "do not ask").default(false);
}
