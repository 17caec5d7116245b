/** The client template as tests need it: where it is, and its files with the placeholders filled in. */
import { fileURLToPath } from "node:url";
import { createPlan } from "../../src/scaffold/plan.ts";
import { readTemplate } from "../../src/scaffold/template.ts";

export const clientFolder = fileURLToPath(new URL("../../templates/client/", import.meta.url));

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

/** The files with placeholders, filled in as `webpush scaffold` fills them. */
export function renderClient(variables: Partial<ClientVariables> = {}): Map<string, string> {
  const template = readTemplate("client");
  const rendered = new Set(template.files.filter(({ render }) => render).map(({ to }) => to));
  return new Map(
    createPlan(template, { ...exampleVariables, ...variables })
      .filter(({ path }) => rendered.has(path))
      .map(({ path, content }) => [path, Buffer.from(content).toString("utf8")]),
  );
}
