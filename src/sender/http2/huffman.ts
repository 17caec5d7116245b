/**
 * The Huffman code of HPACK (RFC 7541 §5.2, Appendix B), for reading.
 *
 * The code is a canonical one, so the lengths of its 257 codes say it all. It is read
 * four bits at a time: no code is shorter than five, so a step ends one symbol at most.
 */

/** The number of bits of each symbol's code, from 0 to 255, and of the end of a string. */
const codeLengths: readonly number[] = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`
  .trim()
  .split(/\s+/)
  .map(Number);

const endOfString = 256;
const noSymbol = -1;
/** An entry of the tree that no code leads to yet. */
const unset = -1;

/** Where each four bits lead to, and what they end: `state * 16 + bits`. */
interface Steps {
  readonly next: Int16Array;
  readonly symbol: Int16Array;
  /** The states a string may end in: inside of padding, that is at most seven bits, all ones. */
  readonly canEnd: readonly boolean[];
}

const steps = buildSteps(buildTree());

/**
 * Reads a string, or returns `undefined` where it is none: a code that was cut short,
 * padding that is too long or not of ones, the end-of-string symbol itself.
 */
export function readHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const { next, symbol, canEnd } = steps;
  // The shortest code has five bits.
  const text = Buffer.allocUnsafe(Math.floor(((end - start) * 8) / 5));
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let bits = byte >> 4, half = 0; half < 2; bits = byte & 15, half += 1) {
      const step = state * 16 + bits;
      const found = symbol[step] ?? noSymbol;
      if (found === endOfString) return undefined;
      if (found !== noSymbol) text[length++] = found;
      state = next[step] ?? 0;
    }
  }
  return canEnd[state] === true ? text.toString("latin1", 0, length) : undefined;
}

/** A node has two branches; a branch is the number of a node, or `-2 - symbol`. */
type Tree = [zero: number, one: number][];

function buildTree(): Tree {
  const tree: Tree = [[unset, unset]];
  let code = 0;
  let length = 0;
  for (const { symbol, bits } of inOrderOfCodes()) {
    code <<= bits - length;
    length = bits;
    plant(tree, { code, bits, symbol });
    code += 1;
  }
  return tree;
}

function inOrderOfCodes(): readonly { readonly symbol: number; readonly bits: number }[] {
  return codeLengths
    .map((bits, symbol) => ({ symbol, bits }))
    .sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
}

function plant(
  tree: Tree,
  leaf: { readonly code: number; readonly bits: number; readonly symbol: number },
): void {
  let node = 0;
  for (let shift = leaf.bits - 1; shift >= 0; shift -= 1) {
    const branches = tree[node] ?? [unset, unset];
    const side = ((leaf.code >> shift) & 1) as 0 | 1;
    if (shift === 0) branches[side] = -2 - leaf.symbol;
    else if (branches[side] === unset) branches[side] = tree.push([unset, unset]) - 1;
    node = branches[side];
  }
}

function buildSteps(tree: Tree): Steps {
  const next = new Int16Array(tree.length * 16);
  const symbol = new Int16Array(tree.length * 16).fill(noSymbol);
  for (let state = 0; state < tree.length; state += 1) {
    for (let bits = 0; bits < 16; bits += 1) {
      let node = state;
      for (let shift = 3; shift >= 0; shift -= 1) {
        const branch = tree[node]?.[((bits >> shift) & 1) as 0 | 1] ?? 0;
        if (branch < 0) symbol[state * 16 + bits] = -2 - branch;
        node = Math.max(branch, 0);
      }
      next[state * 16 + bits] = node;
    }
  }
  return { next, symbol, canEnd: statesOfPadding(tree) };
}

function statesOfPadding(tree: Tree): readonly boolean[] {
  const canEnd = tree.map(() => false);
  for (let node = 0, ones = 0; ones < 8; ones += 1) {
    canEnd[node] = true;
    node = tree[node]?.[1] ?? 0;
  }
  return canEnd;
}
