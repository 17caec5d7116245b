/** `webpush subscriptions`: flags only. */
import { Command, Option } from "commander";
import { choiceOption, collect, settingOption, type Dispatch } from "../dispatch.ts";
import type { TransportOptions } from "../send/command.ts";
import { parseAge } from "./values.ts";

export const exportFormats = ["json", "ndjson", "csv"] as const;

export interface AddOptions {
  readonly source: string | undefined;
  readonly endpoint: string | undefined;
  readonly p256dh: string | undefined;
  readonly auth: string | undefined;
  readonly name: string | undefined;
  readonly tag: readonly string[];
}

export interface ListOptions {
  readonly tag: readonly string[];
  readonly gone: boolean;
}

export interface ShowOptions {
  readonly which: string;
}

export interface RemoveOptions {
  readonly which: readonly string[];
  readonly yes: boolean;
}

export interface TagOptions {
  readonly tag: string;
  readonly which: readonly string[];
  readonly remove: boolean;
}

export interface RenameOptions {
  readonly which: string;
  readonly name: string;
}

export interface ImportOptions {
  readonly file: string;
  readonly tag: readonly string[];
  readonly dryRun: boolean;
}

export interface ExportOptions {
  readonly which: readonly string[];
  readonly format: (typeof exportFormats)[number];
  readonly output: string | undefined;
}

/** What asking push services needs of the flags: as for `send`, but nobody is asked twice. */
type ProbeNetworkOptions = Pick<
  TransportOptions,
  "timeout" | "concurrency" | "rate" | "proxy" | "ca" | "allowHost" | "allowPrivate"
>;

export interface CheckOptions extends ProbeNetworkOptions {
  readonly which: readonly string[];
  readonly online: boolean;
  readonly includeUnproven: boolean;
  readonly yes: boolean;
}

export interface PruneOptions {
  readonly which: readonly string[];
  /** Since the mark, or whatever the reason is, in milliseconds. */
  readonly olderThan: number;
  readonly expired: boolean;
  readonly deadHosts: boolean;
  readonly calledGone: boolean;
  readonly wrongKey: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export function subscriptionsCommand(dispatch: Dispatch): Command {
  return new Command("subscriptions")
    .alias("subs")
    .summary("add, list, tag, import, export, check, prune subscriptions")
    .description("Manage the stored subscriptions: whom `webpush send` sends to.")
    .addOption(tagFilter())
    .addOption(goneOption())
    .addHelpText(
      "after",
      `
Examples:
  $ webpush subscriptions add subscription.json --name phone
  $ webpush subscriptions list
  $ webpush subscriptions export --format ndjson`,
    )
    .action((flags: ListOptions) => dispatch<ListOptions>(() => import("./list.ts"), flags))
    .addCommand(addCommand(dispatch))
    .addCommand(listCommand(dispatch))
    .addCommand(showCommand(dispatch))
    .addCommand(removeCommand(dispatch))
    .addCommand(renameCommand(dispatch))
    .addCommand(tagCommand(dispatch))
    .addCommand(importCommand(dispatch))
    .addCommand(exportCommand(dispatch))
    .addCommand(checkCommand(dispatch))
    .addCommand(pruneCommand(dispatch));
}

function addCommand(dispatch: Dispatch): Command {
  return new Command("add")
    .summary("store one subscription")
    .description(
      "Store one subscription: what JSON.stringify(pushSubscription) gives in the page.\n" +
        "The same endpoint again refreshes the stored record.",
    )
    .argument("[subscription]", "JSON, a file, or - for stdin; asked for when left out")
    .option("--endpoint <url>", "the parts one by one: the endpoint")
    .option("--p256dh <key>", "its p256dh key")
    .option("--auth <secret>", "its auth secret")
    .option("--name <name>", "a name to send to it by")
    .addOption(new Option("--tag <tag>", "put it in a group; repeatable").argParser(collect).default([]))
    .addHelpText(
      "after",
      `
Examples:
  $ webpush subscriptions add subscription.json --name phone --tag news
  $ pbpaste | webpush subscriptions add -`,
    )
    .action((source: string | undefined, flags: Omit<AddOptions, "source">) => {
      const { endpoint, p256dh, auth, name, tag } = flags;
      return dispatch<AddOptions>(() => import("./add.ts"), { source, endpoint, p256dh, auth, name, tag });
    });
}

function listCommand(dispatch: Dispatch): Command {
  return new Command("list")
    .alias("ls")
    .summary("list stored subscriptions")
    .description("List stored subscriptions. Endpoints are secrets and shown shortened.")
    .addOption(tagFilter())
    .addOption(goneOption())
    .addHelpText("after", "\nExample:\n  $ webpush subscriptions list --tag news")
    .action((flags: ListOptions) => dispatch<ListOptions>(() => import("./list.ts"), flags));
}

function showCommand(dispatch: Dispatch): Command {
  return new Command("show")
    .summary("show one subscription with its whole endpoint")
    .description("Show one stored subscription with its whole endpoint and last result.")
    .argument("<which>", "an id or name")
    .addHelpText("after", "\nExample:\n  $ webpush subscriptions show phone")
    .action((which: string) => dispatch<ShowOptions>(() => import("./show.ts"), { which }));
}

function removeCommand(dispatch: Dispatch): Command {
  return new Command("remove")
    .alias("rm")
    .summary("forget subscriptions")
    .description("Forget stored subscriptions. The browser is not told: it stays subscribed.")
    .argument("<which...>", "ids, names, tag:NAME or all")
    .option("-y, --yes", "do not ask", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions remove phone\n  $ webpush subscriptions remove tag:test --yes",
    )
    .action((which: string[], flags: { yes: boolean }) =>
      dispatch<RemoveOptions>(() => import("./remove.ts"), { which, yes: flags.yes }),
    );
}

function renameCommand(dispatch: Dispatch): Command {
  return new Command("rename")
    .summary("give a subscription a name")
    .description("Give a stored subscription a name to send to it by.")
    .argument("<which>", "an id or name")
    .argument("<name>", "the new name")
    .addHelpText("after", "\nExample:\n  $ webpush subscriptions rename 4f3hq phone")
    .action((which: string, name: string) =>
      dispatch<RenameOptions>(() => import("./rename.ts"), { which, name }),
    );
}

function tagCommand(dispatch: Dispatch): Command {
  return new Command("tag")
    .summary("put subscriptions in a group, or take them out")
    .description("Put stored subscriptions in a group, to send to it with --to tag:NAME.")
    .argument("<tag>", "the group's name")
    .argument("<which...>", "ids, names, tag:NAME or all")
    .option("--remove", "take them out of the group instead", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions tag news phone laptop\n  $ webpush subscriptions tag news phone --remove",
    )
    .action((tag: string, which: string[], flags: { remove: boolean }) =>
      dispatch<TagOptions>(() => import("./tag.ts"), { tag, which, remove: flags.remove }),
    );
}

function importCommand(dispatch: Dispatch): Command {
  return new Command("import")
    .summary("store many subscriptions from a file")
    .description(
      "Store many subscriptions: a JSON array or named map, NDJSON, or CSV with a head line.\n" +
        "What cannot be read is reported entry by entry; the rest is stored.",
    )
    .argument("<file>", "file to read, or - for stdin")
    .addOption(
      new Option("--tag <tag>", "put all of them in a group; repeatable").argParser(collect).default([]),
    )
    .option("--dry-run", "only report what would be stored", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions import subscriptions.ndjson --tag imported\n  $ psql -c 'copy subs to stdout csv header' | webpush subscriptions import -",
    )
    .action((file: string, flags: Omit<ImportOptions, "file">) =>
      dispatch<ImportOptions>(() => import("./import.ts"), { file, tag: flags.tag, dryRun: flags.dryRun }),
    );
}

function exportCommand(dispatch: Dispatch): Command {
  return new Command("export")
    .summary("print subscriptions whole, secrets included")
    .description("Print stored subscriptions whole, secrets included, for another tool or machine.")
    .argument("[which...]", "ids, names or tag:NAME; default all")
    .addOption(choiceOption("--format <format>", "how to print them", exportFormats).default("json"))
    .option("-o, --output <file>", "write a new file that only you can read")
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions export --format csv --output subs.csv\n  $ webpush subscriptions export tag:news --format ndjson",
    )
    .action((which: string[], flags: Omit<ExportOptions, "which">) =>
      dispatch<ExportOptions>(() => import("./export.ts"), {
        which,
        format: flags.format,
        output: flags.output,
      }),
    );
}

