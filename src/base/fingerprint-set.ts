/**
 * A set of fingerprints that stays small with millions of members.
 *
 * A `Set` of a million endpoints takes some 200 MB, or 100 MB of their digests as
 * text. Here a member is the first 12 bytes of a SHA-256 in one typed array, by
 * open addressing: 27 MB for a million. Two of a million members share those 96
 * bits with a chance of 1 in 10^17.
 *
 * Each member carries a mark, one byte: a plain set marks all with 1, the journal
 * of a broadcast keeps in it what became of a recipient. The mark 0 is nobody's,
 * and makes a slot a free one.
 */
import { hash } from "node:crypto";

/** The SHA-256 of a text or of bytes: a name that says nothing about what it names. */
export function fingerprintOf(content: string | Uint8Array): Uint8Array {
  return hash("sha256", content, "buffer");
}

/** 12 bytes. */
const wordsPerMember = 3;
const smallestCapacity = 1024;
/** Fuller than this, linear probing gets slow. */
const greatestLoad = 0.7;

export class FingerprintSet {
  /** A power of two. */
  #capacity = smallestCapacity;
  #words = new Uint32Array(smallestCapacity * wordsPerMember);
  #marks = new Uint8Array(smallestCapacity);
  #size = 0;

  /** How many members there are. */
  get size(): number {
    return this.#size;
  }

  /** Takes a digest in; false when it was a member already, which leaves its mark as it is. */
  add(digest: Uint8Array): boolean {
    if (this.has(digest)) return false;
    this.mark(digest, 1);
    return true;
  }

  has(digest: Uint8Array): boolean {
    return this.markOf(digest) !== 0;
  }

  /** The mark of a member; 0 for who is none. */
  markOf(digest: Uint8Array): number {
    return this.#marks[this.#slotOf(wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8))] ?? 0;
  }

  /** Marks a member, which it becomes by that; `mark` is between 1 and 255. */
  mark(digest: Uint8Array, mark: number): void {
    const [first, second, third] = [wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8)];
    let slot = this.#slotOf(first, second, third);
    if (this.#marks[slot] === 0) {
      this.#size += 1;
      if (this.#size > this.#capacity * greatestLoad) {
        this.#grow();
        slot = this.#slotOf(first, second, third);
      }
    }
    this.#name(slot, first, second, third);
    this.#marks[slot] = mark;
  }

  /** Where a member is, or the free slot where it would be. A digest is random bits, so any of them place it. */
  #slotOf(first: number, second: number, third: number): number {
    const lastSlot = this.#capacity - 1;
    for (let slot = first & lastSlot; ; slot = (slot + 1) & lastSlot) {
      if (this.#marks[slot] === 0) return slot;
      const at = slot * wordsPerMember;
      if (this.#words[at] === first && this.#words[at + 1] === second && this.#words[at + 2] === third)
        return slot;
    }
  }

  #name(slot: number, first: number, second: number, third: number): void {
    const at = slot * wordsPerMember;
    this.#words[at] = first;
    this.#words[at + 1] = second;
    this.#words[at + 2] = third;
  }

  #grow(): void {
    const [words, marks] = [this.#words, this.#marks];
    this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * wordsPerMember);
    this.#marks = new Uint8Array(this.#capacity);
    marks.forEach((mark, oldSlot) => {
      if (mark === 0) return;
      const at = oldSlot * wordsPerMember;
      const [first, second, third] = [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0];
      const slot = this.#slotOf(first, second, third);
      this.#name(slot, first, second, third);
      this.#marks[slot] = mark;
    });
  }
}

/** Four bytes of a digest as an unsigned number. */
function wordAt(digest: Uint8Array, at: number): number {
  const byte = (offset: number) => digest[at + offset] ?? 0;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}
