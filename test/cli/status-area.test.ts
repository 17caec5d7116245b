/** Everything a run prints shares the terminal with its status area. */
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openIo, type Host } from "../../src/cli/real-context.ts";
import type { Environment } from "../../src/settings/environment.ts";
import { FakeTerminal } from "../support/fake-terminal.ts";

interface Scene {
  readonly env?: Environment;
  /** Which streams are the terminal; those that are not are pipes. */
  readonly terminal?: Partial<Host["isTerminal"]>;
  readonly quiet?: boolean;
}

/** The streams of a run, both on one terminal unless said otherwise. */
async function openScene({ env = {}, terminal = {}, quiet = false }: Scene = {}) {
  const screen = new FakeTerminal();
  const pipe = new FakeTerminal({ columns: 10_000 });
  const isTerminal = { in: true, out: true, err: true, ...terminal };
  const never = new AbortController().signal;
  const io = await openIo(
    {
      argv: [],
      env: { NO_COLOR: "1", ...env },
      cwd: "/",
      stdin: Readable.from([]),
      stdout: asStream(isTerminal.out ? screen : pipe),
      stderr: asStream(isTerminal.err ? screen : pipe),
      isTerminal,
      nodeVersion: "24.3.0",
      platform: "node",
      signal: never,
      forceSignal: never,
    },
    { quiet, verbose: true, color: true },
  );
  return { io, screen, pipe };
}

/** Of a stream, a run's output needs `write` and the size alone. */
function asStream(terminal: FakeTerminal): Host["stderr"] {
  return terminal as unknown as Host["stderr"];
}

test("data, talk, errors and details appear above what is shown", async () => {
  const { io, screen } = await openScene();
  io.status.show(["half of it", "10/s"]);
  io.out("data");
  io.say("talk");
  io.err("error");
  io.detail("detail");
  await turn();
  expect(screen.lines).toEqual(["data", "talk", "error", "detail", "half of it", "10/s"]);
});

test("data that goes into a pipe does not touch the screen", async () => {
  const { io, screen, pipe } = await openScene({ terminal: { out: false } });
  io.status.show(["half of it"]);
  const before = screen.writes.length;
  io.out("data");
  expect(pipe.writes).toEqual(["data\n"]);
  expect(screen.writes).toHaveLength(before);
});

test("colours do not matter to it", async () => {
  expect((await openScene({ env: { NO_COLOR: "1" } })).io.status.isLive).toBe(true);
});

describe("there is none", () => {
  test.each<[string, Scene]>([
    ["where stderr is a pipe", { terminal: { err: false } }],
    ["with --quiet", { quiet: true }],
    ["on a terminal that cannot move its cursor", { env: { TERM: "dumb" } }],
    ["in CI, whose terminals are logs", { env: { CI: "true" } }],
  ])("%s", async (_, scene) => {
    const { io, screen, pipe } = await openScene(scene);
    io.status.show(["half of it"]);
    io.status.clear();
    expect(io.status.isLive).toBe(false);
    expect([...screen.writes, ...pipe.writes]).toEqual([]);
  });
});
