/** `webpush worker`: flags only. Nothing here opens a store, a socket or a connection. */
import { Command, Option } from "commander";
import { allowHostOption, allowPrivateOption, settingOption, type Dispatch } from "../dispatch.ts";
import { parseAddress, parseChunks, parseOriginRate, type ListenAddress } from "./values.ts";

export interface WorkerOptions {
  /** How many chunks are worked on at a time. */
  readonly chunks: number;
  /** The most messages in flight, over all of them. */
  readonly concurrency: number;
  /** Messages begun per second at each push service, over all workers; undefined for no limit. */
  readonly originRate: number | undefined;
  readonly timeout: number;
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
  readonly allowHost: readonly string[];
  readonly allowPrivate: boolean;
  /** Where health and metrics are asked for; undefined for nowhere. */
  readonly health: ListenAddress | undefined;
  /** End when no campaign has anything left, instead of waiting for the next one. */
  readonly untilIdle: boolean;
  /** Undefined for the host's name and something random. */
  readonly name: string | undefined;
}

export function workerCommand(dispatch: Dispatch): Command {
  return new Command("worker")
    .summary("send queued campaigns from a database, beside others")
    .description(
      "Send what `webpush send --queue` put into the database: takes chunks of campaigns,\n" +
        "sends, records what became of everyone, and takes the next. Start as many as you\n" +
        "like, on any machine. Ctrl-C or SIGTERM gives its chunks back, exit code 0.",
    )
    .addOption(
      new Option("--chunks <n>", "chunks of about 1000 recipients at a time")
        .argParser(parseChunks)
        .default(2),
    )
    .addOption(settingOption("concurrency"))
    .addOption(
      new Option(
        "--origin-rate <n>",
        "the most messages begun per second at each push service, by all workers",
      ).argParser(parseOriginRate),
    )
    .optionsGroup("Network:")
    .addOption(settingOption("timeout"))
    .addOption(settingOption("proxy"))
    .addOption(settingOption("ca"))
    .addOption(allowHostOption())
    .addOption(allowPrivateOption())
    .optionsGroup("Running it:")
    .addOption(
      new Option(
        "--health <address>",
        "answer /livez, /readyz and /metrics here: 9464, 0.0.0.0:9464",
      ).argParser(parseAddress),
    )
    .option("--until-idle", "end when no campaign has anything left to send", false)
    .option("--name <name>", "what others see it as (default: host name and a random part)")
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush worker --store postgres://worker@db.example.net/push\n" +
        "  $ webpush worker --health 9464 --json >> worker.ndjson\n" +
        "  $ webpush worker --until-idle --origin-rate 500",
    )
    .action((flags: WorkerOptions) =>
      dispatch<WorkerOptions>(() => import("./run.ts"), {
        ...flags,
        originRate: flags.originRate,
        health: flags.health,
        name: flags.name,
      }),
    );
}
