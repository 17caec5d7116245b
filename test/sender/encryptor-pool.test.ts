import { execFile } from "node:child_process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { onTestFinished, describe, expect, test } from "vitest";
import { createReceiverKeys, decrypt, type ReceiverKeys } from "../../src/protocol/decryption.ts";
import type { SealedMessage } from "../../src/protocol/encryption.ts";
import { contentEncodings, parseSubscription } from "../../src/protocol/subscription.ts";
import type { Encryptor } from "../../src/sender/encryptor.ts";
import { openEncryptor } from "../../src/sender/encryptor-pool.ts";
import { buildSources } from "../support/built-sources.ts";
import { sampleSubscription } from "../support/samples.ts";
import { seededRandom } from "../support/test-context.ts";
import { errorOf } from "../support/thrown.ts";

const someone = sampleSubscription("someone");
const hello = Buffer.from("hello");

/** An encryptor with two threads that run `workerUrl`, closed when the test ends. */
function openPool(workerUrl: URL): Encryptor {
  const encryptor = openEncryptor({ random: seededRandom("pool"), threads: 2, workerUrl });
  onTestFinished(() => {
    encryptor[Symbol.dispose]();
  });
  return encryptor;
}

/** Encrypts until a thread takes the work; resolves with the first message that one was given. */
async function firstOnThread(encryptor: Encryptor): Promise<{ readonly sealing: Promise<SealedMessage> }> {
  for (;;) {
    const sealing = encryptor.seal(hello, someone);
    // In an object, because an async function would wait for the promise itself.
    if (sealing instanceof Promise) return { sealing };
    await nextTurn();
  }
}

/** A worker made of this code. */
const workerOf = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

/** The code of one that takes everything and answers nothing. */
const idle = "setInterval(() => undefined, 60_000)";

function receiver(index: number) {
  const keys = createReceiverKeys(seededRandom(`receiver ${index}`));
  const to = parseSubscription({
    endpoint: `https://push.example.net/${index}`,
    keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
    contentEncoding: contentEncodings[index % 2],
  });
  return { keys, to, payload: Buffer.from(`to ${index % 7}`) };
}

const read = ({ body, headers }: SealedMessage, keys: ReceiverKeys) =>
  Buffer.from(decrypt(body, headers, keys)).toString();

describe("an encryptor with threads", () => {
  const worker = "sender/encryption-worker";

  test("encrypts for each recipient in their coding, whoever does it", async () => {
    const encryptor = openPool(buildSources(`${worker}.ts`)(`${worker}.js`));
    expect(encryptor.worksAhead).toBe(false);
    const first = await firstOnThread(encryptor);
    expect(encryptor.worksAhead).toBe(true);
    await first.sealing;
    const people = Array.from({ length: 200 }, (_, index) => receiver(index));
    const sealings = people.map(({ payload, to }) => encryptor.seal(payload, to));
    expect(sealings.filter((sealing) => !(sealing instanceof Promise))).toEqual([]);
    const sealed = await Promise.all(sealings.map(async (sealing) => sealing));
    for (const [index, { keys, payload }] of people.entries()) {
      const message = sealed[index];
      expect(message && read(message, keys)).toBe(payload.toString());
    }
    const salts = sealed
      .filter((_, index) => index % 2 === 0)
      .map(({ body }) => Buffer.from(body.subarray(0, 16)).toString("hex"));
    expect(new Set(salts).size).toBe(100);
  });

  test("refuses at once what fits no record", async () => {
    const encryptor = openPool(workerOf(idle));
    const { sealing } = await firstOnThread(encryptor);
    sealing.catch(() => undefined);
    const error = errorOf(() => encryptor.seal(new Uint8Array(4079), someone));
    expect(error.code).toBe("payload-too-large");
  });

  test("does itself what the threads have no room for", async () => {
    const encryptor = openPool(workerOf(idle));
    const { sealing } = await firstOnThread(encryptor);
    sealing.catch(() => undefined);
    const { keys, to, payload } = receiver(0);
    // Two threads with two batches of 64 each hold all but these.
    const others = Array.from({ length: 300 }, async () => encryptor.seal(payload, to));
    const sealed = await Promise.any(others);
    expect(read(sealed, keys)).toBe("to 0");
    await Promise.all(others.slice(-40).map(async (one) => read(await one, keys)));
  });

  test("starts none for a short run", () => {
    const encryptor = openPool(workerOf("throw new Error('started')"));
    const sealings = Array.from({ length: 255 }, () => encryptor.seal(hello, someone));
    expect(sealings.filter((sealed) => sealed instanceof Promise)).toEqual([]);
  });

  test("stays on its own thread when none is allowed, or when it runs from TypeScript", () => {
    for (const options of [{ threads: 0, workerUrl: workerOf("") }, { threads: 2 }]) {
      using encryptor = openEncryptor({ random: seededRandom("pool"), ...options });
      const sealings = Array.from({ length: 300 }, () => encryptor.seal(hello, someone));
      expect(sealings.filter((sealed) => sealed instanceof Promise)).toEqual([]);
    }
  });
});

