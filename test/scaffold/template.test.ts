import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readTemplate } from "../../src/scaffold/template.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A templates folder that holds one template, `t`. */
function folderWith(description: unknown, files: Readonly<Record<string, string>> = {}): URL {
  const folder = tempFolder();
  mkdirSync(join(folder, "t"));
  writeFileSync(join(folder, "t", "template.json"), JSON.stringify(description));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, "t", name), content);
  return pathToFileURL(`${folder}/`);
}

test("a template is its files with their bytes, and the names of its variables", () => {
  const folder = folderWith(
    {
      files: [
        { from: "a.txt", to: "sub/a.txt", purpose: "greets", render: true },
        { from: "b", to: "b", purpose: "waits" },
      ],
      variables: { who: "a name" },
    },
    { "a.txt": "hi {{html:who}}", b: "raw" },
  );
  expect(readTemplate("t", folder)).toEqual({
    name: "t",
    files: [
      { to: "sub/a.txt", purpose: "greets", render: true, content: Buffer.from("hi {{html:who}}") },
      { to: "b", purpose: "waits", render: false, content: Buffer.from("raw") },
    ],
    variables: ["who"],
  });
});

test("one that extends another has its files and variables too, after its own", () => {
  const folder = folderWith({
    extends: ["base"],
    files: [{ from: "template.json", to: "own", purpose: "is its own" }],
    variables: { a: "its own" },
  });
  mkdirSync(new URL("base", folder));
  const base = {
    files: [{ from: "template.json", to: "lib/x", purpose: "is shared" }],
    variables: { b: "shared" },
  };
  writeFileSync(new URL("base/template.json", folder), JSON.stringify(base));
  const { files, variables } = readTemplate("t", folder);
  expect(files.map(({ to }) => to)).toEqual(["own", "lib/x"]);
  expect(variables).toEqual(["a", "b"]);
});

test("a file that the installed package lacks is reported with what to do", () => {
  const folder = folderWith({
    files: [{ from: "gone.js", to: "gone.js", purpose: "is gone" }],
    variables: {},
  });
  expect(() => readTemplate("t", folder)).toThrow(
    expect.objectContaining({
      code: "template-unreadable",
      kind: "failed",
      message: "cannot read gone.js of webpush's own templates (ENOENT)",
    }),
  );
});

test.each([
  [[], "template.json is not an object"],
  [{ files: {}, variables: {} }, "files is not an array"],
  [{ files: [{ from: "a" }], variables: {} }, "files[0] needs from, to and purpose"],
  [
    { files: [{ from: "a", to: "a", purpose: "a", render: "yes" }], variables: {} },
    "files[0].render is true or false",
  ],
  [{ files: [null], variables: {} }, "files[0] is not an object"],
  [{ extends: "base", files: [], variables: {} }, "extends is not an array"],
  [{ files: [] }, "variables is not an object"],
])("the description %j is a bug of ours", (description, message) => {
  expect(() => readTemplate("t", folderWith(description))).toThrow(message);
});
