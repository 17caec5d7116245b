import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linesOf, runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";

async function scriptFor(shell: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runMain(["completion", shell]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

/** Whether a shell is on this machine. */
function isInstalled(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

describe("in bash", () => {
  /** What Tab offers at the end of `line`. */
  async function complete(line: string): Promise<readonly string[]> {
    const path = join(tempFolder(), "webpush.bash");
    writeFileSync(path, await scriptFor("bash"));
    const words = line.split(" ");
    const tab = [
      `source ${path}`,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})`,
      `COMP_CWORD=${words.length - 1}`,
      "_webpush",
      'printf "%s\\n" "${COMPREPLY[@]}"',
      "complete -p webpush",
    ].join("\n");
    const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-u", "-c", tab], {
      encoding: "utf8",
    });
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const lines = linesOf(stdout);
    expect(lines.at(-1)).toBe("complete -o default -F _webpush webpush");
    return lines.slice(0, -1).filter((word) => word !== "");
  }

  test.each([
    ["webpush ke", ["keys"]],
    ["webpush sub", ["subscriptions"]],
    ["webpush keys ", ["rotate", "list", "remove", "import", "export"]],
    ["webpush keys ex", ["export"]],
    ["webpush keys export --fo", ["--format"]],
    ["webpush keys export --format ", ["json", "env", "pem", "jwk", "pkcs8", "raw"]],
    ["webpush subscriptions export --format ", ["json", "ndjson", "csv"]],
    ["webpush subs export --format c", ["csv"]],
    ["webpush subs li", ["list"]],
    ["webpush send --urgency v", ["very-low"]],
    ["webpush completion ", ["bash", "zsh", "fish"]],
    ["webpush --qui", ["--quiet"]],
    ["webpush --json ke", ["keys"]],
    ["webpush keys --he", ["--help"]],
    ["webpush nonsense", []],
  ])("%j offers %j", async (line, offered) => {
    const words = await complete(line);
    // An empty word offers flags too.
    expect(line.endsWith(" ") ? words.filter((word) => !word.startsWith("-")) : words).toEqual(offered);
  });
});

test.skipIf(!isInstalled("zsh"))("in zsh the script is read without complaint", async () => {
  const path = join(tempFolder(), "_webpush");
  writeFileSync(path, await scriptFor("zsh"));
  const { stderr, status } = spawnSync(
    "zsh",
    ["-fc", `autoload -Uz compinit; compinit -D -u; source ${path}; (( \${+functions[_webpush]} ))`],
    { encoding: "utf8" },
  );
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
});

test.skipIf(!isInstalled("fish"))("in fish a command's beginning completes it", async () => {
  const path = join(tempFolder(), "webpush.fish");
  writeFileSync(path, await scriptFor("fish"));
  const { stdout, stderr } = spawnSync(
    "fish",
    ["--no-config", "-c", `source ${path}; complete -C 'webpush ke'`],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^keys\t/);
});

test.each(["zsh", "fish"])(
  "the script for %s names every command and keeps its quotation marks even",
  async (shell) => {
    const script = await scriptFor(shell);
    for (const name of ["keys", "scaffold", "subscriptions", "send", "demo", "config", "completion", "help"])
      expect(script).toContain(name);
    const unescaped = script.replace(/\\./g, "");
    expect((unescaped.match(/'/g) ?? []).length % 2).toBe(0);
  },
);

test("another shell is refused with what was meant", async () => {
  const { exitCode, stderr } = await runMain(["completion", "bsh"]);
  expect(exitCode).toBe(2);
  expect(linesOf(stderr)).toEqual(['error: shell cannot be "bsh"', "hint: did you mean bash?"]);
});
