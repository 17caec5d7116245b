/**
 * A worker thread that encrypts batches for `encryptor-pool.ts`.
 *
 * Salts and keys come from the thread's own `node:crypto`: drawn here they never cross a
 * thread. It keeps nothing of a batch, and an error in it is a bug that ends the thread.
 */
import { randomBytes } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { poolRandom } from "../base/random-pool.ts";
import { createRecordEncryption } from "../protocol/encryption.ts";
import { sealOrder, type SealingOrder } from "./encryption-batch.ts";

const encryptRecord = createRecordEncryption();
const random = poolRandom({ bytes: (length) => randomBytes(length) });

parentPort?.on("message", (order: SealingOrder) => {
  const batch = sealOrder(order, encryptRecord, random);
  parentPort?.postMessage(batch, [batch.records.buffer, batch.ends.buffer]);
});
