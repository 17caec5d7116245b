import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "../../../src/commands/send/run.ts";
import { sendCommand, type SendOptions } from "../../../src/commands/send/command.ts";
import { runMain, type MainOptions } from "../../support/run-cli.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { testContext, type TestContextOptions } from "../../support/test-context.ts";
import { createBrowser, openProject, ourPair } from "./sending.ts";

/** What a browser reads of the one message that `webpush send …argv` makes. */
async function payloadOf(argv: readonly string[], options: MainOptions = {}): Promise<Buffer> {
  await using service = await ScriptedPushService.start({});
  const browser = createBrowser(service.endpoint());
  const cwd = options.cwd ?? (await openProject());
  const { exitCode, stderr } = await runMain(["send", "--subscription", browser.json, ...argv], {
    ...options,
    cwd,
  });
  if (exitCode !== 0) throw new Error(stderr);
  return browser.read(service.requests[0]);
}

/** What stderr says of a message that is none; nothing is sent for it. */
async function refusalOf(argv: readonly string[], options: MainOptions = {}): Promise<string> {
  const { json } = createBrowser("http://127.0.0.1:9/never-asked");
  const cwd = await openProject();
  const { exitCode, stderr } = await runMain(["send", "--subscription", json, ...argv], { ...options, cwd });
  expect(exitCode).toBe(2);
  return stderr;
}

async function jsonOf(argv: readonly string[]): Promise<unknown> {
  return JSON.parse((await payloadOf(argv)).toString());
}

describe("a notification", () => {
  test("a message alone is its title", async () => {
    expect(await jsonOf(["Hello"])).toEqual({
      web_push: 8030,
      notification: { title: "Hello", navigate: "." },
    });
  });

  test("a message beside --title is its text", async () => {
    expect(await jsonOf(["ready at noon", "--title", "Order"])).toMatchObject({
      notification: { title: "Order", body: "ready at noon" },
    });
  });

  test("a message beside --body is its title", async () => {
    expect(await jsonOf(["Order", "--body", "ready"])).toMatchObject({
      notification: { title: "Order", body: "ready" },
    });
  });

  test("has every flag where a browser looks for it", async () => {
    const argv = [
      ...["--title", "T", "--body", "B", "--url", "https://a.dev/7", "--icon", "/i.png", "--badge", "/b.png"],
      ...["--image", "/p.png", "--tag", "t", "--lang", "de", "--dir", "rtl", "--data", '{"id":7}'],
      ...[
        "--actions",
        "open=Open=https://a.dev/o;later=Later",
        "--timestamp",
        "1896080400000",
        "--app-badge",
        "3",
      ],
      ...["--require-interaction", "--silent", "--renotify", "--mutable"],
    ];
    expect(await jsonOf(argv)).toEqual({
      web_push: 8030,
      mutable: true,
      app_badge: 3,
      notification: {
        ...{
          title: "T",
          body: "B",
          navigate: "https://a.dev/7",
          icon: "/i.png",
          badge: "/b.png",
          image: "/p.png",
        },
        ...{ tag: "t", lang: "de", dir: "rtl", data: { id: 7 }, timestamp: 1_896_080_400_000 },
        ...{ requireInteraction: true, silent: true, renotify: true, mutable: true, app_badge: 3 },
        actions: [
          { action: "open", title: "Open", navigate: "https://a.dev/o" },
          { action: "later", title: "Later", navigate: "https://a.dev/7" },
        ],
      },
    });
  });

  test("is in any language", async () => {
    expect(await jsonOf(["Grüße 👋🏽 مرحبا"])).toMatchObject({ notification: { title: "Grüße 👋🏽 مرحبا" } });
  });

  test("--data false is data, WEBPUSH_SILENT=0 is nothing", async () => {
    expect(await jsonOf(["hi", "--data", "false"])).toMatchObject({ notification: { data: false } });
    expect((await payloadOf(["--payload", "x"], { env: { WEBPUSH_SILENT: "0" } })).toString()).toBe("x");
  });
});

describe("exact bytes", () => {
  const binary = Buffer.from([0x00, 0xff, 0xfe, 0x0a, 0x0d, 0x0a, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x00]);

  test("--payload", async () => {
    expect((await payloadOf(["--payload", " ünï \n"])).toString()).toBe(" ünï \n");
  });

  test("--payload-file, NUL and invalid UTF-8 included", async () => {
    const cwd = await openProject();
    writeFileSync(join(cwd, "note.bin"), binary);
    expect(await payloadOf(["--payload-file", "note.bin"], { cwd })).toEqual(binary);
  });

  test.each([
    ["piped in", []],
    ["as -", ["-"]],
    ["as --payload-file -", ["--payload-file", "-"]],
  ])("stdin %s", async (_name, argv) => {
    expect(await payloadOf(argv, { stdin: binary })).toEqual(binary);
  });

  test.each([
    ["a message", ["hi"], '{"web_push":8030,"notification":{"title":"hi","navigate":"."}}'],
    ["--title", ["--title", "hi"], '{"web_push":8030,"notification":{"title":"hi","navigate":"."}}'],
    ["--payload", ["--payload", "hi"], "hi"],
  ])("stdin is left alone beside %s, so a loop over lines works", async (_name, argv, expected) => {
    expect((await payloadOf(argv, { stdin: "the next line of somebody's loop" })).toString()).toBe(expected);
  });

  test("3993 bytes fit, and WNS's 5000 do not tempt us", async () => {
    expect((await payloadOf(["--payload", "x".repeat(3993)])).length).toBe(3993);
    expect(await refusalOf(["--payload", "x".repeat(3994)])).toContain("3 994 bytes, the most is 3 993");
  });

  test("a file without end is not read to its end", async () => {
    expect(await refusalOf(["--payload-file", "/dev/zero"])).toContain("longer than 65536 bytes");
  });
});

