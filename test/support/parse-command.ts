/** What a command line comes to: the options that a runner would get, without running it. */
import { withoutGlobalOptions } from "../../src/cli/global-options.ts";
import { openProgram } from "../../src/cli/program.ts";

/** The options that `webpush …argv` hands to its runner; functions and what is undefined left out. */
export async function parseCommand(argv: readonly string[]): Promise<unknown> {
  let options: unknown;
  const program = await openProgram(argv, {
    version: "1.2.3",
    dispatch: (_load, given) => {
      options = withoutGlobalOptions(given);
      return Promise.resolve();
    },
    prepare: (tree) => tree.configureOutput({ writeOut: () => undefined, writeErr: () => undefined }),
  });
  await program.parseAsync([...argv], { from: "user" });
  const entries = Object.entries(options as Readonly<Record<string, unknown>>);
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined && typeof value !== "function"),
  );
}
