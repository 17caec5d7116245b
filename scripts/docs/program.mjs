/** The command tree out of dist/, with the help of every command as it is printed. */
import { describeCommand } from "../../dist/commands/describe.js";
import { openProgram } from "../../dist/cli/program.js";

/** Every command by its description, each with `help`, the text of its `--help`, and its flags by group. */
export async function loadProgram() {
  let printed = "";
  const program = await openProgram(["--help"], {
    version: "0.0.0",
    dispatch: () => Promise.reject(new Error("documentation runs no command")),
    prepare: (tree) => {
      capture(tree, (text) => (printed += text));
    },
  });
  const helpOf = (command) => {
    printed = "";
    command.outputHelp();
    return printed;
  };
  return enrich(program, describeCommand(program), helpOf);
}

function capture(command, writeOut) {
  command.configureOutput({ writeOut, getOutHasColors: () => false });
  for (const child of command.commands) capture(child, writeOut);
}

function enrich(command, description, helpOf) {
  const groups = new Map(command.options.map((option) => [option.flags, option.helpGroupHeading]));
  return {
    ...description,
    help: helpOf(command),
    options: description.options.map((option) => ({ ...option, group: groups.get(option.flags) })),
    commands: description.commands.map((child, index) => enrich(command.commands[index], child, helpOf)),
  };
}
