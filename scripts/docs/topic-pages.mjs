/** docs/exit-codes.md and docs/environment.md: the help topics of the same names. */
import { environmentText } from "../../dist/commands/help/render.js";
import { exitCodeMeanings } from "../../dist/commands/exit-code.js";
import { code, generatedNote, table } from "./markdown.mjs";

/** The page about exit codes: \`webpush help exit-codes\`, and how to use them. */
export function exitCodesPage() {
  const rows = Object.entries(exitCodeMeanings).map(([number, meaning]) => [number, meaning]);
  return `${generatedNote}

# Exit codes

${table(["code", "what it means"], rows)}

The summary that \`webpush send\` prints and its exit code come from the same counts, and the counts add up to the
number of recipients. With \`--json\`, a command that fails as a whole prints one more object,
\`{"error":{"code":…,"message":…,"hints":[…],"exitCode":…}}\`; the codes are in [errors.md](errors.md).

\`\`\`sh
webpush send --to tag:news --ttl 1h "Three new articles"
case $? in
  0) ;;                                   # all accepted
  3) echo "some were not accepted" ;;     # the failures are grouped on stderr
  6) echo "try again later" ;;            # throttled, 5xx, network
  *) exit 1 ;;
esac
\`\`\`
`;
}

/** The page about environment variables: \`webpush help environment\`. */
export function environmentPage(program) {
  return `${generatedNote}

# Environment variables

A flag goes before its twin in the environment, the twin before a setting of the project (${code("webpush config")}),
that before the default. An empty variable counts as unset.

\`\`\`text
${environmentText(program, Infinity).join("\n")}
\`\`\`
`;
}
