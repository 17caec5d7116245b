/**
 * Whether this machine has what Chromium calls a network.
 *
 * With nothing but loopback (`docker --network none`, `unshare -n`) Chromium
 * subscribes, yet never dials the connection that messages come over, and says
 * nothing of it. One more interface that is up is enough; the internet is not needed.
 */
import type { NetworkInterfaceInfo } from "node:os";
import type { BrowserName } from "./browser.ts";

/** What `os.networkInterfaces()` answers: the interfaces that are up, with their addresses. */
type Interfaces = NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, "internal">[]>;

/** What is wrong with the network for this browser, in a sentence; `undefined` when nothing is. */
export function networkProblem(name: BrowserName, interfaces: Interfaces): string | undefined {
  const isOnline = Object.values(interfaces).some((addresses) =>
    (addresses ?? []).some(({ internal }) => !internal),
  );
  if (isOnline || name === "firefox") return undefined;
  return "only the loopback interface is up, and Chromium then never fetches its messages; Firefox does";
}
