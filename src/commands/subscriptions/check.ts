/**
 * `webpush subscriptions check`: what can be known about each without sending anything, and with `--online` what its push service says.
 */
import { checkSubscription, type Finding } from "../../store/check.ts";
import { selectRecords } from "../../store/selector.ts";
import { createKeyRing, readEnvironmentKeys } from "../../settings/vapid.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { CheckOptions } from "./command.ts";
import { counted, findingJson, findingText } from "./render.ts";

export async function run(options: CheckOptions, context: Context): Promise<ExitCode> {
  const { which } = options;
  const { io, subscriptions, config, env, clock, json } = context;
  const all = await subscriptions.list();
  const chosen = which.length === 0 ? all : selectRecords(all, which);
  const keys = createKeyRing(readEnvironmentKeys(env), await config.read());
  const findings = chosen.flatMap((record): { record: SubscriptionRecord; finding: Finding }[] =>
    checkSubscription(record, { pairs: keys.pairs, now: clock.now() }).map((finding) => ({
      record,
      finding,
    })),
  );
  for (const { record, finding } of findings) {
    if (json) io.out(findingJson(record, finding));
    else for (const line of findingText(record, finding, io)) io.out(line);
  }
  const spoiled = new Set(findings.map(({ record }) => record.id)).size;
  io.say(
    spoiled === 0
      ? `${counted(chosen.length)} checked, all good`
      : `${counted(chosen.length)} checked, ${spoiled} with findings`,
  );
  const offline = spoiled === 0 ? ExitCode.ok : ExitCode.failed;
  if (!options.online) return offline;
  const { checkOnline } = await import("./check-online.ts");
  return worse(offline, await checkOnline(chosen, keys, options, context));
}

/** What is wrong stays wrong tomorrow; what is to be tried later may not be. */
function worse(offline: ExitCode, online: ExitCode): ExitCode {
  return online === ExitCode.ok || (online === ExitCode.later && offline !== ExitCode.ok) ? offline : online;
}
