/**
 * The whole diagnosis table, each row brought about by the emulator and recognised by `webpush send`.
 *
 * A row that is an answer is answered by the emulator as that vendor; what a message alone can provoke is in
 * test/emulator/personalities.test.ts. A row that is no answer is a connection that goes wrong in that way.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ExitCode } from "../../../src/commands/exit-code.ts";
import { startEmulator, type PersonalityId, type PushEmulator } from "../../../src/emulator/index.ts";
import { diagnoses, diagnosisOf, type CauseId, type Diagnosis } from "../../../src/protocol/diagnoses.ts";
import { factsOf, type ServiceId } from "../../../src/protocol/services.ts";
import { runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { createBrowser, openProject, ourPair, sendJson } from "./sending.ts";

/** Whose subscription a row's answer is sent to. The emulator is nobody's ntfy: its own words tell. */
const personalities: Readonly<Record<Diagnosis["service"], PersonalityId>> = {
  fcm: "fcm",
  mozilla: "mozilla",
  apple: "apple",
  wns: "wns",
  ntfy: "strict",
  any: "strict",
  gcm: "strict",
  removed: "strict",
  other: "strict",
};

/** What a script is told, by what the row is about. */
const exitCodes: Readonly<Record<Diagnosis["about"], ExitCode>> = {
  none: ExitCode.ok,
  credentials: ExitCode.credentials,
  gone: ExitCode.gone,
  network: ExitCode.later,
  service: ExitCode.later,
  rate: ExitCode.later,
  message: ExitCode.failed,
  endpoint: ExitCode.failed,
};

let emulator: PushEmulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** The arguments that send one message to a new subscription which answers as `cause`. */
function sendingTo(cause: CauseId): readonly string[] {
  const subscription = emulator.subscribe({
    as: personalities[diagnosisOf(cause).service],
    applicationServerKey: ourPair.publicKey,
  });
  emulator.addFault(`answer=${cause} subscription=${subscription.endpoint}`);
  return ["hi", "--subscription", JSON.stringify(subscription)];
}

const answered = diagnoses.filter(({ example }) => example !== undefined);
/** Answers that only the host tells apart from others: ntfy's, which the emulator does not stand in for. */
const byHostAlone: readonly CauseId[] = ["ntfy.no-subscriber"];

describe("a row that is an answer", () => {
  const rows = answered.filter(({ id }) => !byHostAlone.includes(id));

  test.each(rows.map(({ id }) => [id] as const))("%s", async (id) => {
    const { about, outcome, example, advice } = diagnosisOf(id);
    const { exitCode, records } = await sendJson(sendingTo(id), { cwd: await openProject() });
    const failed = outcome !== "accepted";
    expect(records).toMatchObject([
      { outcome, cause: id, status: example?.status, ...(failed ? { advice } : {}) },
    ]);
    expect(exitCode).toBe(exitCodes[about]);
  });

  test.each(rows.map(({ id }) => [id] as const))("%s, for people", async (id) => {
    const argv = sendingTo(id);
    const { stderr, stdout } = await runMain(["send", ...argv, "--verbose"], {
      cwd: await openProject(),
    });
    const { meaning, advice, outcome, example, service } = diagnosisOf(id);
    if (outcome !== "accepted") {
      const told = `1 × ${meaning}`;
      expect(stderr).toContain(told);
      expect(stderr).toContain(`do:   ${advice}`);
    }
    expect(stderr).toMatch(new RegExp(`<-- ${example?.status ?? 0} \\S+ +${id.replaceAll(".", "\\.")}, `));
    for (const name of requestIdHeaders(service)) {
      const requestId = example?.headers?.[name];
      if (requestId !== undefined) expect(stderr).toContain(`request id ${requestId}`);
    }
    for (const secret of secretsOf(argv)) expect(stdout + stderr).not.toContain(secret);
  });
});

/** The header that names the request, where the example has one: the best of those the service uses. */
function requestIdHeaders(service: ServiceId | "any"): readonly string[] {
  return service === "any" ? [] : factsOf(service).requestIdHeaders.slice(0, 1);
}

/** What must not be shown of a request: where it goes, whom it is for, and by what right. */
function secretsOf([, , subscription = ""]: readonly string[]): readonly string[] {
  const { endpoint, keys } = JSON.parse(subscription) as {
    endpoint: string;
    keys: { p256dh: string; auth: string };
  };
  return [endpoint, endpoint.slice(-20), keys.p256dh, keys.auth, "eyJ", ourPair.privateKey.reveal()];
}

interface Scene {
  readonly argv: readonly string[];
  readonly cause: CauseId;
}

