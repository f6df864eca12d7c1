import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { BLOCK, type KeptMessage, MessageRing } from "./MessageRing.js";

const TYPE = "sensor_msgs/msg/Image";

function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value);
}

function ringOf(duration: number, maxBytes: number): { ring: MessageRing; evicted: KeptMessage[] } {
  const evicted: KeptMessage[] = [];
  const ring = new MessageRing({ duration, maxBytes, onEvict: (message) => evicted.push({ ...message }) });
  return { ring, evicted };
}

describe("MessageRing", () => {
  test("keeps copies for the time that was asked for", () => {
    const { ring, evicted } = ringOf(1000, 1e6);
    const cdr = filled(10, 1);
    ring.add("/a", TYPE, cdr, 7n, 0);
    cdr.fill(99);
    ring.add("/b", TYPE, filled(20, 2), 8n, 600);
    ring.add("/a", TYPE, filled(10, 3), 9n, 1000);
    expect(ring.messages().map(({ topic, time, cdr: kept }) => [topic, time, kept[0], kept.length])).toEqual([
      ["/a", 7n, 1, 10],
      ["/b", 8n, 2, 20],
      ["/a", 9n, 3, 10],
    ]);
    ring.expire(1601);
    expect(ring.messages().map(({ time }) => time)).toEqual([9n]);
    expect(evicted.map(({ time }) => time)).toEqual([7n, 8n]);
    expect([ring.droppedForSpace, ring.isShortened(1601)]).toEqual([0, false]);
  });

  test("the oldest leave when the memory is full, and are counted; what is too large does not stay", () => {
    const { ring } = ringOf(1000, 4 * BLOCK);
    for (let i = 0; i < 6; i++) ring.add("/a", TYPE, filled(BLOCK, i), BigInt(i), i);
    expect(ring.messages().map(({ time }) => time)).toEqual([2n, 3n, 4n, 5n]);
    ring.add("/a", TYPE, filled(2 * BLOCK - 10, 6), 6n, 6);
    expect(ring.messages().map(({ time }) => time)).toEqual([4n, 5n, 6n]);
    expect([ring.droppedForSpace, ring.isShortened(6), ring.isShortened(1007)]).toEqual([4, true, false]);
    ring.add("/a", TYPE, filled(5 * BLOCK, 7), 7n, 7);
    expect([ring.messages().length, ring.droppedForSpace]).toEqual([0, 8]);
  });

  test("buffers are used again, but not those that are being written", () => {
    const { ring } = ringOf(1000, 4 * BLOCK);
    ring.add("/a", TYPE, filled(2 * BLOCK, 1), 1n, 0);
    ring.add("/a", TYPE, filled(2 * BLOCK, 2), 2n, 0);
    const [first, second] = ring.messages();
    second!.held = true;
    ring.add("/a", TYPE, filled(2 * BLOCK - 5, 3), 3n, 1);
    ring.add("/a", TYPE, filled(2 * BLOCK, 4), 4n, 2);
    const [third, fourth] = ring.messages();
    // `toBe` would print an ArrayBuffer, and fails at that.
    expect(third!.cdr.buffer === first!.cdr.buffer).toBe(true);
    expect(fourth!.cdr.buffer === second!.cdr.buffer).toBe(false);
    expect([third!.cdr.length, second!.cdr[0], third!.cdr[0], fourth!.cdr[0]]).toEqual([
      2 * BLOCK - 5,
      2,
      3,
      4,
    ]);
  });

  test("is at every moment the newest messages that fit in time and memory, each as it was added", () => {
    const message = fc.record({
      bytes: fc.oneof(fc.nat(200), fc.integer({ min: BLOCK - 2, max: 3 * BLOCK })),
      wait: fc.oneof(fc.constant(0), fc.nat(300)),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (sent, blocks) => {
        const maxBytes = blocks * BLOCK;
        const { ring, evicted } = ringOf(500, maxBytes);
        let now = 0;
        const added: { id: number; at: number; size: number; bytes: number }[] = [];
        for (const [id, { bytes, wait }] of sent.entries()) {
          now += wait;
          ring.add("/a", TYPE, filled(bytes, id), BigInt(id), now);
          const size = bytes < BLOCK ? bytes : Math.ceil(bytes / BLOCK) * BLOCK;
          added.push({ id, at: now, size, bytes });
          let sum = 0;
          const expected = [];
          for (const one of added.toReversed()) {
            sum += one.size;
            if (one.at < now - 500 || sum > maxBytes) break;
            expected.unshift(one);
          }
          const kept = ring.messages();
          expect(kept.map(({ time }) => Number(time))).toEqual(expected.map((one) => one.id));
          for (const [i, { cdr }] of kept.entries()) {
            expect(cdr.length).toBe(expected[i]!.bytes);
            if (cdr.length > 0) expect([cdr[0], cdr.at(-1)]).toEqual([expected[i]!.id, expected[i]!.id]);
          }
          expect(ring.bytes).toBeLessThanOrEqual(maxBytes);
          const tooLarge = added.filter((one) => one.size > maxBytes).length;
          expect(evicted.length + kept.length + tooLarge).toBe(added.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
