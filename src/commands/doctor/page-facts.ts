/** What the checks of a page are examined over: its folder read, its scripts parsed, the project's keys beside it. */
import { isBelow } from "../../doctor/examine.ts";
import { valueOf, type ProjectFacts } from "../../doctor/facts.ts";
import { pageChecks } from "../../doctor/page-checks.ts";
import type { PageFacts, PageKeys } from "../../doctor/page/facts.ts";
import { readPageFolder } from "./page-folder.ts";

interface PageFolder {
  readonly folder: string;
  readonly shown: string;
}

/** Reads the page in `found`, where there is one and somebody asks about it. */
export async function gatherPage(
  found: PageFolder | undefined,
  only: readonly string[],
  project: ProjectFacts,
): Promise<PageFacts> {
  const keys = keysOf(project);
  const isAsked =
    only.length === 0 || pageChecks.some(({ id }) => only.some((prefix) => isBelow(id, prefix)));
  if (found === undefined || !isAsked) return { page: undefined, keys };
  // Parsers are loaded where there is something to parse.
  const { readPage } = await import("../../doctor/page/page.ts");
  return { page: readPage(readPageFolder(found.folder, found.shown)), keys };
}

/** The environment's pair stands before the project's, as it does for `send`. */
function keysOf({ config, environmentKeys }: ProjectFacts): PageKeys {
  const kept = valueOf(config);
  const given = valueOf(environmentKeys)?.pair;
  const pairs = [...(given === undefined ? [] : [given]), ...(kept?.pairs ?? []).map(({ pair }) => pair)];
  return {
    current: given?.publicKey ?? kept?.current,
    all: pairs.map(({ publicKey }) => publicKey),
    privateKeys: pairs.map(({ privateKey }) => privateKey),
  };
}
