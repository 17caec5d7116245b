/**
 * `webpush keys export`: the pair that signs, or another of the project, private key included, in a
 * format that another tool reads.
 */
import { UserError } from "../../base/errors.ts";
import { formatKeys } from "../../protocol/key-formats.ts";
import { keyRingOf } from "../key-ring.ts";
import { selectPair } from "../../store/key-selector.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { writePrivateFile } from "../output-file.ts";
import type { ExportOptions } from "./command.ts";

type Needs = Pick<Context, "io" | "config" | "env" | "cwd">;

export async function run(options: ExportOptions, { io, config, env, cwd }: Needs): Promise<ExitCode> {
  const ring = await keyRingOf({ env, config });
  if (ring.current === undefined) {
    throw new UserError("keys-missing", "this project has no VAPID keys to export", {
      kind: "failed",
      hints: ["make a pair: webpush keys"],
    });
  }
  const pair = options.key === undefined ? ring.current : selectPair(ring.pairs, options.key);
  const text = formatKeys(pair, ring.subject, options.format).trimEnd();
  if (options.output === undefined) io.out(text);
  else {
    writePrivateFile(options.output, `${text}\n`, cwd);
    io.say(`wrote ${options.output}; only you can read it`);
  }
  return Promise.resolve(ExitCode.ok);
}
