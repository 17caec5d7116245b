/** `webpush subscriptions rename`: a name to send by. */
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { RenameOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { recordJson } from "./render.ts";
import { selectOne } from "./show.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "json">;

export async function run(options: RenameOptions, { io, subscriptions, json }: Needs): Promise<ExitCode> {
  const name = parseLabel("name", options.name);
  const { id, subscription } = await selectOne(options.which, subscriptions);
  const [renamed] = await subscriptions.relabel([subscription.endpoint], (labels) => ({ ...labels, name }));
  if (json && renamed !== undefined) io.out(jsonLine(recordJson(renamed)));
  else io.say(`${id} is ${name} from now on`);
  return ExitCode.ok;
}
