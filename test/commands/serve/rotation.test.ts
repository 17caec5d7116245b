/** `webpush serve` while the keys are changed beside it. */
import { expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../../src/emulator/index.ts";
import { runJson, runMain } from "../../support/run-cli.ts";
import { sampleJson, samplePair } from "../../support/samples.ts";
import { createBrowser, openProject, sendJson, storedIn } from "../send/sending.ts";
import { asPage, startServeCli, type ServeCli } from "./serve-cli.ts";

async function keyOf({ origin }: ServeCli): Promise<string> {
  const answer = (await (await fetch(`${origin}/webpush/key`)).json()) as { publicKey: string };
  return answer.publicKey;
}

const endpointOf = (token: string): string => `https://fcm.googleapis.com/fcm/send/${token}`;

test("a rotation: the new key from the next request on, and the old one's subscriptions are taken still", async () => {
  const serve = await startServeCli(["--json"]);
  const { cwd } = serve;
  const oldKey = await keyOf(serve);
  const { records } = await runJson(["keys", "rotate"], { cwd, stdin: "" });
  const newKey = await keyOf(serve);
  expect(records).toEqual([{ publicKey: newKey, previousPublicKey: oldKey, subscriptions: 0 }]);

  // A page that was loaded before the rotation.
  const early = { ...sampleJson("ada", { endpoint: endpointOf("early") }), applicationServerKey: oldKey };
  expect((await asPage(serve, "POST", "/webpush/subscriptions", early)).status).toBe(201);
  const [record] = (await storedIn(cwd)).values();
  await runMain(["subscriptions", "rename", record?.id ?? "", "ada"], { cwd });
  await runMain(["subscriptions", "tag", "news", "ada"], { cwd });

  // The same browser on its next visit.
  const late = { ...sampleJson("ada2", { endpoint: endpointOf("late") }), applicationServerKey: newKey };
  const replacing = { ...late, oldEndpoint: early.endpoint };
  expect((await asPage(serve, "POST", "/webpush/subscriptions", replacing)).status).toBe(201);
  expect([...(await storedIn(cwd)).values()]).toMatchObject([
    { name: "ada", tags: ["news"], subscription: { endpoint: late.endpoint, applicationServerKey: newKey } },
  ]);

  await runMain(["keys", "remove", oldKey], { cwd, stdin: "" });
  const tooLate = { ...early, endpoint: endpointOf("too-late") };
  const refused = await asPage(serve, "POST", "/webpush/subscriptions", tooLate);
  expect({ status: refused.status, body: await refused.json() }).toMatchObject({
    status: 409,
    body: { error: "key-unknown" },
  });
  expect((await serve.stop()).exitCode).toBe(0);
});

test("the page's own test push is tried on a subscription whose key was refused before", async () => {
  const emulator = await startEmulator();
  onTestFinished(() => emulator.close());
  const made = emulator.subscribe({ as: "fcm", applicationServerKey: samplePair("stranger").publicKey });
  const phone = createBrowser(made.endpoint, { name: "phone", keys: made.keys });
  const cwd = await openProject({ browsers: [phone] });
  await sendJson(["hi"], { cwd });
  expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ cause: "key.refused" }]);
  const serve = await startServeCli(["--json"], cwd);
  await asPage(serve, "POST", "/webpush/test", { endpoint: made.endpoint });
  await serve.record({ type: "tested", outcome: "wrong-key", cause: "fcm.key-mismatch" });
  expect((await serve.stop()).exitCode).toBe(0);
});
