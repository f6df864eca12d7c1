import { open, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { withFolder } from "./exampleBag.js";
import type { Segment } from "./Readable.js";
import { FileReadable, SegmentedReadable, WindowedReader } from "./Readable.js";

const CONTENT = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff);

async function withFile(action: (file: FileReadable) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const name = path.join(folder, "file");
    await writeFile(name, CONTENT);
    const handle = await open(name, "r");
    await action(new FileReadable(handle, BigInt(CONTENT.byteLength)));
    await handle.close();
  });
}

test("ranges outside the file are refused before memory is asked for", async () => {
  await withFile(async (file) => {
    expect(await file.read(290n, 10n)).toEqual(CONTENT.subarray(290));
    for (const [offset, length] of [
      [290n, 11n],
      [-1n, 2n],
      [0n, -1n],
      [0n, 1n << 60n],
    ] as const) {
      await expect(file.read(offset, length)).rejects.toThrow("are outside the file of 300 bytes");
    }
  });
});

test("reads do not share a buffer", async () => {
  await withFile(async (file) => {
    const [a, b] = await Promise.all([file.read(0n, 50n), file.read(100n, 50n)]);
    expect([a, b]).toEqual([CONTENT.subarray(0, 50), CONTENT.subarray(100, 150)]);
  });
});

test("a file that shrinks while it is read is an error, not an endless loop", async () => {
  await withFolder(async (folder) => {
    const name = path.join(folder, "file");
    await writeFile(name, CONTENT);
    const handle = await open(name, "r");
    const file = new FileReadable(handle, 500n);
    await expect(file.read(250n, 100n)).rejects.toThrow("the file ended at byte 300 while it was read");
    await handle.close();
  });
});

test("segments read as their concatenation", async () => {
  const segment = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.tuple(fc.nat(300), fc.nat(40)).map(([at, length]) => ({
      offset: BigInt(at),
      length: BigInt(Math.min(length, 300 - at)),
    })),
  );
  const property = fc.asyncProperty(
    fc.array(segment, { maxLength: 6 }),
    fc.nat(200),
    fc.nat(200),
    async (segments: Segment[], at, length) => {
      const whole = Buffer.concat(
        segments.map((part) =>
          part instanceof Uint8Array
            ? part
            : CONTENT.subarray(Number(part.offset), Number(part.offset + part.length)),
        ),
      );
      await withFile(async (file) => {
        const readable = new SegmentedReadable(file, segments);
        expect(await readable.size()).toBe(BigInt(whole.byteLength));
        const read = readable.read(BigInt(at), BigInt(length));
        if (at + length > whole.byteLength) await expect(read).rejects.toThrow("are outside");
        else expect(Buffer.compare(await read, whole.subarray(at, at + length))).toBe(0);
      });
    },
  );
  await fc.assert(property, { seed: 20261122, numRuns: 50 });
  await fc.assert(property, { numRuns: 20 });
});

test("a windowed reader gives the bytes of the file, forwards and backwards", async () => {
  await withFile(async (file) => {
    const reader = new WindowedReader(file, 300n);
    for (const [at, length] of [
      [0, 9],
      [9, 100],
      [250, 50],
      [3, 5],
    ] as const) {
      expect(Buffer.compare(await reader.bytes(BigInt(at), length), CONTENT.subarray(at, at + length))).toBe(
        0,
      );
    }
  });
});
