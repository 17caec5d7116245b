/** docs/nothing-appears.md: the questions of `webpush doctor --ask`, to be read. */
import { verdicts } from "../../dist/doctor/nothing-appears/verdicts.js";
import { questions } from "../../dist/doctor/questions.js";
import { generatedNote } from "./markdown.mjs";

/** The page for somebody whose message was accepted and is not to be seen. */
export function nothingAppearsPage() {
  return `${generatedNote}

# Accepted, and nothing appears

A push service that answers 201 has taken the message. It does not say that a device got it, and still less that
somebody sees it. \`webpush doctor --ask\` asks its way to the cause at a terminal, and leaves out what your project's
records answer; here is the same to read. Before that, \`webpush doctor\` looks at what it can see by itself: your page, its
worker, keys and subscriptions.

## The questions

Begin with the first; each answer says where to go on.

${questions.map(questionSection).join("\n")}
## What it may be

${verdicts.map(verdictSection).join("\n")}`;
}

function questionSection({ id, asks, answers }) {
  return `### ${id}

${asks}

${answers.map(({ says, next }) => `- ${says}: [${next}](#${next})`).join("\n")}
`;
}

function verdictSection({ id, what, fix }) {
  return `### ${id}

${what}

${fix.map((step, at) => `${at + 1}. ${step}`).join("\n")}
`;
}
