/** docs/cli.md: every command with its arguments, flags and examples. */
import { twinOf } from "../../dist/settings/environment.js";
import { code, generatedNote, table } from "./markdown.mjs";

/** The page about every command. */
export function cliPage(program) {
  return `${generatedNote}

# Commands

${commandTable(program, "")}

Every command also has the [flags that work everywhere](#everywhere). Each flag has a twin in the environment:
\`--ttl 600\` is \`WEBPUSH_TTL=600\` ([environment.md](environment.md)); the flag goes before it. What \`--json\` prints is
in [json.md](json.md), what a script can conclude from the exit code in [exit-codes.md](exit-codes.md).

${program.commands.map((command) => section(command, 2)).join("\n")}
## Everywhere

${optionTable(program.options)}
`;
}

/** Commands and what they are for, linked to their sections on the page at `page`; the README has the table too. */
export function commandTable(program, page) {
  const rows = program.commands.map(({ name, summary, path }) => [
    `[${code(name)}](${page}#${path.replaceAll(" ", "-")})`,
    summary,
  ]);
  return table(["command", "what it does"], rows);
}

function section(command, level) {
  const { path, usage, aliases, description, arguments: parameters, options, commands, help } = command;
  const own = options.filter(({ isGlobal }) => !isGlobal);
  const parts = [
    `${"#".repeat(level)} ${path}`,
    sentences(description),
    fenced(`${path} ${usage}`.trim()),
    ...(aliases.length > 0 ? [`Also: ${aliases.map(code).join(", ")}.`] : []),
    ...(parameters.length > 0 ? [table(["argument", "what it is"], parameters.map(parameterRow))] : []),
    ...(own.length > 0 ? [optionTable(own)] : []),
    ...examplesOf(help),
  ];
  return [`${parts.join("\n\n")}\n`, ...commands.map((child) => section(child, level + 1))].join("\n");
}

function sentences(description) {
  return description.replaceAll("\n", " ");
}

function parameterRow({ name, doc, choices }) {
  const words = choices.length > 0 ? `${doc} (${choices.map(code).join(", ")})` : doc;
  return [code(name), words];
}

function optionTable(options) {
  const rows = options.map((option) => [
    code(option.flags),
    meaning(option),
    fallbackOf(option),
    twin(option),
  ]);
  return table(["flag", "what it does", "default", "environment"], rows);
}

function meaning({ doc, choices }) {
  return choices.length > 0 ? `${doc}: ${choices.map(code).join(", ")}` : doc;
}

function fallbackOf({ fallback }) {
  return fallback === undefined || fallback === "[]" ? "" : fallback;
}

function twin({ long }) {
  return long === undefined || long === "--version" ? "" : code(twinOf(long));
}

/** The examples at the end of a help text. */
function examplesOf(help) {
  const [, examples] = /\nExamples?:\n((?: {2}.*\n?)+)/.exec(help) ?? [];
  return examples === undefined ? [] : [fenced(examples.replace(/^ {2}/gm, "").trimEnd())];
}

function fenced(text) {
  return `\`\`\`sh\n${text.replace(/^\$ /gm, "")}\n\`\`\``;
}
