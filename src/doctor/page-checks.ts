/** What `webpush doctor` looks at in the files of a page: one list, in the order it is told. */
import type { Check } from "./check.ts";
import { clickChecks } from "./page/checks/click.ts";
import { fileChecks } from "./page/checks/files.ts";
import { keyChecks } from "./page/checks/key.ts";
import { manifestChecks } from "./page/checks/manifest.ts";
import { pushChecks } from "./page/checks/push.ts";
import { secretChecks } from "./page/checks/secrets.ts";
import { subscribeChecks } from "./page/checks/subscribe.ts";
import { workerChecks } from "./page/checks/worker.ts";
import type { PageFacts } from "./page/facts.ts";

export const pageChecks: readonly Check<PageFacts>[] = [
  ...fileChecks,
  ...workerChecks,
  ...pushChecks,
  ...clickChecks,
  ...subscribeChecks,
  ...keyChecks,
  ...manifestChecks,
  ...secretChecks,
];
