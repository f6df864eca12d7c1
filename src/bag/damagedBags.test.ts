import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Fault } from "../faults/Fault.js";
import type { ChunkCompression } from "./mcap/chunkCompression.js";
import type { ExampleMessage } from "./exampleBag.js";
import { comparable, exampleMessages, mcapBytes, readAll, withFolder } from "./exampleBag.js";
import { chunkCompressor } from "./mcap/chunkCompression.js";
import { openBag } from "./openBag.js";
import type { BagMessage, BagReader } from "./types.js";

/** Messages of which no two have the same bytes, so that each can be found in the file. */
const MESSAGES: readonly ExampleMessage[] = exampleMessages(20).map((message, i) => {
  const data = new Uint8Array(message.data.byteLength + 4);
  data.set(message.data);
  new DataView(data.buffer).setUint32(message.data.byteLength, i * 2654435761);
  return { ...message, data };
});
const KNOWN = new Map(comparable(MESSAGES).map((message, i) => [key(message), i]));

function key(message: unknown): string {
  return (message as unknown[]).map(String).join("\n");
}

/** Several chunks of several messages each. */
async function bagBytes(compression: ChunkCompression): Promise<Uint8Array> {
  const compressChunk = await chunkCompressor(compression);
  return mcapBytes(MESSAGES, { chunkSize: 1000, ...(compressChunk && { compressChunk }) });
}

interface Outcome {
  readonly messages: readonly BagMessage[];
  readonly warnings: readonly Fault[];
}

/** Reads the bytes as a bag; a Fault when they are refused. */
async function readBytes(folder: string, bytes: Uint8Array): Promise<Outcome | Fault> {
  const file = path.join(folder, "damaged.mcap");
  await writeFile(file, bytes);
  let reader: BagReader;
  try {
    reader = await openBag(file);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  const messages = await readAll(reader);
  const { warnings } = reader;
  await reader.close();
  return { messages, warnings };
}

/** Runs with seeds that are always the same and with a fresh one; fast-check prints the seed of a failure. */
async function check<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  await fc.assert(property, { seed: 20261122, numRuns });
  await fc.assert(property, { numRuns });
}

const COMPRESSIONS = ["none", "lz4", "zstd"] as const;

test.each(COMPRESSIONS)(
  "a file cut off anywhere gives the messages before the cut, compression %s",
  async (compression) => {
    const whole = Buffer.from(await bagBytes(compression));
    const chunks = chunkPlaces(whole);
    const ends = MESSAGES.map(({ data }) => whole.indexOf(data) + data.byteLength);
    await withFolder(async (folder) => {
      await check(
        fc.asyncProperty(fc.nat(whole.byteLength - 1), async (cut) => {
          const outcome = await readBytes(folder, whole.subarray(0, cut));
          if (outcome instanceof Fault) {
            expect(cut).toBeLessThan(8);
            return;
          }
          const { messages, warnings } = outcome;
          expect(comparable(messages)).toEqual(comparable(MESSAGES.slice(0, messages.length)));
          const isInChunk = chunks.some(({ start, end }) => cut > start && cut < end);
          expect(warnings.map(({ code }) => code)).toEqual([
            // Between chunks a cut takes the index, and nothing shows whether more.
            isInChunk ? "bag-damaged" : expect.stringMatching(/^bag-(damaged|unindexed)$/),
          ]);
          if (compression === "none") expect(messages.length).toBe(ends.filter((end) => end <= cut).length);
        }),
        20,
      );
      const almostAll = await readBytes(folder, whole.subarray(0, -1));
      expect(almostAll).toMatchObject({ messages: { length: MESSAGES.length } });
    });
  },
);

