/** Checks that nothing secret lies in the folder that is served. */
import type { Check, Finding } from "../../check.ts";
import type { PageFacts } from "../facts.ts";
import { parseBase64 } from "../../../base/bytes.ts";
import { pageCheck, orGood, whereFile } from "./finding.ts";

export const secretChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.secrets.key",
      title: "no private key in the folder",
      why: "whoever has the private key can push to all your visitors in your name",
    },
    (page, { keys }) => {
      const secrets = keys.privateKeys.map((secret) => secret.reveal());
      return orGood(
        [...page.files.texts].flatMap(([path, text]): readonly Finding[] => {
          const at = secretIn(text, secrets);
          if (at === undefined) return [];
          return [
            {
              level: "problem",
              what: at.isOurs
                ? "the private key of this project is in a file of the page"
                : "a private key is in a file of the page",
              fix: "take it out; if the page was ever online, make a new pair with `webpush keys`",
              where: whereFile(page, path, lineAt(text, at.index)),
              about: "credentials",
            },
          ];
        }),
        "none seen",
      );
    },
  ),
  pageCheck(
    {
      id: "page.secrets.files",
      title: "no secret files in the folder",
      why: "many servers hand out files whose names begin with a dot, to anybody who asks",
    },
    (page) =>
      orGood(
        page.files.hidden
          .filter((name) => name === ".webpush" || /^\.env(?:\.|$)/.test(name.split("/").at(-1) ?? ""))
          .filter((name) => !/\.(?:example|sample|template)$/.test(name))
          .map((name) => ({
            level: "problem",
            what: `${name} lies in the folder of the page`,
            fix: "move it out of the folder that is served",
            where: whereFile(page, name),
            about: "credentials",
          })),
        "none seen",
      ),
  ),
];

interface Secret {
  readonly index: number;
  readonly isOurs: boolean;
}

/** Where a private key stands in a text: the project's own, PEM, JWK, or one that is called so. */
function secretIn(text: string, secrets: readonly string[]): Secret | undefined {
  for (const secret of secrets) {
    const index = text.indexOf(secret);
    if (index !== -1) return { index, isOurs: true };
  }
  const pem = /-----BEGIN (?:EC )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}/.exec(text);
  if (pem !== null) return { index: pem.index, isOurs: false };
  const named = text.matchAll(
    /(?:private_?key|vapid_?private\w*|["']d["'])["'\s]{0,4}[:=]\s{0,4}["']?([\w-]{43})(?![\w-])/gi,
  );
  for (const match of named) {
    if (parseBase64(match[1] ?? "")?.length === 32) return { index: match.index, isOurs: false };
  }
  return undefined;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
