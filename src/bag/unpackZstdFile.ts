import { randomUUID } from "node:crypto";
import { unlinkSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Decompress } from "fzstd";
import { Fault } from "../faults/Fault.js";
import { reasonOf } from "../files/systemError.js";

export interface UnpackedFile {
  /** Of a file without a name: its space is free again when the handle, or the process, is closed. */
  readonly handle: FileHandle;
  /** The compressed data ended or made no sense before their end. */
  readonly damage?: Fault;
}

const READ_BYTES = 1024 * 1024;
/** The window that `zstd -d` accepts without being told. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
/** Of the free space, so that the rest of the system can still write. */
const USABLE_SHARE = 0.9;

/**
 * Unpacks a file that was zstd-compressed as a whole (`ros2 bag record --compression-mode file`) into a temporary one.
 *
 * @param file for messages
 * @param handle of the compressed file; stays open
 * @param limit bytes; by default most of what is free in the temporary folder
 * @throws Fault `bag-unreadable` when it unpacks to more than the limit, or needs too much memory
 */
export async function unpackZstdFile(
  file: string,
  handle: FileHandle,
  limit?: number,
): Promise<UnpackedFile> {
  const folder = tmpdir();
  const allowed = limit ?? (await freeBytes(folder));
  const tooLarge = (size: string): Fault =>
    new Fault(
      "bag-unreadable",
      `${file} unpacks to ${size} bytes, and ${allowed} may be used in ${folder}: name another folder in TMPDIR, ` +
        `or unpack it yourself: \`zstd -d ${file}\``,
    );
  const { window, contentSize } = await readFrameHeader(handle);
  if (window > MAX_WINDOW_BYTES) {
    throw new Fault(
      "bag-unreadable",
      `${file} needs a zstd window of ${window} bytes, more than ${MAX_WINDOW_BYTES}: unpack it yourself: \`zstd -d --long=31 ${file}\``,
    );
  }
  if (contentSize !== undefined && contentSize > BigInt(allowed)) throw tooLarge(contentSize.toString());

  const target = await openNameless(folder);
  try {
    const blocks: Uint8Array[] = [];
    const decompress = new Decompress((block) => blocks.push(block.slice()));
    let written = 0;
    for (let at = 0; ;) {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, at);
      at += bytesRead;
      const problem = push(decompress, buffer.subarray(0, bytesRead), bytesRead === 0);
      for (const block of blocks.splice(0)) {
        written += block.byteLength;
        if (written > allowed) throw tooLarge(`more than ${allowed}`);
        await target.writeFile(block);
      }
      if (problem !== undefined) {
        const message = `${file}: its compressed data are damaged after ${written} unpacked bytes (${problem}); what is before is read`;
        return { handle: target, damage: new Fault("bag-damaged", message) };
      }
      if (bytesRead === 0) return { handle: target };
    }
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** The library throws what it comes across in damaged data, not only its own errors. */
function push(decompress: Decompress, bytes: Uint8Array, isLast: boolean): string | undefined {
  try {
    decompress.push(bytes, isLast);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor(bavail * bsize * USABLE_SHARE);
}

/** A file whose name is taken away at once, so that no crash or signal can leave it behind. */
async function openNameless(folder: string): Promise<FileHandle> {
  const name = path.join(folder, `ditr-unpacked-${randomUUID()}`);
  const handle = await open(name, "wx+", 0o600);
  unlinkSync(name);
  return handle;
}

interface FrameHeader {
  /** Bytes that must be kept to unpack. */
  readonly window: number;
  readonly contentSize: bigint | undefined;
}

/** RFC 8878, 3.1.1.1: magic 4, descriptor 1, window 0 or 1, dictionary 0 to 4, content size 0 to 8. */
async function readFrameHeader(handle: FileHandle): Promise<FrameHeader> {
  const { buffer } = await handle.read(new Uint8Array(18), 0, 18, 0);
  const data = new DataView(buffer.buffer);
  const descriptor = data.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeAt = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const contentSize = readContentSize(data, descriptor >> 6, sizeAt, singleSegment);
  if (singleSegment) return { window: Number(contentSize), contentSize };
  const base = 2 ** (10 + (data.getUint8(5) >> 3));
  return { window: base + (base / 8) * (data.getUint8(5) & 7), contentSize };
}

function readContentSize(
  data: DataView,
  sizeFlag: number,
  at: number,
  singleSegment: boolean,
): bigint | undefined {
  switch (sizeFlag) {
    case 0:
      return singleSegment ? BigInt(data.getUint8(at)) : undefined;
    case 1:
      return BigInt(data.getUint16(at, true) + 256);
    case 2:
      return BigInt(data.getUint32(at, true));
    default:
      return data.getBigUint64(at, true);
  }
}
