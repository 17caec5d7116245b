/** The check of what could be read at all: everything else depends on it. */
import type { Check } from "../../check.ts";
import type { LeftOut, PageFacts } from "../facts.ts";
import { good, whereFile } from "./finding.ts";

export const fileChecks: readonly Check<PageFacts>[] = [
  {
    id: "page.files",
    title: "page read",
    why: "what could not be read could not be checked",
    needs: "nothing",
    examine({ page }) {
      if (page === undefined) {
        return [{ level: "skipped", what: "no page here: name its folder, as in `webpush doctor public`" }];
      }
      const leftOut = new Map([...page.files.leftOut, ...page.unread].map((one) => [one.path, one]));
      if (leftOut.size > 0)
        return [...leftOut.values()].map((one) => ({
          level: "skipped",
          what: sentence(one),
          where: whereFile(page, one.path),
        }));
      return good(`${page.files.shown}: ${page.files.paths.size} files`);
    },
  },
];

function sentence({ why }: LeftOut): string {
  return /^(?:is|has) /.test(why) ? `not read: it ${why}` : `not read: ${why}`;
}
