/** The part of http_ece 1.2 (which ships no types) that web push needs: one record, ECDH keys. */
declare module "http_ece" {
  import type { ECDH } from "node:crypto";

  interface Parameters {
    readonly version: "aes128gcm" | "aesgcm";
    /** The sender's key pair when encrypting, the receiver's when decrypting. */
    readonly privateKey: ECDH;
    /** The other side's public key; `aes128gcm` reads the sender's from the body. */
    readonly dh?: Buffer | string;
    readonly salt?: Buffer | string;
    readonly authSecret: Buffer | string;
    readonly rs?: number;
    /** Bytes of padding. */
    readonly pad?: number;
  }

  const ece: {
    encrypt(plaintext: Buffer, parameters: Parameters): Buffer;
    decrypt(body: Buffer, parameters: Parameters): Buffer;
  };
  export = ece;
}
