/** `webpush keys list`: every pair, what hangs on it, and how far a rotation has come. */
import { jsonLine } from "../../terminal/json-line.ts";
import { readEnvironmentKeys } from "../../settings/vapid.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { keyInventory } from "./inventory.ts";
import { inventoryJson, inventoryTable, progressText } from "./inventory-render.ts";

type Needs = Pick<Context, "io" | "config" | "subscriptions" | "env" | "clock" | "json">;

export async function run(_options: object, context: Needs): Promise<ExitCode> {
  const { io, config, subscriptions, env, clock, json } = context;
  const keys = keyInventory(
    await config.read(),
    readEnvironmentKeys(env),
    await subscriptions.groupByKey([]),
  );
  if (json) for (const key of keys) io.out(jsonLine(inventoryJson(key)));
  else if (keys.length === 0) io.say("this project has no VAPID keys yet: webpush keys");
  else {
    for (const line of inventoryTable(keys, clock.now(), io)) io.out(line);
    for (const line of progressText(keys, io)) io.say(line);
  }
  return ExitCode.ok;
}
