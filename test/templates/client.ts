/** The client template as tests need it: where it is, and its files with the placeholders filled in. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const clientFolder = fileURLToPath(new URL("../../templates/client/", import.meta.url));

interface TemplateFile {
  readonly from: string;
  readonly to: string;
  readonly render?: boolean;
}

export interface Template {
  readonly name: string;
  readonly summary: string;
  readonly files: readonly TemplateFile[];
  readonly variables: Readonly<Record<string, string>>;
}

export function readTemplate(): Template {
  return JSON.parse(readFileSync(`${clientFolder}template.json`, "utf8")) as Template;
}

export interface ClientVariables {
  readonly appName: string;
  readonly publicKey: string;
  readonly server: string | null;
  readonly themeColor: string;
}

/** A valid key: the one of RFC 8292's example. */
export const examplePublicKey =
  "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

export const exampleVariables: ClientVariables = {
  appName: "Harbour",
  publicKey: examplePublicKey,
  server: null,
  themeColor: "#0b5d4e",
};

/** The files marked `render`, filled in. A stand-in for scaffold's renderer, which has tests of its own. */
export function renderClient(variables: Partial<ClientVariables> = {}): Map<string, string> {
  const values: Record<string, string | null> = { ...exampleVariables, ...variables };
  const rendered = readTemplate().files.filter((file) => file.render === true);
  return new Map(
    rendered.map(({ from, to }) => [to, fill(readFileSync(`${clientFolder}${from}`, "utf8"), values)]),
  );
}

function fill(text: string, values: Readonly<Record<string, string | null>>): string {
  return text.replaceAll(/\{\{(html|json):(\w+)\}\}/g, (_match, form: string, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for {{${form}:${name}}}`);
    if (form === "json") return JSON.stringify(value).replaceAll("<", String.raw`\u003c`);
    return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  });
}