describe("nothing", () => {
  test.each([
    ["an empty stdin", [], ""],
    ["--payload with nothing", ["--payload", ""], undefined],
    ["a terminal where nobody can be asked", ["--no-input"], undefined],
    ["recipients on stdin", ["--to", "-"], '{"a":1}'],
  ])("is an empty push without a coding: %s", async (_name, argv, stdin) => {
    await using service = await ScriptedPushService.start({});
    const { json } = createBrowser(service.endpoint());
    const { stderr } = await runMain(["send", "--subscription", json, ...argv], {
      cwd: await openProject(),
      ...(stdin === undefined ? {} : { stdin }),
    });
    const [request] = service.requests;
    expect(request?.body.length).toBe(0);
    expect(request?.headers).toMatchObject({ ttl: "2419200", "content-length": "0" });
    expect(Object.keys(request?.headers ?? {})).not.toEqual(expect.arrayContaining(["content-encoding"]));
    expect(Object.keys(request?.headers ?? {})).not.toEqual(expect.arrayContaining(["content-type"]));
    expect(stderr).toContain("the push is empty");
  });
});

describe("a message said twice is refused", () => {
  test.each<[readonly string[]]>([
    [["hi", "--payload", "x"]],
    [["--title", "T", "--payload", "x"]],
    [["--payload", "x", "--payload-file", "y"]],
    [["-", "--payload", "x"]],
    [["-", "--title", "T"]],
    [["-", "--payload-file", "-"]],
    [["hi", "--title", "T", "--body", "B"]],
  ])("send %j", async (argv) => {
    expect(await refusalOf(argv, { stdin: "" })).toMatch(/in more than one way|is given twice/);
  });

  test.each<[readonly string[]]>([
    [["--to", "-", "-"]],
    [["--to", "-", "--payload-file", "-"]],
    [["--subscription", "-", "-"]],
  ])("and stdin for both: send %j", async (argv) => {
    const { exitCode, stderr } = await runMain(["send", ...argv], {
      cwd: await openProject(),
      stdin: createBrowser("http://127.0.0.1:9/never-asked").json,
    });
    expect(stderr).toContain("stdin cannot be both recipients and payload");
    expect(exitCode).toBe(2);
  });
});

describe("at a terminal", () => {
  /** Runs with what is parsed from `argv`, on a context of the test's. */
  async function sendFrom(argv: readonly string[], endpoint: string, options: TestContextOptions) {
    let parsed: SendOptions | undefined;
    const command = sendCommand((_load, given) => {
      parsed = given as unknown as SendOptions;
      return Promise.resolve();
    });
    await command.parseAsync([...argv], { from: "user" });
    const browser = createBrowser(endpoint, { name: "phone" });
    const subscriptions = [{ subscription: browser.subscription, name: "phone" }];
    const context = await testContext({ pairs: [ourPair], subscriptions, ...options });
    if (parsed === undefined) throw new Error("nothing was parsed");
    return { exitCode: await run(parsed, context), context, browser };
  }

  test("title and text are asked for", async () => {
    await using service = await ScriptedPushService.start({});
    const answers = [
      { asked: "Title", answer: "Tea" },
      { asked: "Text below", answer: "is ready" },
    ];
    const { exitCode, browser } = await sendFrom([], service.endpoint(), { answers });
    expect(JSON.parse(browser.read(service.requests[0]).toString())).toMatchObject({
      notification: { title: "Tea", body: "is ready" },
    });
    expect(exitCode).toBe(0);
  });

  test("the text may stay empty", async () => {
    await using service = await ScriptedPushService.start({});
    const answers = [
      { asked: "Title", answer: "Tea" },
      { asked: "Text below", answer: "" },
    ];
    const { browser } = await sendFrom([], service.endpoint(), { answers });
    expect(browser.read(service.requests[0]).toString()).toBe(
      '{"web_push":8030,"notification":{"title":"Tea","navigate":"."}}',
    );
  });

  const eleven = (endpoint: string) =>
    Array.from({ length: 11 }, (_, index) => createBrowser(`${endpoint}/${index}`));

  test("more than ten are asked about first, and a no sends nothing", async () => {
    await using service = await ScriptedPushService.start();
    const subscriptions = eleven(service.endpoint());
    const answers = [{ asked: "send to 11 subscriptions?", answer: false }];
    await expect(sendFrom(["hi"], service.endpoint(), { answers, subscriptions })).rejects.toMatchObject({
      code: "declined",
      kind: "failed",
    });
  });

  test.each([
    ["--yes does not ask", ["hi", "--yes"], []],
    ["a script is not asked", ["hi"], undefined],
  ])("%s", async (_name, argv, answers) => {
    await using service = await ScriptedPushService.start(...Array.from({ length: 11 }, () => ({})));
    const subscriptions = eleven(service.endpoint());
    const { exitCode } = await sendFrom(argv, service.endpoint(), {
      subscriptions,
      ...(answers === undefined ? {} : { answers }),
    });
    expect(exitCode).toBe(0);
  });
});
