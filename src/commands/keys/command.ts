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

export interface ImportOptions {
  readonly file: string;
  readonly subject: ParsedSubject | undefined;
  readonly force: boolean;
  readonly yes: boolean;
}

export interface ExportOptions {
  readonly format: KeyFormat;
  readonly output: string | undefined;
}

export function keysCommand(dispatch: Dispatch): Command {
  return new Command("keys")
    .summary("make, show, import and export VAPID keys")
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
  $ webpush keys import old-keys.pem
  $ webpush keys export --format jwk`,
    )
    .action((flags: KeysOptions) =>
      dispatch<KeysOptions>(() => import("./run.ts"), { ...flags, subject: flags.subject }),
    )
    .addCommand(importCommand(dispatch))
    .addCommand(exportCommand(dispatch));
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
    .addOption(forceOption())
    .addOption(yesOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush keys import .env\n  $ pass show push/vapid | webpush keys import -",
    )
    .action((file: string, flags: Omit<ImportOptions, "file">) =>
      dispatch<ImportOptions>(() => import("./import.ts"), { file, ...flags, subject: flags.subject }),
    );
}

function exportCommand(dispatch: Dispatch): Command {
  return new Command("export")
    .summary("print the key pair, private key included")
    .description("Print the current key pair, private key included, in the format of your choice.")
    .addOption(
      choiceOption("--format <format>", "what to print", keyFormats).default("json" satisfies KeyFormat),
    )
    .option("-o, --output <file>", "write a new file that only you can read")
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush keys export --format env\n  $ webpush keys export --format pem --output private_key.pem",
    )
    .action((flags: ExportOptions) =>
      dispatch<ExportOptions>(() => import("./export.ts"), { ...flags, output: flags.output }),
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
