/** docs/errors.md: every error code, every cause of a failed delivery, every finding. */
import { readFileSync } from "node:fs";
import { exitCodeOf } from "../../dist/commands/exit-code.js";
import { diagnoses } from "../../dist/protocol/diagnoses.js";
import { pushServices } from "../../dist/protocol/services.js";
import { code, generatedNote, table } from "./markdown.mjs";
import { scanUserErrors, scanWords } from "./source-scan.mjs";

const notesFile = "docs/error-notes.json";

/**
 * The page about everything that can go wrong.
 *
 * @throws when a code has no note in docs/error-notes.json, or a note no code
 */
export function errorsPage() {
  const notes = JSON.parse(readFileSync(new URL(`../../${notesFile}`, import.meta.url), "utf8"));
  const errors = collectErrors(notes.errors);
  const skipped = pair("skipped", notes.skipped, scanWords("Skipped", "cause"));
  const findings = pair("findings", notes.findings, scanWords("Finding", "id"));
  return `${generatedNote}

# What can go wrong

Every id here is permanent: search for it, match on it in scripts. Texts may change.

- [Errors](#errors): a command could not begin or finish; \`--json\` prints \`{"error":{"code":…}}\`
- [Causes](#causes): what became of one message; \`cause\` in the records of \`webpush send --json\`
- [Findings](#findings): what \`webpush subscriptions check\` has to say

## Errors

${table(
  ["code", "exit code", "when", "what to do"],
  errors.map(({ code: name, exits, when, fix }) => [code(name), exits.join(", "), when, fix]),
)}

## Causes

*retry* says whether sending again can help: \`no\`; \`backoff\`, after a while; \`after\`, after the time the service asks
for; \`once\`, and no more. *subscription* says what becomes of a stored one: \`keep\`; \`delete\`, taken for gone and not
sent to again; \`wrong-key\`, kept, made with another key; \`suspect\`, kept, look at it when it happens again.

${causeSections()}
### Not sent at all

No request was made; \`outcome\` is \`skipped\`.

${table(
  ["cause", "when", "what to do"],
  skipped.map(([id, { when, fix }]) => [code(id), when, fix]),
)}

## Findings

${table(
  ["finding", "when", "what to do"],
  findings.map(([id, { when, fix }]) => [code(id), when, fix]),
)}
`;
}

/** Codes of src/ with their notes, by name. */
function collectErrors(notes) {
  const found = scanUserErrors();
  const literal = new Map();
  for (const { code: name, kind } of found) {
    if (name !== undefined) literal.set(name, new Set([...(literal.get(name) ?? []), exitCodeOf(kind)]));
  }
  for (const { pattern, kind } of found) {
    const matching = Object.keys(notes).filter((name) => pattern?.test(name));
    if (pattern !== undefined && matching.length === 0)
      throw new Error(`${notesFile} has no note for ${pattern}`);
    for (const name of matching) literal.set(name, new Set([...(literal.get(name) ?? []), exitCodeOf(kind)]));
  }
  return pair("errors", notes, literal.keys()).map(([name, { when, fix }]) => {
    return { code: name, exits: [...literal.get(name)].sort((a, b) => a - b), when, fix };
  });
}

/** Notes by id, sorted; what has no note and what a note is left over of are errors. */
function pair(section, notes, ids) {
  const known = new Set(ids);
  const problems = [
    ...[...known].filter((id) => !Object.hasOwn(notes, id)).map((id) => `no note for ${id}`),
    ...Object.keys(notes)
      .filter((id) => !known.has(id))
      .map((id) => `a note for ${id}, which src/ does not have`),
  ];
  if (problems.length > 0) throw new Error(`${notesFile}, ${section}: ${problems.join("; ")}`);
  return Object.entries(notes).sort(([a], [b]) => (a < b ? -1 : 1));
}

function causeSections() {
  const services = [...new Set(diagnoses.map(({ service }) => service))];
  return services
    .map((service) => {
      const rows = diagnoses.filter((row) => row.service === service);
      return `### ${nameOf(service)}

${table(["cause", "outcome", "what it means", "what to do", "retry", "subscription"], rows.map(causeRow))}
`;
    })
    .join("\n");
}

function causeRow({ id, outcome, meaning, advice, retry, subscription, haltOrigin }) {
  const halt = haltOrigin === true ? "no, and nothing more to this service in this run" : retry;
  return [code(id), outcome, meaning, advice, halt, subscription];
}

function nameOf(service) {
  if (service === "any") return "Any service";
  const name = pushServices.find(({ id }) => id === service)?.name ?? service;
  return name.charAt(0).toUpperCase() + name.slice(1);
}
