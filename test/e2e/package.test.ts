/**
 * The package as a person gets it: packed, installed into an empty folder, and run as the first page of the README
 * says. The registry or npm's cache must be in reach for the dependencies.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { createReceiverKeys } from "../../src/protocol/decryption.ts";
import { formatSubscription } from "../../src/protocol/subscription.ts";
import { parseVapidPublicKey } from "../../src/protocol/vapid.ts";
import { subscribe } from "../../src/receiver/http-receiver.ts";
import { seededRandom } from "../support/test-context.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const limitMs = 120_000;

let folder: string;
let packed: readonly string[];
let sizes: { readonly size: number; readonly unpackedSize: number };
let project: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "webpush-package-"));
  project = mkdtempSync(join(folder, "project-"));
  // The tests beside this one run what is in dist/, so it must not be built anew here.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, root);
  const [{ filename, files, ...rest }] = JSON.parse(stdout) as [Packed];
  packed = files.map(({ path }) => path);
  sizes = rest;
  // npm would take a package.json or node_modules/ further up for the project's.
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, filename)];
  const installed = await run("npm", install, project);
  expect(installed.exitCode, installed.stderr).toBe(0);
}, 2 * limitMs);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What `npm pack --json` says of a package, as far as it matters here. */
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
  readonly size: number;
  readonly unpackedSize: number;
}

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of npm's in `cwd`, with nothing of this test run in its environment. */
function run(command: string, argv: readonly string[], cwd: string): Promise<Ran> {
  const ours = /^(?:npm_(?!config_(?:cache|registry)$)|webpush_|vapid_|vitest|node_(?!extra_ca_certs$))/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const shell = process.platform === "win32";
  return new Promise((resolve, reject) => {
    const child = execFile(command, argv, { cwd, env, shell, timeout: limitMs }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number")
        reject(new Error(`${command} did not end`, { cause: error }));
      else resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** `npx webpush …` in the project. */
function webpush(...argv: readonly string[]): Promise<Ran> {
  return run("npx", ["webpush", ...argv], project);
}

/** Files below a folder of the repository, with forward slashes. */
function filesBelow(path: string): readonly string[] {
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));
}

describe("the packed files", () => {
  test("are the program, its types, the templates and the papers, and nothing else", () => {
    const allowed =
      /^(?:bin\/webpush\.js|dist\/.+\.(?:js|d\.ts)|templates\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
    for (const path of ["bin/webpush.js", "dist/index.js", "dist/index.d.ts", "dist/cli/entry.js"]) {
      expect(packed).toContain(path);
    }
    for (const path of ["README.md", "LICENSE", "CHANGELOG.md", "package.json"])
      expect(packed).toContain(path);
  });

  test("have one module and one declaration for every source file, and none for a deleted one", () => {
    const sources = filesBelow("src")
      .filter((path) => !path.endsWith(".d.ts"))
      .map((path) => path.replace(/^src\/(.*)\.ts$/, "dist/$1"));
    const built = (suffix: string): readonly string[] =>
      packed
        .filter((path) => path.startsWith("dist/") && path.endsWith(suffix))
        .map((path) => path.slice(0, -suffix.length));
    expect([...built(".d.ts")].sort()).toEqual([...sources].sort());
    expect([...built(".js")].sort()).toEqual([...sources].sort());
  });

  test("have every file of the templates", () => {
    const shipped = packed.filter((path) => path.startsWith("templates/"));
    expect([...shipped].sort()).toEqual([...filesBelow("templates")].sort());
  });

  test("stay small: a map, a recording or a second build would show", () => {
    expect(sizes.size).toBeLessThan(1_200_000);
    expect(sizes.unpackedSize).toBeLessThan(4_000_000);
    expect(packed.length).toBeLessThan(1500);
  });

  test("hold no private key, no token, no path of the machine that packed them", () => {
    const leaks =
      /BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[\w+/]{20}|\b(?:npm_|ghp_)\w{36}|sourceMappingURL|\/(?:home|root|Users)\/\w/;
    const installed = join(project, "node_modules/webpush");
    const text = packed.filter((path) => !path.endsWith(".png"));
    expect(text.filter((path) => leaks.test(readFileSync(join(installed, path), "utf8")))).toEqual([]);
    expect(text.filter((path) => readFileSync(join(installed, path), "utf8").includes(root))).toEqual([]);
  });

  test("run nothing when they are installed", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    for (const name of ["preinstall", "install", "postinstall", "prepare"])
      expect(scripts).not.toHaveProperty(name);
  });
});

describe("installed in an empty folder", () => {
  test(
    "npx webpush keys, npx webpush scaffold and npx webpush send --ttl 600 work as written",
    async () => {
      const made = await webpush("keys");
      expect(made.exitCode, made.stderr).toBe(0);
      const publicKey = parseVapidPublicKey(made.stdout.trim());

      const scaffolded = await webpush("scaffold");
      expect(scaffolded.exitCode, scaffolded.stderr).toBe(0);
      for (const name of ["index.html", "sw.js", "push-client.js", "manifest.webmanifest"]) {
        expect(existsSync(join(project, "public", name)), name).toBe(true);
      }
      expect(readFileSync(join(project, "public/webpush-config.js"), "utf8")).toContain(publicKey);

      // A browser's part, without one: it subscribes with the page's key at a push service on this machine.
      const random = seededRandom("package.test");
      await using service = await startEmulator({ clock: { now: () => Date.now() }, random });
      const restriction = { applicationServerKey: publicKey };
      await using receiver = await subscribe(service.origin, restriction, createReceiverKeys(random));
      writeFileSync(
        join(project, "subscription.json"),
        JSON.stringify(formatSubscription(receiver.subscription)),
      );
      const added = await webpush("subscriptions", "add", "subscription.json");
      expect(added.exitCode, added.stderr).toBe(0);

      const sent = await webpush("send", "--ttl", "600");
      expect(sent.exitCode, sent.stderr).toBe(0);
      expect(sent.stdout).toContain("accepted");
      for await (const received of receiver.receive(AbortSignal.timeout(limitMs))) {
        expect(received).toMatchObject({ kind: "message", payload: undefined });
        break;
      }
    },
    2 * limitMs,
  );

  test(
    "both entries are imported by name, from JavaScript and, with their types, from TypeScript as Node and bundlers resolve",
    async () => {
      const consumer = `
import { startEmulator } from "webpush/emulator";
import { parseTtl } from "webpush";
const push = await startEmulator({ faults: ["status=503 times=1"] });
const subscription = push.subscribe();
const send = () => fetch(subscription.endpoint, { method: "POST", headers: { ttl: "60" } });
const statuses = [(await send()).status, (await send()).status];
const [message] = await push.waitForMessages(1, { subscription, outcome: "acknowledged" });
const id: string = subscription.endpoint.slice(-22);
const ttl: number = parseTtl("10m");
console.log(statuses.join(), ttl, message?.subscription === id, message?.outcome);
await push.close();
`;
      writeFileSync(
        join(project, "use-emulator.mjs"),
        consumer.replaceAll(/(id|ttl): (?:string|number)/g, "$1"),
      );
      expect(await run(process.execPath, ["use-emulator.mjs"], project)).toEqual({
        exitCode: 0,
        stdout: "503,201 600 true acknowledged\n",
        stderr: "",
      });
      writeFileSync(join(project, "use-emulator.mts"), consumer);
      const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
      const strict = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022", ...types];
      const resolutions = [
        ["--module", "node16", "--moduleResolution", "node16"],
        ["--module", "esnext", "--moduleResolution", "bundler"],
      ];
      for (const resolution of resolutions) {
        const tsc = [join(root, "node_modules/typescript/bin/tsc"), ...strict, ...resolution];
        const checked = await run(process.execPath, [...tsc, "use-emulator.mts"], project);
        expect(checked.exitCode, `${resolution.join(" ")}\n${checked.stdout}`).toBe(0);
      }
    },
    2 * limitMs,
  );

  test("the library is imported by its name and does nothing by itself", async () => {
    writeFileSync(
      join(project, "use.mjs"),
      `import { parseTtl } from "webpush"; console.log(parseTtl("10m"));`,
    );
    expect(await run(process.execPath, ["use.mjs"], project)).toEqual({
      exitCode: 0,
      stdout: "600\n",
      stderr: "",
    });
  });
});
