import { describe, expect, test } from "vitest";
import { createPlan, type Answers } from "../../src/scaffold/plan.ts";
import type { Template } from "../../src/scaffold/template.ts";

function template(
  text: string | Uint8Array,
  variables: readonly string[] = ["name"],
  render = true,
): Template {
  return {
    name: "t",
    files: [{ to: "file", render, purpose: "a test", content: Buffer.from(text) }],
    variables,
  };
}

function render(text: string, answers: Answers): string {
  const [file] = createPlan(template(text, Object.keys(answers)), answers);
  return Buffer.from(file?.content ?? []).toString("utf8");
}

const hostile = [
  `O'Neill & "Söhne"`,
  `</script><script>alert(1)</script>`,
  `<!-- x`,
  `{{json:name}} {{html:name}} {{`,
  `$& $1 $\` $'`,
  "line\u2028and\u2029paragraph",
  "back\\slash",
  "日本語 👩‍👩‍👧 שלום",
  "",
];

describe("{{json:…}}", () => {
  test.each(hostile)("%j is read back as it was, and cannot end a script", (name) => {
    const text = render(`{{json:name}}`, { name });
    expect(JSON.parse(text)).toBe(name);
    expect(text).not.toMatch(/[<\u2028\u2029]/);
  });

  test("null is null", () => {
    expect(render("x = {{json:name}};", { name: null })).toBe("x = null;");
  });
});

describe("{{html:…}}", () => {
  test.each(hostile)("%j stays text, in an element and in an attribute", (name) => {
    const text = render(`{{html:name}}`, { name });
    expect(text).not.toMatch(/[<>"']/);
    expect(text.replace(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code)))).toBe(name);
  });

  test("null has no text", () => {
    expect(() => render("{{html:name}}", { name: null })).toThrow("file has no text for {{html:name}}");
  });
});

test("all placeholders are filled, each with its own answer", () => {
  expect(render("{{html:a}}-{{json:b}}-{{html:a}}", { a: "{{json:b}}", b: "2" })).toBe(
    '{{json:b}}-"2"-{{json:b}}',
  );
});

test.each(["{{name}}", "{{url:name}}", "{{html: name}}", "{{html:na-me}}", "{{}}", "{{html:\nname}}"])(
  "%j is no placeholder",
  (text) => {
    expect(() => render(text, { name: "x" })).toThrow(`file has an unknown ${text}`);
  },
);

test("a placeholder for what is no variable is refused, names of every object included", () => {
  expect(() => render("{{html:other}}", { name: "x" })).toThrow(
    "file uses {{html:other}}, which is no variable",
  );
  expect(() => render("{{html:constructor}}", { name: "x" })).toThrow("which is no variable");
});

test("answers and variables must be the same", () => {
  expect(() => createPlan(template("", ["name"]), {})).toThrow("template t has no answer for name");
  expect(() => createPlan(template("", []), { name: "x" })).toThrow("template t knows no name");
});

test("a file without placeholders is copied byte for byte, whatever it holds", () => {
  const bytes = Uint8Array.from([0x89, 0x50, 0xff, 0x00, 0x7b, 0x7b, 0x0d, 0x0a]);
  const [file] = createPlan(template(bytes, [], false), {});
  expect(file).toEqual({ path: "file", purpose: "a test", content: Buffer.from(bytes) });
});

test("a file with placeholders must be UTF-8", () => {
  expect(() => createPlan(template(Uint8Array.from([0xff]), []), {})).toThrow(TypeError);
});
