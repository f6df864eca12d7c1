import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { compressFrameSync } from "lz4-napi";
import { chunkDecompressors } from "./chunkCompression.js";
import { lz4UnpackedBytes } from "./lz4FrameSize.js";

test("the size of a frame is that of what it unpacks to, whatever the content", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(5000)), { maxLength: 20 }),
      fc.boolean(),
      fc.boolean(),
      (parts, contentChecksum, blockChecksums) => {
        const content = Buffer.concat(parts.flatMap(([bytes, zeros]) => [bytes, Buffer.alloc(zeros)]));
        const frame = compressFrameSync(content, { contentChecksum, blockChecksums });
        expect(lz4UnpackedBytes(frame, Infinity)).toBe(content.byteLength);
        const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        expect(lz4UnpackedBytes(Buffer.concat([frame, skippable, frame]), Infinity)).toBe(
          2 * content.byteLength,
        );
      },
    ),
  );
});

test("frames that are cut off or none are named", () => {
  const frame = compressFrameSync(Buffer.from("lz4 ".repeat(100)));
  expect(() => lz4UnpackedBytes(frame.subarray(0, frame.byteLength - 5), Infinity)).toThrow("ends too soon");
  expect(() => lz4UnpackedBytes(Buffer.from("no frame"), Infinity)).toThrow("no lz4 frame at byte 0");
});

test("a frame that unpacks to more than it declares is refused before it takes the memory", async () => {
  const { lz4 } = await chunkDecompressors();
  const frame = compressFrameSync(Buffer.alloc(600 * 1024 * 1024));
  const before = process.memoryUsage().rss;
  expect(() => lz4!(frame, 1000n)).toThrow(/declares 1000 bytes and unpacks to \d+ or more/);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  expect(lz4!(compressFrameSync(Buffer.from("abc")), 3n)).toEqual(Uint8Array.from(Buffer.from("abc")));
});
