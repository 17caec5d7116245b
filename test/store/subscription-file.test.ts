import { createSubscriptionStore } from "../../src/store/subscription-file.ts";
import { locateProject } from "../../src/store/project.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { describeSubscriptionStore } from "./subscription-store-contract.ts";

describeSubscriptionStore("subscriptions.json", () => {
  const location = locateProject({ cwd: tempFolder(), configDir: undefined, profile: undefined });
  return Promise.resolve({
    store: createSubscriptionStore(location),
    other: createSubscriptionStore(location),
  });
});
