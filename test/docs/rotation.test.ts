/** docs/rotation.md is true: its commands work as written, and its answers are those of the diagnosis table. */
import { describe, expect, test } from "vitest";
import { diagnoses } from "../../src/protocol/diagnoses.ts";
import { samplePair } from "../support/samples.ts";
import { linesOf, runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { codeBlocksOf, readPage, rowsOf, sectionsOf } from "./markdown.ts";

const page = readPage("docs/rotation.md");

/** The commands of a section, in the order in which a reader types them. */
function commandsOf(heading: string): readonly string[] {
  const section = sectionsOf(page).find((one) => one.heading === heading);
  return codeBlocksOf(section?.text ?? "").flatMap(({ text }) =>
    text.split("\n").filter((line) => line.startsWith("webpush ")),
  );
}

describe("the commands of docs/rotation.md", () => {
  test("rotate, with the old key where the page has an example of one", async () => {
    const cwd = tempFolder();
    const old = (await runMain(["keys"], { cwd, stdin: "" })).stdout.slice(0, 12);
    const commands = commandsOf("Step by step");
    expect(commands).toHaveLength(6);
    for (const command of commands) {
      const argv = command.replace("BEqpGDE5Yz9K", old).split(" ").slice(1);
      const { exitCode, stderr } = await runMain(argv, { cwd, stdin: "" });
      expect(exitCode, `${command}: ${stderr}`).toBe(0);
    }
    const { stdout } = await runMain(["keys", "list"], { cwd });
    expect(linesOf(stdout).filter((line) => line.includes(" older "))).toEqual([
      expect.stringContaining(old),
    ]);
  });

  test("change the environment's key, and keep the old one", async () => {
    const cwd = tempFolder();
    const old = samplePair("of the environment");
    const env = { VAPID_PRIVATE_KEY: old.privateKey.reveal() };
    let printed = "";
    for (const command of commandsOf("When the keys come from the environment")) {
      const { exitCode, stdout, stderr } = await runMain(command.split(" ").slice(1), {
        cwd,
        env,
        stdin: "",
      });
      expect(exitCode, `${command}: ${stderr}`).toBe(0);
      printed = stdout;
    }
    const renewed = Object.fromEntries(linesOf(printed).map((line) => line.split("=") as [string, string]));
    const { stdout } = await runMain(["keys", "list"], { cwd, env: renewed });
    expect(linesOf(stdout)[1]).toMatch(/ environment /);
    expect(linesOf(stdout)[2]).toContain(old.publicKey.slice(0, 12));
  });
});

test("its answers to a wrong key are all there are", () => {
  const section = sectionsOf(page).find(({ heading }) => heading === "What the services answer");
  const shown = rowsOf(section?.text ?? "").map(
    ([, status = "", cause = ""]) => `${status} ${/`([^`]+)`/.exec(cause)?.[1]}`,
  );
  const known = diagnoses
    .filter(({ outcome }) => outcome === "wrong-key")
    .map(({ id, example }) => `${example?.status} ${id}`);
  expect([...shown].sort()).toEqual([...known].sort());
});
