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
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { writePrivateFile } from "../output-file.ts";
import type { SendOptions } from "./command.ts";
import { requestFor } from "./deliver.ts";
import type { Run } from "./broadcast.ts";
import { FailureGroups } from "./failure-groups.ts";
import { planLateEntry, type Plan, type ReadyRecipient, type SkippedRecipient } from "./plan.ts";
import { skippedJson } from "./render.ts";
import { Counter, exitCodeFor } from "./tally.ts";
import { shownHeaders } from "./wire-lines.ts";

export type PreviewOptions = Pick<SendOptions, "curl" | "proxy" | "ca">;

type Needs = Pick<Context, "io" | "json" | "clock" | "random" | "cwd"> & {
  readonly subject: Subject | undefined;
};

/** Prints what would be sent, one block or record per recipient; the exit code is that of sending it with success. */
export async function preview(run: Run, options: PreviewOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const { curl } = options;
  const { message } = run.plan;
  const tokens = createTokenCache(context);
  const counter = new Counter();
  const groups = new FailureGroups();
  for await (const one of everyoneOf(run)) {
    if ("skipped" in one) {
      counter.count(one.skipped);
      groups.addSkipped(one);
      if (json && !curl) io.out(skippedJson(one));
      continue;
    }
    counter.count({ outcome: "accepted", cause: "ok", status: 201 });
    const request = requestFor(one, { message }, tokens, context);
    if (curl) printCurl(one, request, options, context);
    else if (json) io.out(requestJson(one, request));
    else for (const line of requestText(one, request, { message }, io)) io.out(line);
    await io.drained();
  }
  for (const line of groups.lines(io)) io.err(line);
  const tally = counter.tally();
  io.say(`nothing was sent; ${tally.accepted} ${tally.accepted === 1 ? "request" : "requests"} would be`);
  return exitCodeFor(tally, { excused: 0, stopped: false });
}

async function* everyoneOf({ plan, rest, rules }: Run): AsyncGenerator<ReadyRecipient | SkippedRecipient> {
  yield* plan.ready;
  yield* plan.skipped;
  if (rest !== undefined) for await (const entry of rest) yield planLateEntry(entry, rules);
}

function requestText(
  { id, name, subscription }: ReadyRecipient,
  request: PushRequest,
  { message }: Pick<Plan, "message">,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  return [
    paint.out.bold(printable(name ?? id)),
    `  POST ${printable(shortenEndpoint(subscription.endpoint))}`,
    ...shownHeaders(request).map(([header, value]) => `  ${header}: ${value}`),
    `  (${bodyText(request, message.payload)})`,
    "",
  ];
}

function bodyText({ body }: PushRequest, payload: Uint8Array | undefined): string {
  if (payload === undefined) return "no body";
  return `${body.length} bytes, encrypted from ${payload.length}`;
}

function requestJson({ id, name, subscription }: ReadyRecipient, request: PushRequest): string {
  return jsonLine({
    id,
    name: name ?? null,
    method: request.method,
    host: new URL(subscription.endpoint).host,
    headers: Object.fromEntries(shownHeaders(request)),
    bodyBytes: request.body.length,
  });
}

function printCurl(
  { id }: ReadyRecipient,
  request: PushRequest,
  options: PreviewOptions,
  { io, json, cwd }: Needs,
): void {
  const bodyFile = request.body.length === 0 ? undefined : writeBody(id, request.body, cwd);
  const command = curlCommand(request, bodyFile, options);
  io.out(json ? jsonLine({ id, command, bodyFile: bodyFile ?? null }) : command);
}

/** A curl command line that makes the same request, quoted for a POSIX shell. */
function curlCommand(
  { url, headers }: PushRequest,
  bodyFile: string | undefined,
  { proxy, ca }: PreviewOptions,
): string {
  const lines = [
    // An endpoint is sent as it is: brackets and `..` in it are not for curl to work on.
    "curl --request POST --silent --show-error --include --globoff --path-as-is",
    ...(proxy === undefined ? [] : [`  --proxy ${shellQuote(proxy)}`]),
    ...(ca === undefined ? [] : [`  --cacert ${shellQuote(ca)}`]),
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

/** Writes the encrypted body beside where curl will run. */
function writeBody(id: string, body: Uint8Array, cwd: string): string {
  const name = `webpush-body-${id}.bin`;
  writePrivateFile(name, body, cwd);
  return name;
}
