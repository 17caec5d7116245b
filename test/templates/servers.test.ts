/** The scaffolded servers, without a browser: their own tests, and how they begin and end. */
import { describe, expect, test } from "vitest";
import { serverKinds } from "../../src/scaffold/answers.ts";
import { runScript, scaffoldServer, startServer } from "../support/scaffolded-server.ts";

describe.each(serverKinds)("the server with %s", (kind) => {
  test("passes its own tests", async () => {
    const { home } = await scaffoldServer(kind);
    const ran = await runScript(home, ["--test", "--test-reporter=tap"]);
    expect(ran.exitCode, ran.stdout).toBe(0);
    expect(ran.stdout).toMatch(/^# pass [1-9]\d*$/m);
  });

  test("starts with the exported keys, says where it listens, and ends at SIGTERM", async () => {
    const { home, configure } = await scaffoldServer(kind);
    const keys = await configure({ PORT: "0" });
    const server = await startServer(home, {});
    const answer = await fetch(`${server.origin}/webpush/key`);
    expect(await answer.json()).toEqual({ publicKey: keys["VAPID_PUBLIC_KEY"] });
    const ended = await server.stop();
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ended.stdout).not.toContain(keys["VAPID_PRIVATE_KEY"]);
  });

  test("without keys it does not start, and says in one line how to get them", async () => {
    const { home } = await scaffoldServer(kind);
    const ran = await runScript(home, ["server.js"]);
    expect(ran).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ran.stderr).toMatch(
      /^error: VAPID_PUBLIC_KEY and .*webpush keys export --format env --output server\/\.env\n$/,
    );
  });

  test("a port that is taken is one line too", async () => {
    const { home, configure } = await scaffoldServer(kind);
    await configure({ PORT: "0" });
    const server = await startServer(home, {});
    const ran = await runScript(home, ["server.js"], { PORT: server.port });
    expect(ran).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ran.stderr).toMatch(/^error: listen EADDRINUSE.*\n$/);
  });
});
