/**
 * `webpush subscriptions check`: what can be known about each without sending anything, and with `--online` what its push service says.
 */
import { checkSubscription } from "../../store/check.ts";
import { streamFrom } from "../../store/selector.ts";
import { keyRingOf } from "../key-ring.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { CheckOptions } from "./command.ts";
import { counted, findingJson, findingText } from "./render.ts";

export async function run(options: CheckOptions, context: Context): Promise<ExitCode> {
  const { io, subscriptions, clock, json, signal } = context;
  const keys = await keyRingOf(context);
  const facts = { pairs: keys.pairs, now: clock.now() };
  let [checked, spoiled] = [0, 0];
  for await (const record of streamFrom(subscriptions, options.which)) {
    signal.throwIfAborted();
    const findings = checkSubscription(record, facts);
    checked += 1;
    if (findings.length > 0) spoiled += 1;
    for (const finding of findings) {
      if (json) io.out(findingJson(record, finding));
      else for (const line of findingText(record, finding, io)) io.out(line);
    }
    await io.drained();
  }
  const good = options.online ? "nothing found here" : "all good";
  io.say(`${counted(checked)} checked, ${spoiled === 0 ? good : `${spoiled} with findings`}`);
  const offline = spoiled === 0 ? ExitCode.ok : ExitCode.failed;
  if (!options.online) return offline;
  const { checkOnline } = await import("./check-online.ts");
  return worse(offline, await checkOnline(keys, options, context));
}

/** What is wrong stays wrong tomorrow; what is to be tried later may not be. */
function worse(offline: ExitCode, online: ExitCode): ExitCode {
  return online === ExitCode.ok || (online === ExitCode.later && offline !== ExitCode.ok) ? offline : online;
}
