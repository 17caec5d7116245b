/** `webpush listen`: flags only. */
import { Command, Option } from "commander";
import { UserError } from "../../base/errors.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../../protocol/vapid.ts";
import { parseCount, parseTimeout } from "../../settings/table.ts";
import type { Dispatch } from "../dispatch.ts";

export interface ListenOptions {
  readonly service: string;
  readonly name: string | undefined;
  readonly key: VapidPublicKey | undefined;
  readonly save: string | undefined;
  readonly exec: string | undefined;
  readonly forwardTo: string | undefined;
  readonly count: number | undefined;
  readonly timeout: number | undefined;
  readonly unregister: boolean;
}

/** Mozilla's public service: a real endpoint without a browser. */
const mozilla = "wss://push.services.mozilla.com/";

export function listenCommand(dispatch: Dispatch): Command {
  return new Command("listen")
    .summary("be a subscriber in the terminal: print every push received")
    .description(
      "Subscribe at a push service and print each message, decrypted, as it arrives.\n" +
        "The subscription is kept, so what is sent while this is off arrives later;\n" +
        "--unregister ends it. Exits 6 when --timeout passes with too few messages.",
    )
    .addOption(
      new Option("--service <url>", "address of an autopush service, ws: or wss:")
        .argParser(parseService)
        .default(mozilla, "Mozilla's, wss://push.services.mozilla.com"),
    )
    .option("--name <name>", "which subscription, to keep several; default one per service")
    .option("--key <key>", "VAPID public key that may send; default this project's", parseVapidPublicKey)
    .option("--save <name>", "store the subscription, so that `send --to <name>` reaches it")
    .option("--exec <command>", "run this with the payload on stdin, WEBPUSH_MESSAGE_* set")
    .addOption(new Option("--forward-to <url>", "post each payload to this address").argParser(parseTarget))
    .option("--count <n>", "stop after so many messages", (text) => parseCount("count", text, 1_000_000))
    .option("--timeout <time>", "stop after this long: 30s, 2m", parseTimeout)
    .option("--unregister", "end the kept subscription instead of listening", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush listen --save me\n" +
        "  $ webpush listen --service ws://127.0.0.1:8030 --count 1 --timeout 30s --json\n" +
        "  $ webpush listen --exec 'jq -r .notification.title'\n" +
        "  $ webpush listen --unregister",
    )
    .action((flags: ListenOptions) => dispatch<ListenOptions>(() => import("./run.ts"), flags));
}

/**
 * Reads the address of an autopush service.
 *
 * @throws UserError `listen-service`
 */
function parseService(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["ws:", "wss:"].includes(url.protocol) && url.hash === "") return url.href;
  throw new UserError("listen-service", `${JSON.stringify(text)} is not the address of a push service`, {
    hints: ["give a WebSocket address such as ws://127.0.0.1:8030"],
  });
}

/**
 * Reads the address to forward to.
 *
 * @throws UserError `forward-url`
 */
function parseTarget(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return url.href;
  throw new UserError("forward-url", `${JSON.stringify(text)} is not an address to forward to`, {
    hints: ["give an http or https address such as http://localhost:3000/push"],
  });
}