describe("when a thread ends", () => {
  test.each([
    ["exits", "process.exit(3)", "an encryption thread ended with code 3"],
    ["throws", "throw new Error('broken')", "an encryption thread failed"],
  ])("because it %s, whoever waits is told, and so is who comes after", async (_how, code, message) => {
    const encryptor = openPool(
      workerOf(
        `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { ${code} })`,
      ),
    );
    const { sealing } = await firstOnThread(encryptor);
    const others = Array.from({ length: 200 }, async () => encryptor.seal(hello, someone));
    const outcomes = await Promise.allSettled([sealing, ...others]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : ""));
    expect(new Set(reasons)).toEqual(new Set([`Error: ${message}`]));
    expect(() => encryptor.seal(hello, someone)).toThrow(message);
  });

  test("because it cannot start, the next message says so", async () => {
    const encryptor = openPool(workerOf("throw new Error('broken')"));
    const failing = async (): Promise<void> => {
      for (;;) {
        await encryptor.seal(hello, someone);
        await nextTurn();
      }
    };
    await expect(failing()).rejects.toThrow("an encryption thread failed");
  });

  test("because the encryptor is closed, nobody waits for ever", async () => {
    const encryptor = openPool(workerOf(idle));
    const { sealing } = await firstOnThread(encryptor);
    encryptor[Symbol.dispose]();
    await expect(sealing).rejects.toThrow("the encryptor was closed");
  });
});

test("a process whose encryptor is closed in the middle of a batch ends by itself", async () => {
  const built = buildSources("sender/encryptor-pool.ts", "sender/encryption-worker.ts");
  const program = `
    import { randomBytes } from "node:crypto";
    const { openEncryptor } = await import(${JSON.stringify(built("sender/encryptor-pool.js").href)});
    const to = { contentEncoding: "aes128gcm", p256dh: ${JSON.stringify(someone.p256dh)}, auth: { reveal: () => "A".repeat(22) } };
    const encryptor = openEncryptor({ random: { bytes: (length) => randomBytes(length) }, threads: 1 });
    for (;;) {
      const sealing = encryptor.seal(Buffer.from("hello"), to);
      if (!(sealing instanceof Promise)) { await new Promise((done) => setImmediate(done)); continue; }
      await sealing;
      const rest = Array.from({ length: 2000 }, () => encryptor.seal(Buffer.from("hello"), to));
      await rest[0];
      encryptor[Symbol.dispose]();
      const outcomes = await Promise.allSettled(rest);
      console.log(outcomes.map(({ status }) => status).sort().join().replace(/fulfilled,.*rejected/, "both"));
      break;
    }`;
  const ran = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  expect((await ran).stdout).toBe("both\n");
});
