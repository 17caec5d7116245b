/**
 * The folders that are written: the page's, and the push server's where there is to be one.
 */
import { dirname, join, relative, sep } from "node:path";
import { UserError } from "../../base/errors.ts";
import type { ServerKind } from "../../scaffold/answers.ts";
import { createPlan } from "../../scaffold/plan.ts";
import { isInside, locateTarget, type Filled, type Target } from "../../scaffold/target.ts";
import { readTemplate } from "../../scaffold/template.ts";
import type { ScaffoldOptions } from "./command.ts";

/** A push server to write. */
export interface ServerTarget {
  readonly kind: ServerKind;
  readonly target: Target;
}

/** Refuses what does not go together, before anybody is asked anything. */
export function checkServerFlags({ api, server, serverDir }: ScaffoldOptions): void {
  if (server !== undefined && api === "none") {
    throw new UserError(
      "scaffold-server",
      "--server writes a server, and --api none says that there is none",
      {
        hints: ["leave one of them out, or name a path: --api /webpush"],
      },
    );
  }
  if (server === undefined && serverDir !== undefined) {
    throw new UserError(
      "scaffold-server",
      `--server-dir ${serverDir} is for a server, and there is no --server`,
      {
        hints: ["say what to make it with: --server node"],
      },
    );
  }
}

/**
 * Finds the folder of the server; makes nothing.
 *
 * @throws UserError `scaffold-server`, and the codes of `locateTarget`
 */
export function locateServer(
  kind: ServerKind,
  page: Target,
  options: ScaffoldOptions,
  cwd: string,
): ServerTarget {
  const target = locateTarget(options.serverDir ?? join(dirname(page.shown), "server"), cwd);
  // Whoever can fetch the page could fetch keys and subscriptions too.
  if (!isInside(page.root, target.root)) return { kind, target };
  throw new UserError(
    "scaffold-server",
    `the server's folder ${target.shown} lies in the page's, which is public`,
    {
      hints: ["put the page into a folder of its own, or name another: --server-dir ../server"],
    },
  );
}

/** The server's files, which know where the page is. */
export function planServer({ kind, target }: ServerTarget, page: Target, api: string): Filled {
  const way = relative(target.root, page.root).split(sep).join("/");
  return { target, plan: createPlan(readTemplate(`server-${kind}`), { api, page: way }) };
}
