import { describe, expect, test } from "vitest";
import { linesOf, runMain } from "../../support/run-cli.ts";
import { parseCommand } from "../../support/parse-command.ts";

const subject = { subject: "mailto:ops@shop-online.de", notes: [] };
const defaults = { private: false, print: false, force: false, yes: false };

test.each<[readonly string[], object]>([
  [["keys"], defaults],
  [["keys", "--subject", "mailto:ops@shop-online.de"], { ...defaults, subject }],
  [["keys", "--private"], { ...defaults, private: true }],
  [["keys", "--print"], { ...defaults, print: true }],
  [["keys", "--force", "--yes"], { ...defaults, force: true, yes: true }],
  [["keys", "--force", "-y"], { ...defaults, force: true, yes: true }],
  [["keys", "rotate"], { yes: false }],
  [["keys", "rotate", "-y", "--subject", "mailto:ops@shop-online.de"], { yes: true, subject }],
  [["keys", "list"], {}],
  [["keys", "remove", "BKd0"], { key: "BKd0", yes: false }],
  [["keys", "remove", "--yes", "BKd0"], { key: "BKd0", yes: true }],
  [["keys", "import", "old.pem"], { file: "old.pem", add: false, force: false, yes: false }],
  [["keys", "import", "-"], { file: "-", add: false, force: false, yes: false }],
  [["keys", "import", "old.pem", "--add"], { file: "old.pem", add: true, force: false, yes: false }],
  [["keys", "import", "--force", "-y", "k.json"], { file: "k.json", add: false, force: true, yes: true }],
  [
    ["keys", "import", "k", "--subject", "mailto:ops@shop-online.de"],
    { file: "k", add: false, force: false, yes: false, subject },
  ],
  [["keys", "export"], { format: "json" }],
  [["keys", "export", "--format", "pem"], { format: "pem" }],
  [["keys", "export", "--format=env", "-o", "f"], { format: "env", output: "f" }],
  [["keys", "export", "BKd0"], { key: "BKd0", format: "json" }],
  [["keys", "export", "--output", "-odd"], { format: "json", output: "-odd" }],
])("%j", async (argv, options) => {
  expect(await parseCommand(argv)).toEqual(options);
});

describe("refused, each with what was meant:", () => {
  test.each<[readonly string[], readonly string[]]>([
    [
      ["keys", "--sbject", "x"],
      ["error: unknown option '--sbject'", "hint: did you mean --subject?"],
    ],
    [
      ["keys", "--privat"],
      ["error: unknown option '--privat'", "hint: did you mean --private?"],
    ],
    [
      ["keys", "exprot"],
      ['error: webpush keys has no command "exprot"', "hint: did you mean export?"],
    ],
    [
      ["keys", "zoo"],
      ['error: webpush keys has no command "zoo"', "hint: use one of rotate, list, remove, import, export"],
    ],
    [
      ["keys", "export", "--format", "jwks"],
      ['error: format cannot be "jwks"', "hint: did you mean jwk?"],
    ],
    [["keys", "export", "--format"], ["error: option '--format <format>' argument missing"]],
    [
      ["keys", "import", "k", "--add", "--force"],
      ["error: option '--add' cannot be used with option '--force'"],
    ],
    [["keys", "remove"], ["error: missing required argument 'key'"]],
    [["keys", "import"], ["error: missing required argument 'file'"]],
    [
      ["keys", "import", "a", "b"],
      ["error: too many arguments for 'import'. Expected 1 argument but got 2."],
    ],
    [
      ["keys", "--force", "import", "a"],
      [
        "error: --force stands before import, which does not see it",
        "hint: put it behind: webpush keys import … --force",
      ],
    ],
  ])("%j", async (argv, lines) => {
    const { exitCode, stdout, stderr } = await runMain(argv);
    expect({ exitCode, stdout, lines: linesOf(stderr) }).toEqual({ exitCode: 2, stdout: "", lines });
  });

  test("a subject that nobody can be reached at", async () => {
    const { exitCode, stderr } = await runMain(["keys", "--subject", "mailto:me@localhost"]);
    expect(exitCode).toBe(2);
    expect(linesOf(stderr)[0]).toMatch(/^error: VAPID subject "mailto:me@localhost" /);
  });
});
