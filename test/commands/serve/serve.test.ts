import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCommand } from "../../support/parse-command.ts";
import { runMain } from "../../support/run-cli.ts";
import { sampleJson } from "../../support/samples.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { asPage, startServeCli } from "./serve-cli.ts";

const defaults = { port: 8040, allowRemote: false, allowHost: [], timeout: 30_000 };

test.each<[readonly string[], object]>([
  [["serve"], defaults],
  [["serve", "site", "--port", "0"], { ...defaults, dir: "site", port: 0 }],
  [["serve", "--host", "0.0.0.0", "--allow-remote"], { ...defaults, host: "0.0.0.0", allowRemote: true }],
  [
    ["serve", "--allow-host", "push.harbour.shop", "--allow-host", "b.example:8443"],
    { ...defaults, allowHost: ["push.harbour.shop", "b.example:8443"] },
  ],
])("%j", async (argv, options) => {
  expect(await parseCommand(argv)).toMatchObject(options);
});

test("makes keys where there are none, serves the built-in page with them, and says what to do next", async () => {
  const cwd = join(tempFolder(), "Harbour News");
  mkdirSync(cwd);
  const serve = await startServeCli([], cwd);
  const { publicKey } = (await (await fetch(`${serve.origin}/webpush/key`)).json()) as { publicKey: string };
  const settings = await (await fetch(`${serve.origin}/webpush-config.js`)).text();
  expect(settings).toContain(`publicKey: "${publicKey}"`);
  expect(settings).toContain('appName: "Harbour News"');
  expect(settings).toContain('server: "/webpush"');
  const stopped = await serve.stop();
  expect(stopped.exitCode).toBe(0);
  expect(stopped.stderr).toContain(`Your page is at ${serve.origin}; Ctrl-C stops the server.`);
  expect(stopped.stderr).toContain(`${publicKey.slice(0, 12)}…, of a VAPID key pair made just now`);
  expect(stopped.stderr).toContain('webpush send "Hello"');
  expect((await runMain(["keys"], { cwd })).stdout).toContain(publicKey);
});

test("says what happens, a line each; what is stored is there for send", async () => {
  const serve = await startServeCli([]);
  const { publicKey } = (await (await fetch(`${serve.origin}/webpush/key`)).json()) as { publicKey: string };
  const subscription = {
    ...sampleJson("phone", { endpoint: "https://fcm.googleapis.com/fcm/send/abcdefghij" }),
    applicationServerKey: publicKey,
  };
  expect((await asPage(serve, "POST", "/webpush/subscriptions", subscription)).status).toBe(201);
  await asPage(serve, "POST", "/webpush/subscriptions", subscription);
  await asPage(serve, "POST", "/webpush/events", { type: "shown", id: "order-7", at: 0 });
  await asPage(serve, "POST", "/webpush/subscriptions", { ...subscription, isAdmin: true });
  const { stdout: listed } = await runMain(["subscriptions", "list", "--json"], { cwd: serve.cwd });
  const { id, applicationServerKey } = JSON.parse(listed) as Record<string, string>;
  expect(applicationServerKey).toBe(publicKey);
  await asPage(serve, "DELETE", "/webpush/subscriptions", { endpoint: subscription.endpoint });
  const { stdout } = await serve.stop();
  expect(stdout.split("\n").map((line) => line.slice(14))).toEqual([
    `…efghij  page subscribed at fcm.googleapis.com, stored as ${id ?? ""}`,
    "         browser: showed notification order-7",
    '         refused 400 POST /webpush/subscriptions: the subscription has the unknown member "isAdmin"; known are endpoint, expirationTime, keys, applicationServerKey, oldEndpoint',
    `…efghij  page unsubscribed, ${id ?? ""} removed`,
    "",
  ]);
});

