/** `webpush demo`: flags only. */
import { Command, Option } from "commander";
import type { Dispatch } from "../dispatch.ts";

export interface DemoOptions {
  readonly message: string;
  /** The browser to play in; a terminal receives otherwise. */
  readonly browser: "chromium" | "firefox" | undefined;
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
    .addOption(
      new Option("--browser <name>", "let a browser receive").choices(["chromium", "firefox"] as const),
    )
    .option("--headless", "without a window; so it is anyway where there is no screen", false)
    .option("--executable <path>", "the browser's program; looked for in the PATH otherwise")
    .addHelpText(
      "after",
      '\nExamples:\n  $ webpush demo "It works"\n  $ webpush demo --browser firefox --headless',
    )
    .action((message: string, flags: Omit<DemoOptions, "message">) =>
      dispatch<DemoOptions>(() => import("./run.ts"), { ...flags, message }),
    );
}
