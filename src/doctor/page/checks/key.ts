/** Checks of the key that a page subscribes with. */
import type { AnyNode } from "acorn";
import { parseBase64 } from "../../../base/bytes.ts";
import { isP256Point, pointBytes } from "../../../protocol/p256.ts";
import type { Check, Finding } from "../../check.ts";
import type { PageFacts, PageKeys } from "../facts.ts";
import { textsOf, type Located } from "../names.ts";
import type { Page } from "../page.ts";
import { keyName, literalText } from "../script.ts";
import { pageCheck, subscribeCalls, whereIs } from "./finding.ts";
import { optionOf } from "./subscribe.ts";

export const keyChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.subscribe.key",
      title: "the page's key",
      why: "a subscription takes pushes of the one key it was made with; a server that signs with another is refused",
    },
    (page, { keys }) => {
      const missing = subscribeCalls(page).flatMap((call): readonly Finding[] => {
        if (optionOf(page, call, "applicationServerKey") !== "absent") return [];
        const fix = "pass applicationServerKey with your public key; `webpush keys` shows it";
        return [
          {
            level: "problem",
            what: "subscribes without a key",
            fix,
            where: whereIs(page, call),
            about: "credentials",
          },
        ];
      });
      if (missing.length > 0) return missing;
      if (subscribeCalls(page).length === 0) return [];
      const found = keysIn(page);
      if (found.length > 0) return found.map((one) => keyFinding(page, one, keys));
      return [
        {
          level: "skipped",
          what: "the key is not written in the page's files; they may ask the server for it",
        },
      ];
    },
  ),
  pageCheck(
    {
      id: "page.subscribe.key-form",
      title: "spelling of the key",
      why: "as a string a key must be base64url without padding; anything else is an InvalidCharacterError",
    },
    (page) =>
      subscribeCalls(page).flatMap((call): readonly Finding[] => {
        const option = optionOf(page, call, "applicationServerKey");
        if (typeof option === "string") return [];
        const texts = textsOf({ script: call.script, node: option }, page.sources);
        if (texts.length === 0) return [{ level: "good", what: "handed over as bytes" }];
        if (texts.every((text) => !/[+/=]/.test(text))) return [{ level: "good", what: "base64url" }];
        const fix = "write - for +, _ for /, and leave out the =; `webpush keys` shows it that way";
        return [
          {
            level: "problem",
            what: "the key is a string of ordinary base64",
            fix,
            where: whereIs(page, call),
            about: "credentials",
          },
        ];
      }),
  ),
];

/** A text in the page that is, or should be, a public key. */
interface FoundKey extends Located {
  readonly kind: "key" | "off-curve" | "wrong-type" | "placeholder";
  /** As base64url without padding. */
  readonly key: string;
}

function keysIn(page: Page): readonly FoundKey[] {
  const scripts = new Set([...page.scripts, ...page.workers.flatMap((worker) => worker.scripts)]);
  const found = new Map<string, FoundKey>();
  for (const script of scripts) {
    for (const node of script.nodes) {
      const text = literalText(node);
      if (text === undefined || text.length > 400) continue;
      const kind =
        kindOf(text) ?? (isNamedKey(node, script.parents) && isPlaceholder(text) ? "placeholder" : undefined);
      if (kind === undefined) continue;
      const key = kind === "placeholder" ? text : spell(text);
      if (!found.has(key)) found.set(key, { script, node, kind, key });
    }
  }
  // A placeholder beside a real key is the text of some message.
  const all = [...found.values()];
  const real = all.filter(({ kind }) => kind === "key");
  return real.length > 0 ? real : all;
}

/** What a text is, going by its bytes alone. */
function kindOf(text: string): FoundKey["kind"] | undefined {
  if (!/^[\w+/-]{80,180}={0,2}$/.test(text)) return undefined;
  const bytes = parseBase64(spell(text));
  if (bytes === undefined) return undefined;
  if (bytes.length === pointBytes && bytes[0] === 4) return isP256Point(bytes) ? "key" : "off-curve";
  // SubjectPublicKeyInfo of a P-256 key: what `openssl ec -pubout` writes.
  return text.startsWith("MFkwEwYHKoZIzj0") ? "wrong-type" : undefined;
}

function spell(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function isPlaceholder(text: string): boolean {
  return /your|replace|insert|paste|placeholder|change.?me|todo|x{4}|^<.*>$|\.\.\.|…/i.test(text);
}

/** Whether a literal is given a name like a VAPID key's. */
function isNamedKey(node: AnyNode, parents: ReadonlyMap<AnyNode, AnyNode>): boolean {
  for (
    let at = parents.get(node), steps = 0;
    at !== undefined && steps < 3;
    at = parents.get(at), steps += 1
  ) {
    const name =
      at.type === "VariableDeclarator"
        ? keyName(at.id)
        : at.type === "Property"
          ? keyName(at.key)
          : at.type === "AssignmentExpression"
            ? keyName(at.left)
            : undefined;
    if (name !== undefined) return /vapid|application_?server_?key|public_?key/i.test(name);
  }
  return false;
}

function keyFinding(page: Page, { kind, key, ...at }: FoundKey, keys: PageKeys): Finding {
  const where = whereIs(page, at);
  const fix =
    keys.current === undefined ? "put in the key that `webpush keys` shows" : `put in ${keys.current}`;
  const problem = (what: string): Finding => ({ level: "problem", what, fix, where, about: "credentials" });
  if (kind === "placeholder") return problem("there is still a placeholder in the place of the key");
  if (kind === "off-curve") return problem("the key is no point of the curve P-256: a letter of it is wrong");
  if (kind === "wrong-type") return problem("the key is in PEM's form, which browsers do not take");
  const shown = `${key.slice(0, 12)}…`;
  if (keys.all.length === 0) {
    return {
      level: "skipped",
      what: `the page subscribes with ${shown}; this project has no keys to compare it with`,
      where,
    };
  }
  if (key === keys.current) return { level: "good", what: "is this project's key" };
  if (keys.all.includes(key)) {
    return {
      level: "warning",
      what: `the page still subscribes with an older key of this project, ${shown}`,
      fix,
      where,
    };
  }
  return problem(
    `the page subscribes with ${shown}, which is no key of this project: pushes will be refused`,
  );
}