/** Requests that end without a push service's answer. */
const unanswered: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
  "no such name": () => ({
    cause: "net.dns",
    // A label of 64 characters is no name at all, so no resolver outside of this machine is asked.
    argv: toEndpoint(`https://${"a".repeat(64)}.example/push`),
  }),
  "nobody listens": async () => {
    const ended = await startEmulator();
    const subscription = ended.subscribe();
    await ended.close();
    return { cause: "net.connect", argv: to(subscription) };
  },
  "a certificate nobody knows": () => ({
    cause: "net.tls",
    argv: to(emulator.subscribe({ endpoint: "https" })),
  }),
  "an answer that does not come": () =>
    breaking("net.ambiguous", "timeout=0 when=after", "--timeout", "50ms"),
  "a connection that is reset": () => breaking("net.ambiguous", "reset-peer=0 when=after"),
  "a redirect": () => breaking("http.redirect", "redirect"),
  "a stream that is refused": () => breakingTls("h2.refused", "refused-stream nth=2"),
  // The first request of a connection may have been processed, as far as HTTP/2 can say; the second was not.
  "too much load": () => breakingTls("h2.calm", "enhance-your-calm nth=2"),
  "a private address": () => ({ cause: "endpoint.blocked", argv: toEndpoint("https://10.0.0.1/push") }),
  "a browser that could not register": () => ({
    cause: "endpoint.removed-host",
    argv: toEndpoint("https://permanently-removed.invalid/fcm/send/abcdefghijkl"),
  }),
  "Google's old service": () => ({
    cause: "endpoint.gcm",
    argv: toEndpoint("https://android.googleapis.com/gcm/send/abcdefghijkl"),
  }),
};

function to(subscription: object): readonly string[] {
  return ["hi", "--subscription", JSON.stringify(subscription)];
}

function toEndpoint(endpoint: string): readonly string[] {
  return ["hi", "--subscription", createBrowser(endpoint).json];
}

function breaking(cause: CauseId, fault: string, ...flags: readonly string[]): Scene {
  const subscription = emulator.subscribe();
  emulator.addFault(`${fault} subscription=${subscription.endpoint}`);
  return { cause, argv: [...to(subscription), ...flags] };
}

/** Two messages over one HTTP/2 connection, to an emulator of their own. */
async function breakingTls(cause: CauseId, fault: string): Promise<Scene> {
  const own = await startEmulator({ faults: [fault] });
  onTestFinished(() => own.close());
  const [ca, list] = ["ca.pem", "list.ndjson"].map((name) => join(tempFolder(), name)) as [string, string];
  writeFileSync(ca, own.ca);
  writeFileSync(list, [1, 2].map(() => JSON.stringify(own.subscribe({ endpoint: "https" }))).join("\n"));
  return { cause, argv: ["hi", "--to", list, "--ca", ca] };
}

describe("a request that is not answered", () => {
  test.each(Object.keys(unanswered))("%s", async (name) => {
    const scene = await unanswered[name]?.();
    if (scene === undefined) throw new Error(`no scene is called ${name}`);
    const { exitCode, records } = await sendJson(scene.argv, { cwd: await openProject() });
    const { outcome, advice, about } = diagnosisOf(scene.cause);
    const failed = records.filter((record) => record.outcome !== "accepted");
    expect(failed).toMatchObject([{ outcome, cause: scene.cause, advice }]);
    const some = records.length > failed.length ? ExitCode.partial : undefined;
    expect(exitCode).toBe(some ?? (scene.cause === "net.tls" ? ExitCode.failed : exitCodes[about]));
  });

  test("every row that is no answer is among them", async () => {
    const scenes = await Promise.all(Object.values(unanswered).map(async (make) => make()));
    const covered = new Set<string>(scenes.map(({ cause }) => cause));
    const rows = diagnoses.filter(({ example }) => example === undefined).map(({ id }) => id);
    expect(rows.filter((id) => !covered.has(id))).toEqual([]);
  });
});

test("ntfy's 507 is known by ntfy's own endpoint", async () => {
  const subscription = emulator.subscribe();
  const endpoint = `${subscription.endpoint}?up=1`;
  emulator.addFault(`answer=ntfy.no-subscriber subscription=${subscription.endpoint}`);
  const { exitCode, records } = await sendJson(to({ ...subscription, endpoint }), {
    cwd: await openProject(),
  });
  expect(records).toMatchObject([{ outcome: "unavailable", cause: "ntfy.no-subscriber", status: 507 }]);
  expect(exitCode).toBe(ExitCode.later);
});
