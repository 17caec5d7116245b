/** `webpush store status`: where keys and subscriptions are, how they are reached, and how many there are. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { storeAddressOf } from "../store-address.ts";
import type { StatusOptions } from "./command.ts";
import { pendingHint, statusJson, statusText, type StoreStatus } from "./render.ts";

type Needs = Pick<Context, "io" | "config" | "subscriptions" | "storeAddress" | "cwd" | "json">;

export async function run(_options: StatusOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const address = storeAddressOf(context);
  const status = address === undefined ? await statusOfFiles(context) : await statusOfDatabase(address);
  if (json) io.out(statusJson(status));
  else for (const line of statusText(status)) io.out(line);
  if (status.pending.length === 0) return ExitCode.ok;
  if (!json) io.err(pendingHint(io));
  return ExitCode.failed;
}

async function statusOfDatabase(address: string): Promise<StoreStatus> {
  const { readDatabaseStatus } = await import("./database-status.ts");
  return readDatabaseStatus(address);
}

async function statusOfFiles({ config, subscriptions, cwd }: Needs): Promise<StoreStatus> {
  const records = await subscriptions.list();
  const { pairs } = await config.read();
  return {
    store: subscriptions.path,
    kind: "file",
    tls: undefined,
    version: undefined,
    pending: [],
    total: records.length,
    gone: records.filter(({ gone }) => gone !== undefined).length,
    refused: records.filter(({ wrongKey }) => wrongKey !== undefined).length,
    keys: pairs.length,
    bytes: sizeOf(resolve(cwd, config.path)) + sizeOf(resolve(cwd, subscriptions.path)),
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
