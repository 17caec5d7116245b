/** `webpush campaigns`: flags only. */
import { Command, Option } from "commander";
import type { CampaignState } from "../../campaigns/campaign.ts";
import { parseCount } from "../../settings/table.ts";
import { choiceOption, type Dispatch } from "../dispatch.ts";

export interface ListOptions {
  readonly state: CampaignState | undefined;
  readonly limit: number;
}

export interface OneOptions {
  readonly id: string;
}

export type Action = "pause" | "resume" | "cancel";

export interface SteerOptions {
  readonly action: Action;
  readonly ids: readonly string[];
  readonly yes: boolean;
}

const states = [
  "running",
  "paused",
  "cancelled",
  "expired",
  "done",
] as const satisfies readonly CampaignState[];
const usualLimit = 20;

export function campaignsCommand(dispatch: Dispatch): Command {
  return new Command("campaigns")
    .summary("list, watch, pause, resume and cancel what workers send")
    .description(
      "Look after the messages that `webpush send --queue` left to workers. Each is known\n" +
        "by its id, or by an unambiguous beginning of it.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ webpush campaigns
  $ webpush campaigns watch 7k2m
  $ webpush campaigns pause 7k2m`,
    )
    .action(() => dispatch<ListOptions>(() => import("./list.ts"), { state: undefined, limit: usualLimit }))
    .addCommand(listCommand(dispatch))
    .addCommand(showCommand(dispatch))
    .addCommand(watchCommand(dispatch))
    .addCommand(pauseCommand(dispatch))
    .addCommand(resumeCommand(dispatch))
    .addCommand(cancelCommand(dispatch));
}

function listCommand(dispatch: Dispatch): Command {
  return new Command("list")
    .summary("list campaigns, newest first")
    .description("List campaigns, newest first: how far each has come, and since when.")
    .addOption(choiceOption("--state <state>", "only those", states))
    .addOption(
      new Option("--limit <n>", "at most so many")
        .argParser((text) => parseCount("limit", text, 100_000))
        .default(usualLimit),
    )
    .addHelpText("after", "\nExample:\n  $ webpush campaigns list --state running")
    .action((flags: ListOptions) => dispatch<ListOptions>(() => import("./list.ts"), { ...flags }));
}

function showCommand(dispatch: Dispatch): Command {
  return new Command("show")
    .summary("tell how one is doing, and what went wrong")
    .description(
      "Tell how a campaign is doing: who works on it, how fast, which push services take\n" +
        "nothing for now, and the failures by cause with what to do about each.",
    )
    .argument("<id>", "the campaign, or the beginning of its id")
    .addHelpText("after", "\nExample:\n  $ webpush campaigns show 7k2m")
    .action((id: string) => dispatch<OneOptions>(() => import("./show.ts"), { id }));
}

function watchCommand(dispatch: Dispatch): Command {
  return new Command("watch")
    .summary("follow one to its end")
    .description(
      "Follow a campaign to its end and exit as `send` would have; with 1 when it was\n" +
        "cancelled or expired before everyone was sent to. Ctrl-C ends the watching only.",
    )
    .argument("<id>", "the campaign, or the beginning of its id")
    .addHelpText("after", '\nExample:\n  $ id=$(webpush send --queue "Hello") && webpush campaigns watch $id')
    .action((id: string) => dispatch<OneOptions>(() => import("./watch.ts"), { id }));
}

function pauseCommand(dispatch: Dispatch): Command {
  return new Command("pause")
    .summary("send nothing more for now")
    .description("Send nothing more until it is resumed. What is in flight is finished; the end stays.")
    .argument("<ids...>", "campaigns, or the beginnings of their ids")
    .addHelpText("after", "\nExample:\n  $ webpush campaigns pause 7k2m")
    .action((ids: string[]) => steer(dispatch, "pause", ids, false));
}

function resumeCommand(dispatch: Dispatch): Command {
  return new Command("resume")
    .summary("go on where it was paused")
    .description("Go on with those who are not sent to yet.")
    .argument("<ids...>", "campaigns, or the beginnings of their ids")
    .addHelpText("after", "\nExample:\n  $ webpush campaigns resume 7k2m")
    .action((ids: string[]) => steer(dispatch, "resume", ids, false));
}

function cancelCommand(dispatch: Dispatch): Command {
  return new Command("cancel")
    .summary("send nothing more, for good")
    .description("Send nothing more, for good. What push services have taken cannot be called back.")
    .argument("<ids...>", "campaigns, or the beginnings of their ids")
    .option("-y, --yes", "do not ask", false)
    .addHelpText("after", "\nExample:\n  $ webpush campaigns cancel 7k2m")
    .action((ids: string[], { yes }: Pick<SteerOptions, "yes">) => steer(dispatch, "cancel", ids, yes));
}

function steer(dispatch: Dispatch, action: Action, ids: readonly string[], yes: boolean): Promise<void> {
  return dispatch<SteerOptions>(() => import("./steer.ts"), { action, ids, yes });
}
