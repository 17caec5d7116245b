import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linesOf, runJson, runMain, spawnShell } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { ScriptedPushService, type ReceivedRequest } from "../../support/scripted-push-service.ts";
import { createBrowser, openProject, storedIn } from "./sending.ts";

const phoneAt = (endpoint = "http://127.0.0.1:9/push/never-asked") =>
  createBrowser(endpoint, { name: "phone" });

describe("--dry-run", () => {
  test("prints requests without their secrets, and sends and stores nothing", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    const argv = ["hi", "--dry-run", "--ttl", "60", "--urgency", "low", "--topic", "news"];
    const { exitCode, stdout, stderr } = await runMain(["send", ...argv], { cwd });
    expect(linesOf(stdout)).toEqual([
      "phone",
      "  POST 127.0.0.1:9/…-asked",
      "  ttl: 60",
      "  urgency: low",
      "  topic: news",
      "  content-length: 165",
      "  content-type: application/octet-stream",
      "  content-encoding: aes128gcm",
      "  authorization: [secret]",
      "  (165 bytes, encrypted from 62)",
      "",
    ]);
    expect(stderr).toBe("nothing was sent; 1 request would be\n");
    expect(exitCode).toBe(0);
    expect((await storedIn(cwd)).get("phone")?.lastResult).toBeUndefined();
  });

  test("is a record per request with --json", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    const { records } = await runJson(["send", "--payload", "", "--dry-run"], { cwd });
    expect(records).toEqual([
      {
        id: expect.any(String) as string,
        name: "phone",
        method: "POST",
        host: "127.0.0.1:9",
        headers: { ttl: "2419200", "content-length": "0", authorization: "[secret]" },
        bodyBytes: 0,
      },
    ]);
  });

  test("an aesgcm request keeps its secrets too", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    const { stdout } = await runMain(["send", "hi", "--encoding", "aesgcm", "--dry-run"], { cwd });
    for (const name of ["encryption", "authorization", "crypto-key"])
      expect(linesOf(stdout)).toContain(`  ${name}: [secret]`);
  });

  test("asks nobody, however many there are", async () => {
    const browsers = Array.from({ length: 11 }, (_, index) => createBrowser(`http://127.0.0.1:9/${index}`));
    const { exitCode, stderr } = await runMain(["send", "hi", "--dry-run"], {
      cwd: await openProject({ browsers }),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "nothing was sent; 11 requests would be\n" });
  });

  const foreign = createBrowser("https://a.dev/1", {
    applicationServerKey: samplePair("theirs").publicKey,
  }).json;
  test.each([
    [0, "everything could be sent", phoneAt().json],
    [2, "no line is usable", '{"a":1}'],
    [3, "some lines are not", `${phoneAt().json}\n{"a":1}`],
    [4, "no key fits", foreign],
  ])("ends with %i, as sending would at best, when %s", async (code, _when, stdin) => {
    const { exitCode } = await runMain(["send", "hi", "--to", "-", "--dry-run"], {
      cwd: await openProject(),
      stdin,
    });
    expect(exitCode).toBe(code);
  });
});

describe("--curl", () => {
  const hasCurl = spawnSync("curl", ["--version"]).status === 0;

  /** What matters of a request; host and the client's own headers aside. */
  function essence({ method, path, headers, body }: ReceivedRequest) {
    const own = new Set(["host", "connection", "user-agent", "accept"]);
    const kept = Object.entries(headers).filter(([name]) => !own.has(name));
    return { method, path, headers: Object.fromEntries(kept.sort()), body: body.toString("hex") };
  }

  test.runIf(hasCurl).each<[string, string, readonly string[]]>([
    [
      "a notification",
      "/push/1",
      ['It\'s "here" $HOME `id`', "--ttl", "0", "--urgency", "high", "--topic", "news"],
    ],
    ["an empty push", "/push/1", ["--payload", ""]],
    ["the older coding", "/push/1", ["hi", "--encoding", "aesgcm"]],
    ["an endpoint that curl and shells would read otherwise", "/a/../{b,c}/[1-3]?x='$(id)'&y=%20", ["hi"]],
  ])("is a command that makes the same request: %s", async (_name, path, argv) => {
    await using service = await ScriptedPushService.start({ body: "done" });
    const browser = phoneAt(service.endpoint(path));
    const cwd = await openProject({ browsers: [browser] });
    const printed = await runMain(["send", ...argv, "--curl"], { cwd });
    expect(printed.exitCode).toBe(0);
    expect(service.requests).toEqual([]);
    const ran = await spawnShell(printed.stdout, { cwd });
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ran.stdout).toContain("201 Created");
    const [request] = service.requests;
    if (request === undefined) throw new Error("curl sent nothing");
    const { headers, path: asked, body } = essence(request);
    expect(asked).toBe(path);
    expect(headers["content-length"]).toBe(String(body.length / 2));
    const printedHeaders = [...printed.stdout.matchAll(/^ {2}--header '([\w-]+): (.*)' \\$/gm)].map(
      ([, name, value]) => [name, value],
    );
    expect(headers).toEqual({
      ...Object.fromEntries(printedHeaders),
      "content-length": headers["content-length"],
    });
    if (body !== "") expect(browser.read(request).toString()).not.toBe("");
  });

  test("body files are for their owner, and are not written over", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    const { records } = await runJson(["send", "hi", "--curl"], { cwd });
    const [{ bodyFile } = { bodyFile: "" }] = records as { bodyFile: string }[];
    const path = join(cwd, bodyFile);
    expect(bodyFile).toMatch(/^webpush-body-[0-9a-z]{10}\.bin$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path);
    const again = await runMain(["send", "hi", "--curl"], { cwd });
    expect(again.stderr).toContain(`cannot write ${bodyFile} (EEXIST)`);
    expect(again.exitCode).toBe(1);
    expect(readFileSync(path)).toEqual(before);
  });

  test("a link in the body file's place is not followed", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    const { id } = [...(await storedIn(cwd)).values()][0] ?? { id: "" };
    mkdirSync(join(cwd, "elsewhere"));
    symlinkSync(join(cwd, "elsewhere", "taken"), join(cwd, `webpush-body-${id}.bin`));
    expect((await runMain(["send", "hi", "--curl"], { cwd })).exitCode).toBe(1);
    expect(existsSync(join(cwd, "elsewhere", "taken"))).toBe(false);
  });

  test("--proxy and --ca go along", async () => {
    const cwd = await openProject({ browsers: [phoneAt()] });
    writeFileSync(join(cwd, "my ca.pem"), "");
    const { stdout } = await runMain(
      ["send", "--payload", "", "--curl", "--proxy", "p.dev:3128", "--ca", "my ca.pem"],
      { cwd },
    );
    expect(stdout).toContain("  --proxy 'p.dev:3128' \\\n  --cacert 'my ca.pem' \\\n");
  });

  test("stdout is the commands alone, to be piped into sh", async () => {
    const { stdout, stderr } = await runMain(["send", "--payload", "", "--curl"], {
      cwd: await openProject({ browsers: [phoneAt()] }),
    });
    expect(linesOf(stdout)[0]).toMatch(/^curl --request POST /);
    expect(linesOf(stdout).at(-1)).toBe("  'http://127.0.0.1:9/push/never-asked'");
    expect(stderr).toContain("nothing was sent");
  });
});
