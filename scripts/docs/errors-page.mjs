/** docs/errors.md: every error code, every cause of a failed delivery, every finding. */
import { readFileSync } from "node:fs";
import { exitCodeOf } from "../../dist/commands/exit-code.js";
import { Counter, exitCodeFor } from "../../dist/commands/send/tally.js";
import { sections } from "../../dist/doctor/checks.js";
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
  // The last one is counted by the database, where a campaign meets nobody any more.
  const skipped = pair("skipped", notes.skipped, [...scanWords("Skipped", "cause"), "recipient.removed"]);
  // The others of them are causes of `send` too, and stand there.
  const ofProbes = scanWords("Unasked", "cause").filter((id) => id.startsWith("probe."));
  const unasked = pair("unasked", notes.unasked, ofProbes);
  const findings = pair("findings", notes.findings, scanWords("Finding", "id"));
  return `${generatedNote}

# What can go wrong

Every id here is permanent: search for it, match on it in scripts. Texts may change.

- [Errors](#errors): a command could not begin or finish; \`--json\` prints \`{"error":{"code":…}}\`
- [Causes](#causes): what became of one message; \`cause\` in the records of \`webpush send --json\`
- [Checks](#checks): what \`webpush doctor\` looks at; \`check\` in its \`--json\` records
- [Findings](#findings): what \`webpush subscriptions check\` has to say

## Errors

${table(
  ["code", "exit code", "when", "what to do"],
  errors.map(({ code: name, exits, when, fix }) => [code(name), exits.join(", "), when, fix]),
)}

## Causes

Each cause says what became of one message. *Retry* says whether sending again can help, *subscription* what becomes of a
stored one, *exit code* what \`webpush send\` ends with when nothing else happened.

${causeSections()}
### Not sent at all

No request was made; \`outcome\` is \`skipped\`.

${skipped.map(skippedSection).join("\n")}
### Not asked

By \`webpush subscriptions check --online\`; \`probe\` is \`not-asked\`. See [dead-subscriptions.md](dead-subscriptions.md).

${unasked.map(skippedSection).join("\n")}
## Checks

\`webpush doctor\` looks at these; those of the network with \`--online\` only, and without sending a push. \`--only\` takes an id
or its beginning.

${sections.map(checkSection).join("\n\n")}

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
      return `### ${nameOf(service)}\n\n${rows.map(causeSection).join("\n")}`;
    })
    .join("\n");
}

function causeSection(row) {
  const facts = [
    ["outcome", code(row.outcome)],
    ["exit code", String(exitCodeAlone(row))],
    ["retry", row.outcome === "accepted" ? undefined : retryOf(row)],
    ["subscription", subscriptions[row.subscription]],
    ["the answer", row.example === undefined ? undefined : exampleOf(row.example)],
    ["source", row.source],
  ];
  return `#### ${code(row.id)}

${sentence(row.meaning)} **What to do:** ${row.advice}.

${factLines(facts)}
`;
}

/** The checks of one subject. */
function checkSection({ title, checks }) {
  return `### ${title}\n\n${table(
    ["check", "looks at", "why"],
    checks.map(({ id, title: what, why }) => [code(id), what, why]),
  )}`;
}

/** What a run ends with in which nothing but this happened. */
function exitCodeAlone({ outcome, id }) {
  const counter = new Counter();
  counter.count({ outcome, cause: id });
  return exitCodeFor(counter.tally(), { excused: 0, stopped: false });
}

function retryOf({ haltOrigin, retry }) {
  return haltOrigin === true ? `${retries.no}; nothing more to this service in this run` : retries[retry];
}

const retries = {
  no: "does not help",
  backoff: "after a while",
  after: "after the time the service asks for, or a while",
  once: "once, and no more",
};

const subscriptions = {
  keep: "kept",
  delete: "taken for gone, with guards, and not sent to again",
  "wrong-key":
    "kept, marked as made with another key, and left out of broadcasts until its page is visited ([rotation.md](rotation.md))",
  suspect: "kept; look at it when this happens again",
};

/** Status, headers that tell, and body, as one line of code. */
function exampleOf({ status, headers = {}, body = "" }) {
  const lines = Object.entries(headers)
    .filter(([name]) => !["content-type", "cache-control"].includes(name))
    .map(([name, value]) => `${name}: ${value}`);
  const words = body.replace(/<[^>]*>|\s+/g, " ").trim();
  return [String(status), ...lines, ...(words === "" ? [] : [words])].map((part) => code(part)).join(" ");
}

function skippedSection([id, { when, fix }]) {
  return `#### ${code(id)}\n\n${sentence(when)} **What to do:** ${fix}.\n`;
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function factLines(facts) {
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join("\n");
}

function nameOf(service) {
  if (service === "any") return "Any service";
  const name = pushServices.find(({ id }) => id === service)?.name ?? service;
  return name.charAt(0).toUpperCase() + name.slice(1);
}
