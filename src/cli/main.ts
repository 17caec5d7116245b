/**
 * One run of the command line, from arguments to exit code.
 *
 * Everything of the process comes in through `Host`, so tests run it in-process.
 * What only a command or a failure needs is imported when there is one: each module
 * costs half a millisecond, and `--version` and `--help` get by with ten.
 */
import { CommanderError, type Command } from "commander";
import type { Dispatch } from "../commands/dispatch.ts";
import type { Context } from "../commands/context.ts";
import { ExitCode } from "../commands/exit-code.ts";
import { columnsOf } from "./columns.ts";
import { readGlobalOptions, withoutGlobalOptions } from "./global-options.ts";
import { openProgram } from "./program.ts";
import type { Host } from "./real-context.ts";

/** What package.json says of us. */
export interface About {
  readonly version: string;
  readonly bugsUrl: string;
}

/** Runs the command that `host.argv` names and answers its exit code; never throws. */
export async function main(host: Host, about: About): Promise<ExitCode> {
  let context: Context | undefined;
  let stores: AsyncDisposable | undefined;
  let exitCode: ExitCode = ExitCode.ok;
  let complaint: string | undefined;
  const dispatch: Dispatch = async (load, options) => {
    if (context === undefined) throw new Error("dispatched before the context was open");
    const { run } = await load();
    exitCode = await run(withoutGlobalOptions(options), context);
  };
  const prepare = async (command: Command): Promise<void> => {
    const [precedence, { openContext }, { refuseStrays }] = await Promise.all([
      import("./precedence.ts"),
      import("./real-context.ts"),
      import("./strays.ts"),
    ]);
    refuseStrays(command);
    precedence.applyEnvironment(command, host.env);
    ({ context, stores } = await openContext(host, readGlobalOptions(command), about.version));
    if (precedence.readsSettings(command)) precedence.applyProjectSettings(command, context.settings.read());
  };
  try {
    const program = await openProgram(host.argv, {
      version: about.version,
      dispatch,
      columns: host.isTerminal.out ? columnsOf(host.stdout) : undefined,
      prepare: (tree) => {
        captureOutput(tree, host, (text) => {
          complaint = text;
        });
      },
    });
    program.hook("preAction", (_program, command) => prepare(command));
    if (host.argv.length === 0) program.outputHelp();
    else await program.parseAsync([...host.argv], { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version end here too, printed by now.
    if (error instanceof CommanderError) {
      if (complaint !== undefined) await printUsageError(complaint, host);
      return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    }
    const [{ report }, { openIo }] = await Promise.all([import("./report.ts"), import("./real-context.ts")]);
    const said = context ?? { json: wantsJson(host), signal: host.signal, io: undefined };
    return report(error, {
      io: said.io ?? (await openIo(host, { quiet: false, verbose: false, color: wantsColour(host) })),
      signal: said.signal,
      json: said.json,
      bugReport: { versions: `webpush ${about.version}, ${host.platform}`, url: about.bugsUrl },
    });
  } finally {
    await stores?.[Symbol.asyncDispose]();
  }
}

/** commander's own words go to the host's streams; what it complains of is handed to `complain`. */
function captureOutput(command: Command, host: Host, complain: (text: string) => void): void {
  command.configureOutput({
    writeOut: (text) => void host.stdout.write(text),
    writeErr: (text) => void host.stderr.write(text),
    outputError: complain,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const child of command.commands) captureOutput(child, host, complain);
}

/** What commander complained of, in the form of all our errors. */
async function printUsageError(text: string, host: Host): Promise<void> {
  const [{ usageErrorJson, usageErrorText }, { wrapTalk }] = await Promise.all([
    import("./usage-error.ts"),
    import("../terminal/wrap.ts"),
  ]);
  const { stdout, stderr, isTerminal } = host;
  if (wantsJson(host)) stdout.write(usageErrorJson(text));
  stderr.write(
    wrapTalk(
      usageErrorText(text),
      (isTerminal.err ? columnsOf(stderr) : undefined) ?? Number.POSITIVE_INFINITY,
    ),
  );
}

/** What is known about JSON before flags are read. */
function wantsJson({ argv, env }: Host): boolean {
  const flags = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  return flags.includes("--json") || /^\s*(?:1|true|yes|on)\s*$/i.test(env["WEBPUSH_JSON"] ?? "");
}

/** What is known about colours before flags are read. */
function wantsColour({ argv }: Host): boolean {
  return !argv.includes("--no-color");
}
