/** `webpush demo`: flags only. */
import { Command } from "commander";
import { browserNames, type BrowserName } from "../../browsers/browser.ts";
import { choiceOption, type Dispatch } from "../dispatch.ts";

export interface DemoOptions {
  readonly message: string;
  /** The browser to play in; a terminal receives otherwise. */
  readonly browser: BrowserName | undefined;
  readonly headless: boolean;
  readonly executable: string | undefined;
}

export function demoCommand(dispatch: Dispatch): Command {
  return new Command("demo")
    .summary("the whole round trip on this machine, offline")
    .description(
      "Make keys, start a push service on this machine, subscribe, send, receive and\n" +
        "decrypt: real HTTP and real encryption, in seconds, without the internet.\n" +
        "Everything happens in a throw-away project. With --browser a stock browser on\n" +
        "this machine is the receiver, in a throw-away profile.",
    )
    .argument("[message]", "what to send", "Hello from your terminal")
    .addOption(choiceOption("--browser <name>", "let a browser receive", browserNames))
    .option("--headless", "start it without a window, as where there is no screen", false)
    .option("--executable <path>", "the browser's program; looked for unless given")
    .addHelpText(
      "after",
      '\nExamples:\n  $ webpush demo "It works"\n  $ webpush demo --browser firefox --headless',
    )
    .action((message: string, flags: Omit<DemoOptions, "message">) =>
      dispatch<DemoOptions>(() => import("./run.ts"), { ...flags, message }),
    );
}
