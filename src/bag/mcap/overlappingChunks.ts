import type { McapTypes } from "@mcap/core";
import { Fault } from "../../faults/Fault.js";

/**
 * Bytes. Recorders write chunks one after the other, of a few MB each, of which few overlap in time. All that do are held
 * unpacked while their time is read, and a small file can have any number of them.
 */
const MOST_AT_ONCE = 2 * 1024 ** 3;

type ChunkTimes = Pick<
  McapTypes.TypedMcapRecords["ChunkIndex"],
  "messageStartTime" | "messageEndTime" | "uncompressedSize"
>;

/** The most bytes that chunks take, unpacked, that have messages around the same time. */
export function unpackedAtOnce(chunks: readonly ChunkTimes[]): number {
  const byStart = chunks.toSorted((a, b) => compare(a.messageStartTime, b.messageStartTime));
  const byEnd = chunks.toSorted((a, b) => compare(a.messageEndTime, b.messageEndTime));
  let [held, most, ended] = [0, 0, 0];
  for (const { messageStartTime, uncompressedSize } of byStart) {
    while (byEnd[ended]!.messageEndTime < messageStartTime) held -= Number(byEnd[ended++]!.uncompressedSize);
    held += Number(uncompressedSize);
    most = Math.max(most, held);
  }
  return most;
}

/** @throws Fault `bag-unreadable` when reading in the order of time would take too much memory */
export function refuseOverlap(path: string, chunks: readonly ChunkTimes[]): void {
  const bytes = unpackedAtOnce(chunks);
  if (bytes <= MOST_AT_ONCE) return;
  const gigabytes = (n: number): string => (n / 1024 ** 3).toFixed(1);
  throw new Fault(
    "bag-unreadable",
    `${path} has chunks of ${gigabytes(bytes)} GiB around the same time, and ${gigabytes(MOST_AT_ONCE)} GiB are held at once; ` +
      `write its messages in their order first: \`mcap sort ${path} -o SORTED.mcap\``,
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
