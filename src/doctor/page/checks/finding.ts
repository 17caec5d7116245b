/** How the checks of a page make their findings, and what several of them ask. */
import type { Check, Finding } from "../../check.ts";
import type { PageFacts } from "../facts.ts";
import { callsOf, propertyOf, receiverOf, type Call, type Located } from "../names.ts";
import type { Page } from "../page.ts";
import { placeOf } from "../places.ts";
import { lastName } from "../script.ts";

/** A check that is only asked when there is a page. */
export function pageCheck(
  about: Pick<Check<PageFacts>, "id" | "title" | "why">,
  look: (page: Page, facts: PageFacts) => readonly Finding[],
): Check<PageFacts> {
  return {
    ...about,
    needs: "nothing",
    examine: (facts) => (facts.page === undefined ? [] : look(facts.page, facts)),
  };
}

export function good(what: string): readonly Finding[] {
  return [{ level: "good", what }];
}

/** The findings, or that all is well when there are none. */
export function orGood(findings: readonly Finding[], what: string): readonly Finding[] {
  return findings.length > 0 ? findings : good(what);
}

/** `public/sw.js:12`. */
export function whereIs(page: Page, { script, node }: Located): string {
  return whereFile(page, script.path, script.lineOf(node));
}

export function whereFile(page: Page, path: string, line?: number): string {
  const file = page.files.shown === "." ? path : `${page.files.shown.replace(/\/$/, "")}/${path}`;
  return line === undefined ? file : `${file}:${line}`;
}

/** Why something that was not found may be there all the same; undefined when everything was read. */
export function blindSpot(page: Page): string | undefined {
  const [unread] = page.unread;
  if (unread !== undefined) return `${unread.path} was not read`;
  const [leftOut] = page.files.leftOut;
  if (leftOut !== undefined) return `${leftOut.path} was not read`;
  for (const html of page.htmls) {
    for (const { src } of html.scripts) {
      if (src === undefined) continue;
      const place = placeOf(src, html.path);
      if (place.kind !== "inside" || !page.files.texts.has(place.path)) return `${src} is not in the folder`;
    }
  }
  return page.htmls.length === 0 ? "there is no HTML file in the folder" : undefined;
}

/** Every call of `pushManager.subscribe()` in the page's scripts. */
export function subscribeCalls(page: Page): readonly Located<Call>[] {
  return page.scripts.flatMap((script) =>
    callsOf(script, "subscribe").filter((call) => isPushSubscribe(call)),
  );
}

export function isPushSubscribe({ script, node }: Located<Call>): boolean {
  const receiver = receiverOf(node);
  if (receiver !== undefined && lastName(receiver) === "pushManager") return true;
  const [options] = node.arguments;
  if (options === undefined) return false;
  const names = ["userVisibleOnly", "applicationServerKey"];
  return names.some((name) => typeof propertyOf({ script, node: options }, name) !== "string");
}
