/** Whether code looks at the permission to notify, going by the names in it. */
import type { AnyNode } from "acorn";
import { nodesBelow } from "./script.ts";

/** `Notification.permission`, `permissions.query()`, a comparison with "granted"; asking for it does not count. */
export function looksAtPermission(root: AnyNode): boolean {
  for (const node of nodesBelow(root)) {
    if (node.type === "Identifier" && /permission/i.test(node.name) && node.name !== "requestPermission")
      return true;
    if (node.type === "Literal" && node.value === "granted") return true;
  }
  return false;
}
