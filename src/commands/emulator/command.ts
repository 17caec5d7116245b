/** `webpush emulator`: flags only. */
import { Command, Option } from "commander";
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import { browserNames, type BrowserName } from "../../browsers/browser.ts";
import {
  conditionWords,
  parameterWords,
  signatureOf,
  toxicWords,
  type Word,
} from "../../emulator/faults/words.ts";
import { parsePersonality, personalityIds, type PersonalityId } from "../../emulator/personalities.ts";
import { parsePort } from "../../settings/table.ts";
import { blankPage, parsePageUrl } from "../browser/page-url.ts";
import { choiceOption, collect, type Dispatch } from "../dispatch.ts";

export interface EmulatorOptions {
  readonly port: number;
  readonly host: string;
  readonly allowRemote: boolean;
  readonly state: string | undefined;
  readonly as: PersonalityId | undefined;
  /** Rules for what goes wrong, a line each, not yet read. */
  readonly fault: readonly string[];
  readonly apiToken: string | undefined;
  readonly open: BrowserName | undefined;
  /** The page to open, `about:blank` when none was named. */
  readonly page: string;
  readonly headless: boolean;
  readonly browser: string | undefined;
}

type Flags = Omit<EmulatorOptions, "page">;

export function emulatorCommand(dispatch: Dispatch): Command {
  return new Command("emulator")
    .summary("a push service on this machine, for terminals and browsers")
    .description(
      "Run a push service on this machine and print what happens in it, a line per\n" +
        "event. Receivers subscribe over HTTP (RFC 8030) or over Mozilla's autopush\n" +
        "WebSocket, as `webpush listen` and Firefox do. With --open a browser is started\n" +
        "that uses it, with a profile of its own and every site allowed to notify; it is\n" +
        "closed at the end. Ctrl-C stops it; it exits 0.",
    )
    .argument("[page]", "with --open: address of the page to open")
    .addOption(
      new Option("--port <n>", "port to listen on; 0 takes any free one").argParser(parsePort).default(8030),
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--allow-remote", "let --host be an address that other machines reach", false)
    .option("--state <dir>", "keep subscriptions and waiting messages in this folder")
    .addOption(
      new Option(
        "--as <service>",
        "answer senders as strict, fcm, mozilla, apple or wns would; default as each subscription was made",
      ).argParser(parseAs),
    )
    .addOption(
      new Option("--fault <rule>", "let something go wrong: 'latency=200 every=3'; can be repeated")
        .argParser(collect)
        .default([]),
    )
    .option("--api-token <token>", "bearer token of the JSON API for tests; a random one unless given")
    .optionsGroup("A browser beside it:")
    .addOption(
      choiceOption("--open <browser>", "start this browser, wired to the push service", browserNames),
    )
    .option("--headless", "start it without a window", false)
    .option("--browser <path>", "the browser's program; looked for unless given")
    .addHelpText("after", () => `\n${faultHelp()}`)
    .addHelpText(
      "after",
      "\nExamples:\n  $ webpush emulator\n  $ webpush emulator --as apple --state .push-state\n" +
        "  $ webpush emulator --port 0 --json > events.ndjson\n" +
        "  $ webpush emulator --fault 'status=429 retry-after=5 every=3'\n" +
        "  $ webpush emulator --open firefox localhost:3000",
    )
    .action((page: string | undefined, flags: Flags) => {
      const options = { ...flags, open: flags.open, browser: flags.browser, page: pageOf(page, flags) };
      return dispatch<EmulatorOptions>(() => import("./run.ts"), options);
    });
}

/**
 * Reads the page to open.
 *
 * @throws UserError `page-url`, `page-without-browser`
 */
function pageOf(page: string | undefined, { open }: Flags): string {
  if (page === undefined) return blankPage;
  if (open !== undefined) return parsePageUrl(page);
  throw new UserError("page-without-browser", `nothing opens ${JSON.stringify(page)}`, {
    hints: ["say which browser is to open it: --open chromium or --open firefox"],
  });
}

/**
 * Reads the name of a push service to behave as.
 *
 * @throws UserError `emulator-as`
 */
function parseAs(text: string): PersonalityId {
  const personality = parsePersonality(text);
  if (personality !== undefined) return personality;
  const close = nearest(text, personalityIds);
  throw new UserError("emulator-as", `there is no push service called ${JSON.stringify(text)}`, {
    hints: [
      ...(close === undefined ? [] : [`did you mean ${close}?`]),
      `use one of ${personalityIds.join(", ")}`,
    ],
  });
}

/** What a fault rule is made of. */
function faultHelp(): string {
  const lines = (words: ReadonlyMap<string, Word>): string[] =>
    wrapped(Array.from(words, ([name, word]) => signatureOf(name, word)));
  return [
    "Fault rules, of one fault with its details and conditions:",
    ...lines(toxicWords),
    "details, of those that take them:",
    ...lines(parameterWords),
    "conditions:",
    ...lines(conditionWords),
    "docs/emulator-api.md says what each does.",
  ].join("\n");
}

const helpWidth = 80;

/** Words side by side, indented, as many to a line as fit. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= helpWidth)
      lines[lines.length - 1] = `${last}  ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}
