/** The file that a path stands for. */
import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../../base/errors.ts";

/**
 * Follows links to the last one, also when the file itself is not there yet: it is to be made where the link
 * points, and two runs that name one file differently are to meet at one lock.
 */
export function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const link = linkAt(path);
  if (link !== undefined) return followLinks(resolve(dirname(path), link));
  return join(realpathSync(dirname(resolve(path))), basename(path));
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // no link, or nothing there at all
  }
}
