import type { McapTypes } from "@mcap/core";
import { compress, decompress, isLoaded } from "@foxglove/wasm-zstd";
import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import { lz4UnpackedBytes } from "./lz4FrameSize.js";

export type ChunkCompression = "none" | "lz4" | "zstd";

/**
 * The largest chunk that is unpacked. Recorders write a few MB; a larger claim is damage or an attack, and
 * the WebAssembly heap of zstd writes over its own start when it cannot give the memory asked for.
 */
export const MAX_CHUNK_BYTES = 256 * 1024 * 1024;

/** As rosbag2's preset `zstd_fast`: the labels of a cloud shrink well, its coordinates hardly at any level. */
const ZSTD_LEVEL = 1;

export type CompressChunk = (chunk: Uint8Array) => { compression: string; compressedData: Uint8Array };

/** `compressChunk` for McapWriter; undefined for plain chunks. */
export async function chunkCompressor(compression: ChunkCompression): Promise<CompressChunk | undefined> {
  switch (compression) {
    case "none":
      return undefined;
    case "lz4":
      return (chunk) => ({ compression, compressedData: compressFrameSync(asBuffer(chunk)) });
    case "zstd":
      await isLoaded;
      return (chunk) => ({ compression, compressedData: compress(chunk, ZSTD_LEVEL) });
  }
}

/**
 * Decompressors by MCAP compression name. They throw on damaged input and on sizes that do not fit, and
 * stay usable afterwards. (The lz4 of `@mcap/support` does not: one damaged frame leaves its decompression
 * context in the middle of a block, and every later frame fails.)
 */
export async function chunkDecompressors(): Promise<McapTypes.DecompressHandlers> {
  await isLoaded;
  return {
    lz4: (data, size) => {
      const expected = checkedSize(size);
      const unpacked = lz4UnpackedBytes(data, expected);
      if (unpacked > expected) {
        throw new Error(`it declares ${expected} bytes and unpacks to ${unpacked} or more`);
      }
      return ofSize(decompressFrameSync(asBuffer(data)), expected);
    },
    zstd: decompressZstd,
  };
}

/** `isLoaded` of wasm-zstd must have been awaited (`chunkDecompressors` does). */
function decompressZstd(data: Uint8Array, size: bigint): Uint8Array {
  const expected = checkedSize(size);
  return ofSize(decompress(data, expected), expected);
}

const ZSTD_MAGIC = 0xfd2fb528;

/**
 * `ros2 bag record --compression-mode message` puts a zstd frame in the place of each message.
 * CDR starts with 0x00, a zstd frame with 0x28, so that one cannot be taken for the other.
 */
export function isZstdFrame(data: Uint8Array): boolean {
  return data.byteLength >= 4 && view(data).getUint32(0, true) === ZSTD_MAGIC;
}

/** Unpacks one zstd frame that says its size (RFC 8878, 3.1.1.1), as `ZSTD_compress` writes it. */
export function decompressZstdFrame(frame: Uint8Array): Uint8Array {
  const data = view(frame);
  const descriptor = data.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  let size: bigint;
  switch (descriptor >> 6) {
    case 0:
      if (!singleSegment) throw new Error("the zstd frame does not say its size");
      size = BigInt(data.getUint8(at));
      break;
    case 1:
      size = BigInt(data.getUint16(at, true) + 256);
      break;
    case 2:
      size = BigInt(data.getUint32(at, true));
      break;
    default:
      size = data.getBigUint64(at, true);
  }
  return decompressZstd(frame, size);
}

function checkedSize(size: bigint): number {
  if (size > MAX_CHUNK_BYTES) {
    throw new Error(`uncompressed size ${size.toString()} is larger than ${MAX_CHUNK_BYTES} bytes`);
  }
  return Number(size);
}

function ofSize(data: Uint8Array, size: number): Uint8Array {
  if (data.byteLength !== size) {
    throw new Error(`decompressed to ${data.byteLength} bytes, expected ${size}`);
  }
  return data;
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
