/**
 * Encryption on worker threads, for runs that are long enough to be worth them.
 *
 * ECDH takes most of what a message costs, and the thread that sends has other things to
 * do. A thread takes some 50 ms to start, so the first messages are encrypted here; from
 * then on whatever waits goes out in batches, two per thread: one in work, and one to go
 * on with while the answer travels. When all threads have both, the caller's own thread
 * takes the next message between two turns of its event loop: with two cores it would
 * otherwise be idle for more than half of the time.
 */
import { Worker } from "node:worker_threads";
import type { Random } from "../base/clock.ts";
import type { SealedMessage } from "../protocol/encryption.ts";
import { checkFitsRecord } from "../protocol/push-request.ts";
import type { Subscription } from "../protocol/subscription.ts";
import { packOrder, unpackBatch, type SealedBatch, type Sealing } from "./encryption-batch.ts";
import { createEncryptor, type Encryptor } from "./encryptor.ts";

/** How a run's messages are encrypted. */
export interface EncryptorOptions {
  readonly random: Random;
  /** The most worker threads; with none everything is encrypted on the caller's thread. */
  readonly threads: number;
  /** The module the threads run; the one beside this unless given. */
  readonly workerUrl?: URL | undefined;
}

/** Threads are started for the message after these: encrypting them here takes about as long as a start. */
const messagesBeforeThreads = 256;
/** Some 15 ms of work: long beside what posting it costs, short beside what waits for it. */
const longestBatch = 64;
const batchesPerThread = 2;

/** Encrypts on worker threads once it is worth it, and on the caller's thread before. */
export function openEncryptor({ random, threads, workerUrl = builtWorker }: EncryptorOptions): Encryptor {
  const here = createEncryptor(random);
  if (threads < 1 || workerUrl === undefined) return here;
  return new EncryptorPool(here, { url: workerUrl, count: Math.floor(threads) });
}

/** Node 20 cannot load TypeScript in a thread: whoever runs the sources encrypts on one. */
const builtWorker = import.meta.url.endsWith(".js")
  ? new URL("./encryption-worker.js", import.meta.url)
  : undefined;

/** A message that was asked for, and who waits for it. */
interface Waiting extends Sealing {
  readonly resolve: (sealed: SealedMessage | Promise<SealedMessage>) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** The batches it has, in the order in which it will answer them. */
  readonly batches: (readonly Waiting[])[];
}

class EncryptorPool implements Encryptor {
  readonly #here: Encryptor;
  readonly #plan: { readonly url: URL; readonly count: number };
  readonly #threads: Thread[] = [];
  #waiting: Waiting[] = [];
  #sealedHere = 0;
  #anyOnline = false;
  #handingOut = false;
  #helping = false;
  /** Why nothing is encrypted any more: a thread has ended, or the pool was closed. */
  #end: Error | undefined;

  constructor(here: Encryptor, plan: { readonly url: URL; readonly count: number }) {
    this.#here = here;
    this.#plan = plan;
  }

  get worksAhead(): boolean {
    return this.#anyOnline;
  }

  seal(payload: Uint8Array, to: Subscription): SealedMessage | Promise<SealedMessage> {
    checkFitsRecord(payload);
    if (this.#end !== undefined) throw this.#end;
    if (!this.#anyOnline) {
      this.#sealedHere += 1;
      if (this.#sealedHere === messagesBeforeThreads) this.#start();
      return this.#here.seal(payload, to);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payload, to, resolve, reject });
      this.#handOutSoon();
    });
  }

  [Symbol.dispose](): void {
    this.#close(new Error("the encryptor was closed"));
  }

  #start(): void {
    for (let count = 0; count < this.#plan.count; count += 1) {
      // Without the environment, where a private key may stand, and without flags that may only fit the program.
      const worker = new Worker(this.#plan.url, { name: "encryption", env: {}, execArgv: [] });
      const thread: Thread = { worker, batches: [] };
      worker.on("online", () => (this.#anyOnline = true));
      worker.on("message", (batch: SealedBatch) => {
        this.#take(thread, batch);
      });
      worker.on("error", (cause) => {
        this.#close(new Error("an encryption thread failed", { cause }));
      });
      worker.on("exit", (code) => {
        this.#close(new Error(`an encryption thread ended with code ${code}`));
      });
      this.#threads.push(thread);
    }
  }

  /** Once this turn of the event loop has asked for all it wants. */
  #handOutSoon(): void {
    if (this.#handingOut) return;
    this.#handingOut = true;
    setImmediate(() => {
      this.#handingOut = false;
      this.#handOut();
    });
  }

  /** Gives what waits to the threads, in equal parts to all that have room. */
  #handOut(): void {
    while (this.#waiting.length > 0) {
      const [thread] = this.#threads.toSorted((a, b) => a.batches.length - b.batches.length);
      const room = this.#threads.reduce((sum, { batches }) => sum + batchesPerThread - batches.length, 0);
      if (thread === undefined || room === 0) {
        this.#helpSoon();
        return;
      }
      const batch = this.#waiting.splice(0, Math.min(longestBatch, Math.ceil(this.#waiting.length / room)));
      const order = packOrder(batch);
      thread.batches.push(batch);
      thread.worker.postMessage(order, [
        order.receivers.buffer,
        ...order.payloads.map(({ buffer }) => buffer),
      ]);
    }
  }

  /** Encrypts one message here once what came over the network has been seen to. */
  #helpSoon(): void {
    if (this.#helping) return;
    this.#helping = true;
    setImmediate(() => {
      this.#helping = false;
      const [next] = this.#waiting.splice(0, 1);
      try {
        next?.resolve(this.#here.seal(next.payload, next.to));
      } catch (error) {
        next?.reject(error);
      }
      this.#handOut();
    });
  }

  #take(thread: Thread, sealed: SealedBatch): void {
    const batch = thread.batches.shift() ?? [];
    for (const [position, message] of unpackBatch(sealed, batch).entries()) batch[position]?.resolve(message);
    this.#handOut();
  }

  #close(end: Error): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const unfinished = [...this.#threads.flatMap(({ batches }) => batches.flat()), ...this.#waiting];
    this.#waiting = [];
    for (const { worker } of this.#threads) void worker.terminate();
    for (const { reject } of unfinished) reject(end);
  }
}
