/** The keys a worker signs with; read again each minute, so that a rotation needs no restart. */
import { UserError } from "../../base/errors.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { keyRingOf } from "../key-ring.ts";
import type { Context } from "../context.ts";
import type { Tell } from "./events.ts";

type Needs = Pick<Context, "env" | "config">;

export class KeyWatch {
  readonly #context: Needs;
  readonly #tell: Tell;
  #keys: SigningKeys;

  private constructor(keys: SigningKeys, context: Needs, tell: Tell) {
    this.#keys = keys;
    this.#context = context;
    this.#tell = tell;
  }

  /**
   * Reads them for the first time.
   *
   * @throws UserError `keys-missing`, and those of the environment and the store
   */
  static async open(context: Needs, tell: Tell): Promise<KeyWatch> {
    const keys = await keyRingOf(context);
    if (keys.pairs.length > 0) return new KeyWatch(keys, context, tell);
    throw new UserError("keys-missing", "this worker has no VAPID keys to sign with", {
      hints: [
        "set VAPID_PRIVATE_KEY and VAPID_SUBJECT for it",
        "or keep the pair in the database: webpush store copy local postgres://… --keys",
      ],
    });
  }

  get current(): SigningKeys {
    return this.#keys;
  }

  /** @throws UserError those of the store */
  async refresh(): Promise<void> {
    const keys = await keyRingOf(this.#context);
    const publicKeys = keys.pairs.map(({ publicKey }) => publicKey);
    const before = this.#keys.pairs.map(({ publicKey }) => publicKey);
    this.#keys = keys;
    if (publicKeys.join() !== before.join()) this.#tell({ type: "keys.changed", publicKeys });
  }
}
