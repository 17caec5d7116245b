/** `webpush serve`: flags only. Nothing here opens a socket, a folder or a store. */
import { Command, Option } from "commander";
import { browserNames, type BrowserName } from "../../browsers/browser.ts";
import { parsePort } from "../../settings/table.ts";
import { choiceOption, collect, settingOption, type Dispatch } from "../dispatch.ts";

export interface ServeOptions {
  /** Undefined when nobody said: `public/` if there is one, else the built-in page. */
  readonly dir: string | undefined;
  readonly port: number;
  /** Undefined is loopback, of both kinds. */
  readonly host: string | undefined;
  readonly allowRemote: boolean;
  readonly allowHost: readonly string[];
  /** Run a push service of this machine's own beside the server. */
  readonly emulator: boolean;
  readonly emulatorPort: number;
  /** A browser to start on it; then the emulator runs, asked for or not. */
  readonly open: BrowserName | undefined;
  readonly headless: boolean;
  readonly browser: string | undefined;
  readonly timeout: number;
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
}

export function serveCommand(dispatch: Dispatch): Command {
  return new Command("serve")
    .summary("a development server: page, key, subscriptions")
    .description(
      "Serve a page, hand out the public key, store the subscriptions the page makes,\n" +
        "and print what happens. Without a folder it serves public/, or the built-in\n" +
        "page where there is none. For this machine alone; Ctrl-C stops it, exit code 0.",
    )
    .argument("[dir]", "folder to serve; default public/, else the built-in page")
    .addOption(
      new Option("--port <n>", "port to listen on; 0 takes any free one").argParser(parsePort).default(8040),
    )
    .option("--host <address>", "address to listen on (default: 127.0.0.1 and ::1)")
    .option("--allow-remote", "let --host be an address that other machines reach", false)
    .addOption(
      new Option("--allow-host <host>", "also store subscriptions of this push service; repeatable")
        .argParser(collect)
        .default([]),
    )
    .optionsGroup("Offline:")
    .option("--emulator", "run a push service of this machine's own beside it", false)
    .addOption(
      new Option("--emulator-port <n>", "its port; 0 takes any free one").argParser(parsePort).default(8030),
    )
    .addOption(
      choiceOption("--open <browser>", "open the page in this browser, on the emulator", browserNames),
    )
    .option("--headless", "start it without a window", false)
    .option("--browser <path>", "the browser's program; looked for unless given")
    .optionsGroup("Test pushes from the page:")
    .addOption(settingOption("timeout"))
    .addOption(settingOption("proxy"))
    .addOption(settingOption("ca"))
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush serve\n  $ webpush serve --open chromium\n  $ webpush serve site --port 3000\n" +
        "  $ webpush serve --port 0 --json > events.ndjson",
    )
    .action((dir: string | undefined, flags: Omit<ServeOptions, "dir">) =>
      dispatch<ServeOptions>(() => import("./run.ts"), {
        dir,
        ...flags,
        host: flags.host,
        open: flags.open,
        browser: flags.browser,
      }),
    );
}
