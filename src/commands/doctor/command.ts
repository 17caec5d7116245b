/** `webpush doctor`: flags only. */
import { Command, Option } from "commander";
import { settings, type SettingName } from "../../settings/table.ts";
import { collect, type Dispatch } from "../dispatch.ts";

export interface DoctorOptions {
  readonly dir: string | undefined;
  readonly online: boolean;
  readonly strict: boolean;
  readonly only: readonly string[];
  readonly list: boolean;
  readonly ask: boolean;
  readonly timeout: number | undefined;
  readonly proxy: string | undefined;
  readonly ca: string | undefined;
}

export function doctorCommand(dispatch: Dispatch): Command {
  return new Command("doctor")
    .summary("find out why pushes fail, or will, and say what to do")
    .description(
      "Check Node, files, keys, subscriptions, settings and the page in a folder, and\n" +
        "say what to do about what is wrong. Asks nobody outside unless --online is\n" +
        "given; no push is ever sent.",
    )
    .argument("[dir]", "folder of your page; default public, or here when a page is here")
    .option("--online", "also visit the push services: name, proxy, certificate, HTTP/2, clock", false)
    .option("--strict", "exit with 1 for warnings too", false)
    .addOption(
      new Option("--only <id>", "only this check, or those whose ids begin so; repeatable")
        .argParser(collect)
        .default([], "all"),
    )
    .option("--list", "print every check and why it matters, and look at nothing", false)
    .option("--ask", "find out by questions why an accepted message does not appear", false)
    .addOption(ownOption("timeout"))
    .addOption(ownOption("proxy"))
    .addOption(ownOption("ca"))
    .addHelpText(
      "after",
      `
The exit code is that of the worst: 0 without problems, 4 when all are about
keys and contact, 5 when nobody is left to send to, 6 when all are about the
network, else 1.

Examples:
  $ webpush doctor
  $ webpush doctor --online --only network
  $ webpush doctor public --strict --json
  $ webpush doctor --ask`,
    )
    .action((dir: string | undefined, flags: Omit<DoctorOptions, "dir">) =>
      dispatch<DoctorOptions>(() => import("./run.ts"), { dir, ...flags }),
    );
}

/**
 * A flag with the meaning of a setting that the project's settings do not fill: they are looked at
 * here, and one that does not read is a finding and not the end of the run. The runner reads them.
 */
function ownOption(name: SettingName): Option {
  const { flag, doc, parse } = settings[name];
  return new Option(flag.replace(/<.*>/, "<value>"), doc).argParser<unknown>((text) => parse(text));
}
