/**
 * What the checks of a page are examined over: the files of one folder, read before, and the project's keys.
 *
 * Whoever reads the folder bounds it; nothing here touches a disk. What was left out is
 * said in `leftOut`, so that a check can tell "is not there" from "was not looked at".
 */
import type { Secret } from "../../base/secret.ts";
import type { Page } from "./page.ts";

/** The files of a folder. Paths are relative to it, with forward slashes. */
export interface FolderFiles {
  /** What the person calls the folder: `public`. */
  readonly shown: string;
  /** Content of the files that are text a page consists of. */
  readonly texts: ReadonlyMap<string, string>;
  /** Every file that was seen, pictures too. */
  readonly paths: ReadonlySet<string>;
  /** Files and folders at the top whose names begin with a dot; never opened. */
  readonly hidden: readonly string[];
  /** What was not read, each with its reason, for people. */
  readonly leftOut: readonly LeftOut[];
}

export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** The key pairs of the project, as far as they matter to its page. */
export interface PageKeys {
  /** The public key new subscriptions are signed for. */
  readonly current: string | undefined;
  /** Every public key of the project, the current one too. */
  readonly all: readonly string[];
  readonly privateKeys: readonly Secret<string>[];
}

export interface PageFacts {
  /** Undefined when there is no folder with a page. */
  readonly page: Page | undefined;
  readonly keys: PageKeys;
}
