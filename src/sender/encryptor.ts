/**
 * Who encrypts the messages of a run.
 *
 * Each message gets a fresh key and salt (RFC 8291 §3.1), so the work is the same for
 * every recipient, and most of what sending costs.
 */
import type { Random } from "../base/clock.ts";
import { poolRandom } from "../base/random-pool.ts";
import { createRecordEncryption, type SealedMessage } from "../protocol/encryption.ts";
import { sealPayload } from "../protocol/push-request.ts";
import type { Subscription } from "../protocol/subscription.ts";
import { createScalar } from "../protocol/vapid.ts";

export interface Encryptor extends Disposable {
  /** Messages should now be handed in before their turn, some hundred at a time: other threads do the work. */
  readonly worksAhead?: boolean;
  /**
   * Encrypts a payload for one subscription.
   *
   * @throws UserError `payload-too-large`
   */
  seal(payload: Uint8Array, to: Subscription): SealedMessage | Promise<SealedMessage>;
}

/** Encrypts here and now, on the caller's thread. */
export function createEncryptor(random: Random): Encryptor {
  const pool = poolRandom(random);
  const encryptRecord = createRecordEncryption();
  return {
    seal(payload, to) {
      const material = { salt: pool.bytes(16), privateKey: createScalar(pool) };
      return sealPayload(payload, to, material, encryptRecord);
    },
    [Symbol.dispose]: () => undefined,
  };
}
