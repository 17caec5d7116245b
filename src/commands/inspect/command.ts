/** `webpush inspect`: flags only. */
import { Command, Option } from "commander";
import { inspectionKinds, type InspectionKind } from "../../inspection/inspection.ts";
import { parseEndpoint, type Endpoint } from "../../protocol/subscription.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../../protocol/vapid.ts";
import { choiceOption, type Dispatch } from "../dispatch.ts";

export interface InspectOptions {
  /** The thing itself, a file that holds it, or `-`; undefined reads what is piped in. */
  readonly thing: string | undefined;
  readonly as: InspectionKind | undefined;
  readonly for: Endpoint | undefined;
  readonly key: VapidPublicKey | undefined;
  /** A name that `webpush listen` goes by. */
  readonly receiver: string | undefined;
  readonly receiverKeys: string | undefined;
  readonly reveal: boolean;
}

export function inspectCommand(dispatch: Dispatch): Command {
  return new Command("inspect")
    .summary("explain a subscription, key, token, body, request or cause")
    .description(
      "Explain what you have: a subscription, an endpoint, a VAPID key, a token or\n" +
        "whole Authorization header, an encrypted body, a HAR entry, a curl command, a\n" +
        "push service's answer (curl --include), or the id of a cause. Nothing is sent.",
    )
    .argument("[thing]", "the thing itself, a file that holds it, or - for stdin")
    .addOption(choiceOption("--as <kind>", "what it is, where that is guessed wrong", inspectionKinds))
    .addOption(
      new Option("--for <endpoint>", "the endpoint that a token or an answer belongs to").argParser(
        parseEndpoint,
      ),
    )
    .addOption(
      new Option("--key <publicKey>", "public key to check a token with that brings none").argParser(
        parseVapidPublicKey,
      ),
    )
    .option("--receiver <name>", "decrypt a body as this subscription of webpush listen")
    .option("--receiver-keys <file>", "decrypt a body with the privateKey and auth in this JSON file")
    .option("--reveal", "show endpoints whole; who has one can send to it", false)
    .addHelpText(
      "after",
      `
The exit code is 0 when nothing is wrong with it, 1 when something is, and 2
when it cannot be read.

Examples:
  $ webpush inspect subscription.json
  $ webpush inspect fcm.key-mismatch
  $ pbpaste | webpush inspect -
  $ webpush inspect devtools.har --receiver default`,
    )
    .action((thing: string | undefined, flags: Omit<InspectOptions, "thing">) =>
      dispatch<InspectOptions>(() => import("./run.ts"), {
        thing,
        as: flags.as,
        for: flags.for,
        key: flags.key,
        receiver: flags.receiver,
        receiverKeys: flags.receiverKeys,
        reveal: flags.reveal,
      }),
    );
}
