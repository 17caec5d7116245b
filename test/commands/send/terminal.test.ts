/** What a person sees of a long run, at a real terminal. */
import { describe, expect, test } from "vitest";
import { hasPseudoTerminals, startAtTerminal } from "../../support/pseudo-terminal.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { createBrowser, createGate, openProject } from "./sending.ts";

const ctrlC = "\u0003";

describe.runIf(hasPseudoTerminals)("progress at a terminal", () => {
  test("stands below the records that are printed meanwhile, and leaves nothing behind", async () => {
    const answer = createGate();
    await using service = await ScriptedPushService.start({}, { after: answer.opened });
    const browsers = ["/1", "/2"].map((path) => createBrowser(service.endpoint(path)));
    const cwd = await openProject({ browsers });
    const { shown, ended } = startAtTerminal(["send", "hi", "--json", "--concurrency", "1"], {
      cwd,
      columns: 1000,
    });
    await shown("1 of 2");
    answer.open();
    const { exitCode, screen } = await ended;
    expect(screen.lines.map((line) => line.slice(0, 5))).toEqual(['{"id"', '{"id"', "2 in "]);
    expect(exitCode).toBe(0);
  });

  test("gives way to what Ctrl-C has to say, and is gone at the end", async () => {
    const answer = createGate();
    await using service = await ScriptedPushService.start({ after: answer.opened });
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const { shown, type, ended } = startAtTerminal(["send", "hi"], { cwd, columns: 40 });
    await shown("0 of 1");
    type(ctrlC);
    await shown("stopping");
    answer.open();
    const { exitCode, screen } = await ended;
    expect(screen.lines[0]).toMatch(/^stopping /);
    expect(screen.lines.join("\n")).not.toMatch(/[░█]/);
    expect(screen.lines.join("\n")).toContain("1 in all: 1 accepted");
    expect(screen.wraps).toBe(true);
    expect(exitCode).toBe(130);
  });
});