test("what a stranger sends cannot drive the terminal", async () => {
  const serve = await startServeCli([]);
  const escape = "\u001b[2J\u009b31m\u202e";
  await asPage(serve, "POST", "/webpush/events", { type: "shown", id: escape, at: 0 });
  await asPage(serve, "POST", "/webpush/events", { type: escape, id: null, at: 0 });
  await asPage(serve, "POST", "/webpush/subscriptions", { [escape]: 1 });
  await asPage(serve, "POST", "/webpush/subscriptions", sampleJson("x", { endpoint: `https://x/${escape}` }));
  await asPage(serve, "DELETE", "/webpush/subscriptions", { endpoint: `https://${escape}/` });
  const { stdout } = await serve.stop();
  expect(stdout.split("\n")).toHaveLength(6);
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("serves public/ unasked, another folder when asked, and never the state, however it is reached", async () => {
  const cwd = tempFolder();
  await runMain(["scaffold", "--yes"], { cwd });
  const privateKey = (
    JSON.parse((await runMain(["keys", "--json"], { cwd })).stdout) as { privateKey: string }
  ).privateKey;
  writeFileSync(join(cwd, "public/keys.txt"), `a copy of ${privateKey}`);
  symlinkSync(join(cwd, ".webpush"), join(cwd, "public/state"));
  const serve = await startServeCli([], cwd);
  expect(serve.stderr()).toContain("page     public");
  expect((await fetch(`${serve.origin}/sw.js`)).status).toBe(200);
  for (const path of [
    "/.webpush/config.json",
    "/state/config.json",
    "/keys.txt",
    "/%2e%2e/.webpush/config.json",
  ]) {
    const answer = await fetch(serve.origin + path);
    expect([400, 404]).toContain(answer.status);
    expect(await answer.text()).not.toContain(privateKey);
  }
  const whole = await startServeCli(["."], cwd);
  expect((await fetch(`${whole.origin}/public/sw.js`)).status).toBe(200);
  expect((await fetch(`${whole.origin}/.webpush/config.json`)).status).toBe(404);
  for (const folder of [".webpush", "public/state"]) {
    const { exitCode, stderr } = await runMain(["serve", folder], { cwd });
    expect(stderr).toContain(`error: cannot serve "${folder}": your private keys are in it`);
    expect(exitCode).toBe(2);
  }
});

test("a state folder of another name is as private", async () => {
  const cwd = tempFolder();
  await runMain(["keys", "--config-dir", "site/kept"], { cwd });
  const serve = await startServeCli(["site", "--config-dir", "site/kept"], cwd);
  expect((await fetch(`${serve.origin}/kept/config.json`)).status).toBe(404);
  const { stderr } = await runMain(["serve", "kept", "--config-dir", "kept"], { cwd: join(cwd, "site") });
  expect(stderr).toContain("your private keys are in it");
});

test("a page that would not work with this server is said, with the fix", async () => {
  const cwd = tempFolder();
  await runMain(["scaffold", "site", "--yes", "--api", "/api/push"], { cwd });
  const { publicKey: other } = JSON.parse((await runMain(["keys", "--print", "--json"], { cwd })).stdout) as {
    publicKey: string;
  };
  const file = join(cwd, "site/webpush-config.js");
  writeFileSync(file, readFileSync(file, "utf8").replace(/publicKey: "[\w-]+"/, `publicKey: "${other}"`));
  const serve = await startServeCli(["site"], cwd);
  const { stderr } = await serve.stop();
  expect(stderr).toContain(
    'warning: the page looks for its server at "/api/push", and this one answers at /webpush\n' +
      'hint: write server: "/webpush", into site/webpush-config.js\n',
  );
  expect(stderr).toMatch(
    /warning: the key in the page is \S{12}…, this project's is \S{12}…\nhint: write publicKey: "B/,
  );
});

test("a folder without a page is said", async () => {
  const cwd = tempFolder();
  mkdirSync(join(cwd, "site"));
  const { stderr } = await (await startServeCli(["site"], cwd)).stop();
  expect(stderr).toContain(
    "warning: there is no index.html in site\nhint: webpush scaffold site writes a page into it",
  );
});

test("a folder that the system refuses is told with its reason", async () => {
  const cwd = tempFolder();
  symlinkSync("loop", join(cwd, "loop"));
  const { exitCode, stderr } = await runMain(["serve", "loop"], { cwd });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('error: cannot serve "loop": it cannot be opened (ELOOP)') as string,
  });
});

test("a folder that is not there is refused before any key is made", async () => {
  const cwd = tempFolder();
  const { exitCode, stderr } = await runMain(["serve", "sight"], { cwd });
  expect(stderr).toContain('error: cannot serve "sight": it is not there');
  expect(exitCode).toBe(2);
  expect((await runMain(["keys", "export"], { cwd })).exitCode).not.toBe(0);
});

test("an address that others reach has to be allowed", async () => {
  const { exitCode, stderr } = await runMain(["serve", "--host", "0.0.0.0", "--port", "0"]);
  expect(stderr).toContain("error: 0.0.0.0 is not a loopback address");
  expect(exitCode).toBe(2);
});

test("a port that is taken is said, with what to do", async () => {
  const { port } = await startServeCli([]);
  const { exitCode, stderr } = await runMain(["serve", "--port", String(port)]);
  expect(stderr).toContain(
    `error: port ${port} of 127.0.0.1 is taken by another program\nhint: stop the other`,
  );
  expect(exitCode).toBe(1);
});
