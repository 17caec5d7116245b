import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readTemplate } from "../../src/scaffold/template.ts";
import { describe, expect, test } from "vitest";
import { clientFolder, exampleVariables, renderClient } from "./client.ts";

interface Words {
  readonly title: string;
  readonly text: string;
  readonly action?: string;
  readonly tone: string;
}
const { wordsFor } = (await import(`${clientFolder}words.js`)) as {
  readonly wordsFor: (state: string, appName: string) => Words;
};
const { addCommand, shellQuote } = (await import(`${clientFolder}handover.js`)) as {
  readonly addCommand: (record: object) => string;
  readonly shellQuote: (text: string) => string;
};

const template = readTemplate("client");
const read = (name: string) => readFileSync(`${clientFolder}${name}`, "utf8");

describe("the rendered files", () => {
  const hostile = `</script><b>"O'Neill" & Co</b>`;

  test("take a hostile name without harm", () => {
    const files = renderClient({ appName: hostile });
    expect(files.get("index.html")).not.toContain("<b>");
    expect(files.get("webpush-config.js")).not.toContain("</script>");
    const manifest = JSON.parse(files.get("manifest.webmanifest") ?? "") as Record<string, unknown>;
    expect(manifest["name"]).toBe(hostile);
  });

  test("the manifest makes an installable app, with icons that exist", () => {
    const manifest = JSON.parse(renderClient().get("manifest.webmanifest") ?? "") as {
      icons: { src: string; sizes: string; purpose: string }[];
    };
    expect(manifest).toMatchObject({
      name: exampleVariables.appName,
      id: "./",
      start_url: "./",
      scope: "./",
      display: "standalone",
      theme_color: exampleVariables.themeColor,
    });
    for (const { src, sizes } of manifest.icons) {
      const png = readFileSync(`${clientFolder}${src}`);
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
      expect(png.length).toBeLessThan(10_000);
    }
    expect(manifest.icons.map(({ purpose }) => purpose)).toEqual(["any", "any", "maskable", "monochrome"]);
  });

  test("nothing in them comes from another site or stands inline", () => {
    const html = renderClient().get("index.html") ?? "";
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    for (const { to } of template.files.filter((file) => /\.(html|css)$/.test(file.to)))
      expect(read(to)).not.toMatch(/(?:src|href)="https?:|url\(|@import/);
  });
});

describe("words.js", () => {
  test("has words for every state that push-client.js can report", () => {
    const states = new Set(
      [...read("push-client.js").matchAll(/(?:state: |return |\? |: )"([a-z-]+)"/g)].map(
        ([, state]) => state ?? "",
      ),
    );
    const others = ["saved", "none", "absent", "unreachable", "refused", "default", "granted", "no-store"];
    const reported = [...states].filter((state) => !others.includes(state));
    expect(reported.length).toBeGreaterThan(12);
    const fallback = wordsFor("failed", "x");
    for (const state of reported.filter((name) => name !== "failed"))
      expect(wordsFor(state, "x"), state).not.toEqual(fallback);
  });

  test("falls back to plain words for a state nobody has thought of", () => {
    expect(wordsFor("surprise", "x")).toEqual(wordsFor("failed", "x"));
  });
});

describe("handover.js", () => {
  test("the command carries the record as one shell word", () => {
    const record = { endpoint: "https://push.example/a", keys: { p256dh: "p", auth: "a" } };
    expect(addCommand(record)).toBe(
      `npx webpush subscriptions add '{"endpoint":"https://push.example/a","keys":{"p256dh":"p","auth":"a"}}'`,
    );
  });

  test.skipIf(process.platform === "win32").each(["O'Neill", "''", '$(touch x) `id` \\ "', "a\nb", "!!"])(
    "a shell reads %j back as it was",
    (text) => {
      expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(text)}`], { encoding: "utf8" })).toBe(text);
    },
  );
});
