/**
 * `--dry-run` and `--curl`: the very requests, shown instead of sent.
 *
 * A dry run leaves the secrets out. curl needs them: its token is good for twelve
 * hours for whoever reads it, so it is made only when asked for by name, and body
 * files are for their owner alone.
 */
import type { PushRequest } from "../../protocol/message.ts";
import type { Subject } from "../../protocol/subject.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import { createTokenCache } from "../../sender/token-cache.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { writePrivateFile } from "../output-file.ts";
import type { SendOptions } from "./command.ts";
import { requestFor } from "./deliver.ts";
import type { Plan, ReadyRecipient } from "./plan.ts";
import { failureGroups, skippedJson } from "./render.ts";
import { shownHeaders } from "./wire-lines.ts";

type Needs = Pick<Context, "io" | "json" | "clock" | "random" | "cwd"> & {
  readonly subject: Subject | undefined;
};

/** Prints what would be sent, one block or record per recipient. */
export function preview(plan: Plan, { curl }: Pick<SendOptions, "curl">, context: Needs): ExitCode {
  const { io, json } = context;
  const tokens = createTokenCache(context);
  for (const recipient of plan.ready) {
    const request = requestFor(recipient, plan, tokens, context);
    if (curl) printCurl(recipient, request, context);
    else if (json) io.out(requestJson(recipient, request));
    else for (const line of requestText(recipient, request, io)) io.out(line);
  }
  if (json && !curl) for (const one of plan.skipped) io.out(skippedJson(one));
  for (const line of failureGroups([], plan.skipped, io)) io.err(line);
  io.say(
    `nothing was sent; ${plan.ready.length} ${plan.ready.length === 1 ? "request" : "requests"} would be`,
  );
  return plan.ready.length === 0 ? ExitCode.credentials : ExitCode.ok;
}

function requestText(
  { id, name, subscription }: ReadyRecipient,
  request: PushRequest,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  return [
    paint.out.bold(printable(name ?? id)),
    `  POST ${printable(shortenEndpoint(subscription.endpoint))}`,
    ...shownHeaders(request).map(([header, value]) => `  ${header}: ${value}`),
    `  (${request.body.length} bytes, encrypted)`,
    "",
  ];
}

function requestJson({ id, name, subscription }: ReadyRecipient, request: PushRequest): string {
  return JSON.stringify({
    id,
    name: name ?? null,
    method: request.method,
    host: new URL(subscription.endpoint).host,
    headers: Object.fromEntries(shownHeaders(request)),
    bodyBytes: request.body.length,
  });
}

function printCurl({ id }: ReadyRecipient, request: PushRequest, { io, json, cwd }: Needs): void {
  const bodyFile = request.body.length === 0 ? undefined : writeBody(id, request.body, cwd);
  const command = curlCommand(request, bodyFile);
  io.out(json ? JSON.stringify({ id, command, bodyFile: bodyFile ?? null }) : command);
}

/** A curl command line that makes the same request, quoted for a POSIX shell. */
export function curlCommand({ url, headers }: PushRequest, bodyFile: string | undefined): string {
  const lines = [
    "curl --request POST --include",
    ...Object.entries(headers)
      .filter(([name]) => name !== "content-length")
      .map(([name, value]) => `  --header ${shellQuote(`${name}: ${value}`)}`),
    // curl would add a form's content type of its own; an empty one takes it away.
    ...("content-type" in headers ? [] : ["  --header 'content-type:'"]),
    bodyFile === undefined ? "  --data ''" : `  --data-binary ${shellQuote(`@${bodyFile}`)}`,
    `  ${shellQuote(url)}`,
  ];
  return lines.join(" \\\n");
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Writes the encrypted body beside where curl will run. */
function writeBody(id: string, body: Uint8Array, cwd: string): string {
  const name = `webpush-body-${id}.bin`;
  writePrivateFile(name, body, cwd);
  return name;
}
