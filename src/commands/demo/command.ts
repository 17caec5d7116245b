/** `webpush demo`: flags only. */
import { Command } from "commander";
import type { Dispatch } from "../dispatch.ts";

export interface DemoOptions {
  readonly message: string;
}

export function demoCommand(dispatch: Dispatch): Command {
  return new Command("demo")
    .summary("the whole round trip on this machine, offline")
    .description(
      "Make keys, start a push service on this machine, subscribe, send, receive and\n" +
        "decrypt: real HTTP and real encryption, in seconds, without the internet.\n" +
        "Everything happens in a throw-away project.",
    )
    .argument("[message]", "what to send", "Hello from your terminal")
    .addHelpText("after", '\nExample:\n  $ webpush demo "It works"')
    .action((message: string) => dispatch<DemoOptions>(() => import("./run.ts"), { message }));
}
