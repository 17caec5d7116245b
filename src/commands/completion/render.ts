/**
 * Completion scripts, written out whole from the command tree: the shell never
 * has to start Node to complete a word.
 */
import type { CommandDescription, OptionDescription } from "../describe.ts";
import type { Shell } from "./command.ts";

/** The completion script of `shell` for `program`. */
export function completionScript(shell: Shell, program: CommandDescription): string {
  switch (shell) {
    case "bash":
      return bash(program);
    case "zsh":
      return zsh(program);
    case "fish":
      return fish(program);
    default:
      return shell satisfies never;
  }
}

/** Every command below the program, at any depth, by its path without the program's name. */
function pathsOf(
  program: CommandDescription,
): readonly (readonly [path: string, command: CommandDescription])[] {
  const below = (command: CommandDescription, prefix: string): [string, CommandDescription][] =>
    command.commands.flatMap((child) =>
      [child.name, ...child.aliases].flatMap((name) => {
        const path = prefix === "" ? name : `${prefix} ${name}`;
        return [[path, child] as [string, CommandDescription], ...below(child, path)];
      }),
    );
  return [["", program], ...below(program, "")];
}

function flagsOf(command: CommandDescription): readonly string[] {
  return command.options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
}

function wordsOf(command: CommandDescription): readonly string[] {
  const choices = command.arguments.flatMap((argument) => argument.choices);
  return [...command.commands.map(({ name }) => name), ...choices];
}

function valuesOf(command: CommandDescription): readonly OptionDescription[] {
  return command.options.filter(({ choices }) => choices.length > 0);
}

function bash(program: CommandDescription): string {
  const cases = pathsOf(program).map(([path, command]) => {
    const words = [...wordsOf(command), ...flagsOf(command), "--help"].join(" ");
    return `    "${path}") words="${words}" ;;`;
  });
  // The same flag may take other values in another command: `--format`.
  const values = pathsOf(program).flatMap(([path, command]) =>
    valuesOf(command).map(
      ({ long, choices }) =>
        `    "${path} ${long ?? ""}") COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`,
    ),
  );
  const paths = pathsOf(program)
    .map(([path]) => path)
    .filter((path) => path !== "");
  return `# bash completion for webpush
_webpush() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.map((path) => `"${path}"`).join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${values.join("\n")}
  esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _webpush webpush
`;
}

function zsh(program: CommandDescription): string {
  const quote = (text: string): string => text.replace(/[[\]:'"\\`$]/g, " ");
  const cases = pathsOf(program).map(([path, command]) => {
    const words = command.commands.map(({ name, summary }) => `'${name}:${quote(summary)}'`);
    const choices = command.arguments.flatMap((argument) => argument.choices).map((choice) => `'${choice}'`);
    const flags = command.options.map(({ long, short, doc }) => `'${long ?? short ?? ""}:${quote(doc)}'`);
    return `    "${path}")\n      commands=(${[...words, ...choices].join(" ")})\n      flags=(${flags.join(" ")}) ;;`;
  });
  const paths = pathsOf(program)
    .map(([path]) => path)
    .filter((path) => path !== "");
  return `#compdef webpush
_webpush() {
  local -a commands flags
  local path_="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${path_:+$path_ }$word" in
      ${paths.map((path) => `"${path}"`).join("|")}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_" in
${cases.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe 'flag' flags
  else
    (( \${#commands} )) && _describe 'command' commands
    _files
  fi
}
if [[ "$funcstack[1]" = "_webpush" ]]; then _webpush "$@"; else compdef _webpush webpush; fi
`;
}

function fish(program: CommandDescription): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = pathsOf(program).flatMap(([path, command]) => {
    const when = condition(path, command);
    const children = command.commands.map(({ name, summary }) => `-a ${name} -d ${quote(summary)}`);
    const choices = command.arguments.flatMap((argument) => argument.choices).map((choice) => `-a ${choice}`);
    const flags = command.options.map((option) => fishFlag(option, quote));
    return [...children, ...choices, ...flags].map((rest) => `complete -c webpush -n ${quote(when)} ${rest}`);
  });
  return `# fish completion for webpush\n${lines.join("\n")}\n`;
}

function fishFlag(
  { long, short, doc, takesValue, choices }: OptionDescription,
  quote: (text: string) => string,
): string {
  return [
    long === undefined ? "" : `-l ${long.slice(2)}`,
    short === undefined ? "" : `-s ${short.slice(1)}`,
    takesValue ? "-r" : "",
    choices.length > 0 ? `-f -a ${quote(choices.join(" "))}` : "",
    `-d ${quote(doc)}`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function condition(path: string, command: CommandDescription): string {
  if (path === "") return "__fish_use_subcommand";
  const seen = path
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
  const deeper = command.commands.map(({ name }) => name).join(" ");
  return deeper === "" ? seen : `${seen}; and not __fish_seen_subcommand_from ${deeper}`;
}
