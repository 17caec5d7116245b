/** `webpush campaigns list`. */
import type { UserError } from "../../base/errors.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ListOptions } from "./command.ts";
import { withCampaigns } from "./open.ts";
import { progressRecord } from "./record.ts";
import { listText } from "./render.ts";

type Needs = Pick<Context, "io" | "json" | "storeAddress">;

export async function run({ state, limit }: ListOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const onDamaged = ({ message }: UserError): void => {
    io.err(`${io.paint.err.caution("warning:")} ${printable(message)}`);
  };
  const filter = { limit, onDamaged, ...(state === undefined ? {} : { state }) };
  const found = await withCampaigns(context, (campaigns) => campaigns.list(filter));
  for (const one of json ? found : []) io.out(jsonLine(progressRecord(one)));
  if (!json && found.length > 0) for (const line of listText(found, io)) io.out(line);
  if (found.length === 0)
    io.say(
      state === undefined ? "no campaigns yet; make one: webpush send --queue" : `no campaign is ${state}`,
    );
  else if (found.length === limit) io.say(`the newest ${limit}; --limit shows more`);
  return ExitCode.ok;
}