function checkCommand(dispatch: Dispatch): Command {
  const command = new Command("check")
    .summary("check subscriptions, without sending or with --online")
    .description(
      "Check stored subscriptions against the project's keys and what is known of push\n" +
        "services. Nothing is sent, so who is still subscribed is not known: only push\n" +
        "services can tell, and only when something is sent. --online sends each a push\n" +
        "that no browser can decrypt, so it is dropped unseen, and hears the answer.",
    )
    .argument("[which...]", "ids, names or tag:NAME; default all")
    .option("--online", "also ask push services, by a push that nobody sees", false)
    .optionsGroup("With --online:")
    .option("--include-unproven", "also where nobody knows that it stays unseen (Apple)", false)
    .option("-y, --yes", "do not ask before sending", false);
  for (const name of ["timeout", "concurrency", "rate", "proxy", "ca"] as const)
    command.addOption(settingOption(name));
  return command
    .addOption(
      new Option("--allow-host <host>", "also send to this host's address or port; repeatable")
        .argParser(collect)
        .default([]),
    )
    .option("--allow-private", "also send to private network addresses", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions check\n  $ webpush subscriptions check --online tag:news",
    )
    .action((which: string[], flags: Omit<CheckOptions, "which">) =>
      dispatch<CheckOptions>(() => import("./check.ts"), { which, ...flags }),
    );
}

function pruneCommand(dispatch: Dispatch): Command {
  return new Command("prune")
    .summary("forget for good those that are gone")
    .description(
      "Forget for good the subscriptions that are marked gone. `send` only marks them,\n" +
        "and a page that comes back takes the mark away. Options add other reasons.",
    )
    .argument("[which...]", "only among these: ids, names or tag:NAME; default all")
    .addOption(
      new Option("--older-than <age>", "only when it has been so this long: 12h, 30d")
        .argParser(parseAge)
        .default(0, "0"),
    )
    .option("--expired", "those whose expirationTime is over", false)
    .option("--dead-hosts", "those at hosts where no push service is", false)
    .option("--called-gone", "those called gone and not marked: too many at once, or too young", false)
    .option("--wrong-key", "those made with another key; only if the old private key is destroyed", false)
    .option("--dry-run", "only tell which and why", false)
    .option("-y, --yes", "do not ask", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush subscriptions prune --dry-run\n  $ webpush subscriptions prune --older-than 30d --expired --yes",
    )
    .action((which: string[], flags: Omit<PruneOptions, "which">) =>
      dispatch<PruneOptions>(() => import("./prune.ts"), { which, ...flags }),
    );
}

function tagFilter(): Option {
  return new Option("--tag <tag>", "only those in this group; repeatable").argParser(collect).default([]);
}

function goneOption(): Option {
  return new Option("--gone", "those that push services say are gone").default(false);
}
