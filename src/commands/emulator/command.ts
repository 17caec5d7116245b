/** `webpush emulator`: flags only. */
import { Command, Option } from "commander";
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import { parsePersonality, personalityIds, type PersonalityId } from "../../emulator/personalities.ts";
import { parsePort } from "../../settings/table.ts";
import type { Dispatch } from "../dispatch.ts";

export interface EmulatorOptions {
  readonly port: number;
  readonly host: string;
  readonly allowRemote: boolean;
  readonly state: string | undefined;
  readonly as: PersonalityId | undefined;
}

export function emulatorCommand(dispatch: Dispatch): Command {
  return new Command("emulator")
    .summary("a push service on this machine, for terminals")
    .description(
      "Run a push service on this machine and print what happens in it, a line per\n" +
        "event. Receivers subscribe over HTTP (RFC 8030) or over Mozilla's autopush\n" +
        "WebSocket, as `webpush listen` and Firefox do. Ctrl-C stops it; it exits 0.",
    )
    .addOption(
      new Option("--port <n>", "port to listen on; 0 takes any free one").argParser(parsePort).default(8030),
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--allow-remote", "let --host be an address that other machines reach", false)
    .option("--state <dir>", "keep subscriptions and waiting messages in this folder")
    .addOption(
      new Option(
        "--as <service>",
        "answer senders as strict, fcm, mozilla, apple or wns would; default as each subscription was made",
      ).argParser(parseAs),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush emulator\n  $ webpush emulator --as apple --state .push-state\n" +
        "  $ webpush emulator --port 0 --json > events.ndjson",
    )
    .action((flags: EmulatorOptions) => dispatch<EmulatorOptions>(() => import("./run.ts"), flags));
}

/**
 * Reads the name of a push service to behave as.
 *
 * @throws UserError `emulator-as`
 */
function parseAs(text: string): PersonalityId {
  const personality = parsePersonality(text);
  if (personality !== undefined) return personality;
  const close = nearest(text, personalityIds);
  throw new UserError("emulator-as", `there is no push service called ${JSON.stringify(text)}`, {
    hints: [
      ...(close === undefined ? [] : [`did you mean ${close}?`]),
      `use one of ${personalityIds.join(", ")}`,
    ],
  });
}
