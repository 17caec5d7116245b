/** `webpush store`: flags only. */
import { Command } from "commander";
import type { Dispatch } from "../dispatch.ts";

export type StatusOptions = Readonly<Record<string, never>>;

export interface MigrateOptions {
  readonly dryRun: boolean;
}

export interface GrantOptions {
  readonly sender: string | undefined;
  readonly worker: string | undefined;
  readonly reader: string | undefined;
  readonly dryRun: boolean;
}

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly keys: boolean;
  readonly yes: boolean;
}

export function storeCommand(dispatch: Dispatch): Command {
  return new Command("store")
    .summary("where keys and subscriptions are: state, schema, rights")
    .description(
      "Look after the place where keys and subscriptions are kept: the project's\n" +
        "files, or a PostgreSQL database when WEBPUSH_STORE names one.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ webpush store status
  $ WEBPUSH_STORE=postgres://webpush@db.example.net/push webpush store migrate
  $ webpush store copy local postgres://webpush@db.example.net/push`,
    )
    .action(() => dispatch<StatusOptions>(() => import("./status.ts"), {}))
    .addCommand(statusCommand(dispatch))
    .addCommand(migrateCommand(dispatch))
    .addCommand(grantCommand(dispatch))
    .addCommand(copyCommand(dispatch));
}

function statusCommand(dispatch: Dispatch): Command {
  return new Command("status")
    .summary("tell where the store is, and what is in it")
    .description(
      "Tell where the store is, how it is reached, how many subscriptions it has, and\n" +
        "whether its schema is up to date. Exits 1 when it is not.",
    )
    .addHelpText("after", "\nExample:\n  $ webpush store status --json")
    .action(() => dispatch<StatusOptions>(() => import("./status.ts"), {}));
}

function migrateCommand(dispatch: Dispatch): Command {
  return new Command("migrate")
    .summary("bring the database to the schema this webpush needs")
    .description(
      "Make the schemas webpush and webpush_queue in the database, or bring them up to\n" +
        "date. The role must be allowed to create schemas; those that send need less.",
    )
    .option("--dry-run", "print the SQL instead of running it", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush store migrate\n  $ webpush store migrate --dry-run > webpush.sql",
    )
    .action((flags: MigrateOptions) =>
      dispatch<MigrateOptions>(() => import("./migrate.ts"), { dryRun: flags.dryRun }),
    );
}

function grantCommand(dispatch: Dispatch): Command {
  return new Command("grant")
    .summary("give roles of the database what they need, and no more")
    .description(
      "Give roles of the database the rights that they need for what they do, and take\n" +
        "away what else they have in webpush's schemas. The roles must be there; whoever\n" +
        "ran `store migrate` can give the rights. Run it again after an upgrade.",
    )
    .option("--sender <role>", "stores subscriptions and keys, sends, makes and steers campaigns")
    .option("--worker <role>", "sends campaigns, and reads the keys it signs with")
    .option("--reader <role>", "lists and watches; sees no private key")
    .option("--dry-run", "print the SQL instead of running it", false)
    .addHelpText(
      "after",
      `
Examples:
  $ webpush store grant --sender shop --worker push_worker --reader grafana
  $ webpush store grant --worker push_worker --dry-run`,
    )
    .action((flags: Partial<Pick<GrantOptions, "sender" | "worker" | "reader">> & { dryRun: boolean }) =>
      dispatch<GrantOptions>(() => import("./grant.ts"), {
        sender: flags.sender,
        worker: flags.worker,
        reader: flags.reader,
        dryRun: flags.dryRun,
      }),
    );
}

function copyCommand(dispatch: Dispatch): Command {
  return new Command("copy")
    .summary("copy subscriptions from one store to another")
    .description(
      "Copy every subscription with its name, tags, times, last result and marks. Of one\n" +
        "that is in both, the later registration stays. Run it again after a stop.",
    )
    .argument("<from>", "`local` for the project's files, or postgres://…")
    .argument("<to>", "`local` for the project's files, or postgres://…")
    .option("--keys", "also the key pairs: whoever can read them there can send as you", false)
    .option("-y, --yes", "do not ask", false)
    .addHelpText(
      "after",
      "\nExample:\n  $ webpush store copy local postgres://webpush@db.example.net/push --keys",
    )
    .action((from: string, to: string, flags: Pick<CopyOptions, "keys" | "yes">) =>
      dispatch<CopyOptions>(() => import("./copy.ts"), { from, to, keys: flags.keys, yes: flags.yes }),
    );
}