test.each(COMPRESSIONS)(
  "one damaged chunk costs its messages and one warning, compression %s",
  async (compression) => {
    const bytes = Buffer.from(await bagBytes(compression));
    const places = chunkPlaces(bytes);
    expect(places.length).toBeGreaterThan(5);
    // Both the first byte of the content, which breaks the decompression of many, and one inside.
    for (const [chunk, offset] of [
      [2, 0],
      [3, 60],
    ] as const) {
      const place = places[chunk]!;
      const damaged = Buffer.from(bytes);
      damaged[place.records + offset]! ^= 0x55;
      await withFolder(async (folder) => {
        const outcome = (await readBytes(folder, damaged)) as Outcome;
        const found = comparable(outcome.messages).map((message) => KNOWN.get(key(message)));
        const lost = MESSAGES.map((_, i) => i).filter((i) => !found.includes(i));
        expect(found).toEqual(MESSAGES.map((_, i) => i).filter((i) => !lost.includes(i)));
        expect(lost.length).toBeGreaterThan(0);
        expect(lost).toEqual(Array.from({ length: lost.length }, (_, i) => lost[0]! + i));
        expect(lost.length).toBeLessThan(MESSAGES.length / 4);
        expect(outcome.warnings.map(({ message }) => message)).toEqual([
          expect.stringMatching(
            `is damaged: the chunk at byte ${place.start} cannot be read \\(.+\\)\\. The messages outside`,
          ),
        ]);
      });
    }
  },
);

test.each(COMPRESSIONS)(
  "mutated bytes never invent a message, hang, or throw what is not a Fault, compression %s",
  async (compression) => {
    const whole = await bagBytes(compression);
    const mutation = fc.record({
      at: fc.nat(whole.byteLength - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    await withFolder(async (folder) => {
      await check(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
          const bytes = Buffer.from(whole);
          for (const { at, bytes: replacement } of mutations)
            bytes.set(replacement.subarray(0, bytes.byteLength - at), at);
          const outcome = await readBytes(folder, bytes);
          if (outcome instanceof Fault) {
            expect(outcome.code).toBe("bag-unreadable");
            return;
          }
          // Chunks have checksums, so that what is delivered is what was written, each once and in order.
          const found = comparable(outcome.messages).map((message) => KNOWN.get(key(message)));
          expect(found).toEqual([...new Set(found)].filter((i) => i !== undefined).sort((a, b) => a - b));
        }),
        40,
      );
    });
  },
);

test("bytes without checksums, and random ones behind the magic, never hang or throw what is not a Fault", async () => {
  const magic = Uint8Array.of(0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a);
  const loose = await mcapBytes(MESSAGES, { useChunks: false });
  await withFolder(async (folder) => {
    await check(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.nat(loose.byteLength),
        fc.boolean(),
        async (noise, at, plain) => {
          const bytes = plain ? Buffer.from(loose) : Buffer.concat([magic, noise]);
          if (plain) bytes.set(noise.subarray(0, Math.min(16, bytes.byteLength - at)), at);
          const outcome = await readBytes(folder, bytes);
          if (outcome instanceof Fault) expect(outcome.code).toBe("bag-unreadable");
          else expect(outcome.messages.length).toBeLessThanOrEqual(MESSAGES.length);
        },
      ),
      40,
    );
  });
});

test("random bytes are refused", async () => {
  await withFolder(async (folder) => {
    await check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        expect(await readBytes(folder, bytes)).toMatchObject({ code: "bag-unreadable" });
      }),
      50,
    );
  });
});

test("a chunk that claims to unpack to more than memory can hold is refused before it is unpacked", async () => {
  for (const compression of ["lz4", "zstd"] as const) {
    const bytes = Buffer.from(await bagBytes(compression));
    const [first] = chunkPlaces(bytes);
    bytes.writeBigUInt64LE(0x7fff_ffff_ffffn, first!.start + 25);
    await withFolder(async (folder) => {
      const before = process.memoryUsage().rss;
      const outcome = (await readBytes(folder, bytes)) as Outcome;
      expect(outcome.warnings[0]!.message).toContain("uncompressed size 140737488355327 is larger than");
      expect(outcome.messages.length).toBeGreaterThan(0);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    });
  }
});

/** Where each chunk record and its content start, and where the record ends. */
function chunkPlaces(bytes: Buffer): { start: number; records: number; end: number }[] {
  const places = [];
  for (let at = 8; bytes[at] !== 0x0f;) {
    const end = at + 9 + Number(bytes.readBigUInt64LE(at + 1));
    if (bytes[at] === 0x06) places.push({ start: at, records: at + 49 + bytes.readUInt32LE(at + 37), end });
    at = end;
  }
  return places;
}
