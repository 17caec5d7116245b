/**
 * Template and answers become files: pure, nothing is read or written here.
 *
 * A placeholder says what kind of text it stands in, `{{html:name}}` or
 * `{{json:name}}`, so that an answer is always escaped for its place: a name with
 * quotes or `</script>` stays a name. Answers are put in once and never read
 * again for placeholders. What does not fit together is a bug of ours.
 */
import type { Template, TemplateFile } from "./template.ts";

/** A file as it will be written. */
export interface PlannedFile {
  /** Relative to the folder that is written, with forward slashes. */
  readonly path: string;
  /** What it is for, in a few words. */
  readonly purpose: string;
  readonly content: Uint8Array;
}

/** A value for each variable of a template. */
export type Answers = Readonly<Record<string, string | null>>;

/** The files of `template` with `answers` in them. */
export function createPlan(template: Template, answers: Answers): readonly PlannedFile[] {
  for (const name of template.variables) {
    if (!Object.hasOwn(answers, name)) throw new Error(`template ${template.name} has no answer for ${name}`);
  }
  for (const name of Object.keys(answers)) {
    if (!template.variables.includes(name)) throw new Error(`template ${template.name} knows no ${name}`);
  }
  return template.files.map((file) => ({
    path: file.to,
    purpose: file.purpose,
    content: file.render ? fill(file, answers) : file.content,
  }));
}

function fill(file: TemplateFile, answers: Answers): Uint8Array {
  const text = replacePlaceholders(file, (form, name) => {
    const value = Object.hasOwn(answers, name) ? answers[name] : undefined;
    if (value === undefined) throw new Error(`${file.to} uses {{${form}:${name}}}, which is no variable`);
    if (form === "json") return escapeJson(value);
    if (value === null) throw new Error(`${file.to} has no text for {{html:${name}}}`);
    return escapeHtml(value);
  });
  return Buffer.from(text, "utf8");
}

/** Anything between double braces, so that a misspelt placeholder is found instead of shipped. */
const braces = /\{\{(.*?)\}\}/gs;
const placeholder = /^(html|json):(\w+)$/;

function replacePlaceholders(file: TemplateFile, replace: (form: string, name: string) => string): string {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.content);
  return text.replace(braces, (found, inside: string) => {
    const [, form, name] = placeholder.exec(inside) ?? [];
    if (form === undefined || name === undefined) throw new Error(`${file.to} has an unknown ${found}`);
    return replace(form, name);
  });
}

/** JSON that may also stand in a script: `<` could end it, and U+2028 was a line end in older JavaScript. */
function escapeJson(value: string | null): string {
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Text for the content of an element or a quoted attribute. */
function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
