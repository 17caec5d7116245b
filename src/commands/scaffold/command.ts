/** `webpush scaffold`: flags only. Nothing here reads a template or makes a key. */
import { Command, Option } from "commander";
import { parseVapidPublicKey, type VapidPublicKey } from "../../protocol/vapid.ts";
import {
  defaultAppName,
  defaultServerPath,
  defaultThemeColor,
  parseAppName,
  parseServerPath,
  parseThemeColor,
  serverKinds,
  type ServerKind,
  type ServerPath,
} from "../../scaffold/answers.ts";
import type { Dispatch } from "../dispatch.ts";

export interface ScaffoldOptions {
  readonly dir: string;
  /** Undefined when nobody said; then a person at the terminal is asked. */
  readonly name: string | undefined;
  /** Where the page's server answers; undefined when nobody said. */
  readonly api: ServerPath | undefined;
  /** What the push server to write is made with; undefined when nobody said. */
  readonly server: ServerKind | undefined;
  /** The folder of that server; undefined for `server` beside the page's. */
  readonly serverDir: string | undefined;
  readonly themeColor: string;
  /** A public key to use instead of the project's. */
  readonly key: VapidPublicKey | undefined;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export function scaffoldCommand(dispatch: Dispatch): Command {
  return new Command("scaffold")
    .summary("write a page that receives push, and its server")
    .description(
      "Write a page, a client module, a service worker, a manifest and icons that\n" +
        "receive web push; with --server a push server for them too, which stores\n" +
        "subscriptions and sends. Plain files, no build step, yours to change.",
    )
    .argument("[dir]", "folder to write into", "public")
    .addOption(
      new Option("--name <name>", `name of the app (default ${JSON.stringify(defaultAppName)})`).argParser(
        parseAppName,
      ),
    )
    .addOption(
      new Option(
        "--api <path>",
        `where the page's server answers, or none (default ${JSON.stringify(defaultServerPath)})`,
      ).argParser(parseServerPath),
    )
    .addOption(new Option("--server <kind>", "write a push server too, with this").choices(serverKinds))
    .option("--server-dir <folder>", "folder to write the server into (default: server, beside the page's)")
    .addOption(
      new Option("--theme-color <hex>", "colour of the browser around the page")
        .argParser(parseThemeColor)
        .default(defaultThemeColor),
    )
    .addOption(
      new Option("--key <publicKey>", "VAPID public key to use instead of the project's").argParser(
        parseVapidPublicKey,
      ),
    )
    .option("--force", "replace files that are there already and differ", false)
    .option("--dry-run", "say what would be written, write nothing", false)
    .option("-y, --yes", "do not ask, take the defaults", false)
    .addHelpText(
      "after",
      `
Examples:
  $ webpush scaffold
  $ webpush scaffold site --name "Harbour News" --api /api/push --yes
  $ webpush scaffold --server express
  $ webpush scaffold --dry-run --json`,
    )
    .action((dir: string, flags: Omit<ScaffoldOptions, "dir">) =>
      dispatch<ScaffoldOptions>(() => import("./run.ts"), {
        dir,
        ...flags,
        name: flags.name,
        api: flags.api,
        server: flags.server,
        serverDir: flags.serverDir,
        key: flags.key,
      }),
    );
}
