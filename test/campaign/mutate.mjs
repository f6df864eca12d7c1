// What storage, networks and drivers do to bytes.

const HOSTILE_WORDS = [
  0, 1, 2, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 0x7fc0_0000, 0x7f80_0000,
];

/** Each takes a private copy and returns the bytes and the ranges of the original that are no longer there. */
const MUTATIONS = {
  bitFlips(bytes, random) {
    const touched = [];
    for (let n = 1 + random.below(8); n > 0; n--) {
      const at = random.below(bytes.length);
      bytes[at] ^= 1 << random.below(8);
      touched.push([at, at + 1]);
    }
    return { bytes, touched };
  },
  hostileWords(bytes, random) {
    const touched = [];
    for (let n = 1 + random.below(3); n > 0; n--) {
      // Lengths are aligned to 4 bytes in CDR and lie anywhere in MCAP; most are near the start.
      const span = random.below(2) === 0 ? Math.min(bytes.length, 256) : bytes.length;
      let at = random.below(span);
      if (random.below(2) === 0) at -= at % 4;
      const size = random.of([4, 4, 8]);
      if (at + size > bytes.length) continue;
      const word = random.below(2) === 0 ? random.of(HOSTILE_WORDS) : random.word();
      const littleEndian = random.below(4) !== 0;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (size === 8) view.setBigUint64(at, BigInt(word) << BigInt(random.of([0, 16, 32])), littleEndian);
      else view.setUint32(at, word, littleEndian);
      touched.push([at, at + size]);
    }
    return { bytes, touched };
  },
  /** A size that is a little wrong. */
  wrongSize(bytes, random) {
    const at = random.below(Math.max(1, bytes.length - 4));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (at + 4 > bytes.length) return { bytes, touched: [] };
    view.setUint32(at, (view.getUint32(at, true) + random.of([-4, -1, 1, 4, 100])) >>> 0, true);
    return { bytes, touched: [[at, at + 4]] };
  },
  truncation(bytes, random) {
    const end = random.below(bytes.length);
    return { bytes: bytes.slice(0, end), touched: [[end, bytes.length]] };
  },
  wipe(bytes, random) {
    const at = random.below(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.below(random.of([16, 512, 4096])));
    bytes.fill(random.of([0, 0xff, random.below(256)]), at, end);
    return { bytes, touched: [[at, end]] };
  },
  noise(bytes, random) {
    const at = random.below(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.below(64));
    for (let i = at; i < end; i++) bytes[i] = random.below(256);
    return { bytes, touched: [[at, end]] };
  },
  /** Two blocks of one size change places. */
  swap(bytes, random) {
    const size = 1 + random.below(Math.min(256, bytes.length >> 1));
    const [a, b] = [random.below(bytes.length - size), random.below(bytes.length - size)];
    const first = bytes.slice(a, a + size);
    bytes.copyWithin(a, b, b + size);
    bytes.set(first, b);
    return {
      bytes,
      touched: [
        [a, a + size],
        [b, b + size],
      ],
    };
  },
  deletion(bytes, random) {
    const at = random.below(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.below(64));
    return { bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]), touched: [[at, end]] };
  },
  insertion(bytes, random) {
    const at = random.below(bytes.length);
    const noise = Uint8Array.from({ length: 1 + random.below(64) }, () => random.below(256));
    // What the insertion splits is no longer there in one piece.
    return {
      bytes: Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]),
      touched: [[at, at + 1]],
    };
  },
};

/** @returns {{ kind: string, bytes: Uint8Array<ArrayBuffer>, touched: [number, number][] }} */
export function mutate(original, random) {
  const kind = random.of(Object.keys(MUTATIONS));
  const { bytes, touched } = MUTATIONS[kind](Uint8Array.from(original), random);
  return { kind, bytes: new Uint8Array(bytes), touched };
}

/** Is any byte of the range gone? */
export function isTouched(touched, start, end) {
  return touched.some(([from, to]) => from < end && to > start);
}
