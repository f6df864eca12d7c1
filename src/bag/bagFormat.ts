import { McapConstants } from "@mcap/core";

const ascii = (text: string): readonly number[] => [...Buffer.from(text, "latin1")];

/** The eight bytes that an MCAP file starts with. */
const MCAP_MAGIC_BYTES: readonly number[] = McapConstants.MCAP_MAGIC;

const SQLITE3_START = ascii("SQLite format 3\0");
const ZSTD_START: readonly number[] = [0x28, 0xb5, 0x2f, 0xfd];

/** What a file is, by its first bytes (16 or more, where it has as many). */
export function bagFormat(start: Uint8Array): "mcap" | "sqlite3" | "zstd" | "foreign" {
  if (startsWith(start, MCAP_MAGIC_BYTES)) return "mcap";
  if (startsWith(start, SQLITE3_START)) return "sqlite3";
  return startsWith(start, ZSTD_START) ? "zstd" : "foreign";
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => byte === bytes[i]);
}

/** The command that makes a ROS 2 bag of one of ROS 1. */
export const CONVERT_ROS1 =
  "`pip install rosbags && rosbags-convert --src FILE.bag --dst NEW_BAG --dst-storage mcap`";

interface ForeignFormat {
  readonly start: readonly number[];
  readonly description: string;
}

/** pcap in both byte orders, with micro- and nanoseconds, and pcapng. */
const CAPTURE_STARTS: readonly (readonly number[])[] = [
  [0xd4, 0xc3, 0xb2, 0xa1],
  [0xa1, 0xb2, 0xc3, 0xd4],
  [0x4d, 0x3c, 0xb2, 0xa1],
  [0xa1, 0xb2, 0x3c, 0x4d],
  [0x0a, 0x0d, 0x0d, 0x0a],
];
const CAPTURE =
  "is a capture of network packets (pcap); play it through the driver of the LiDAR, and record its PointCloud2: " +
  "`ros2 bag record -s mcap -a`";

const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  { start: ZSTD_START, description: "is zstd-compressed twice; unpack it first: `zstd -d FILE`" },
  {
    start: ascii("#ROSBAG V"),
    description: `is a ROS 1 bag; convert it to MCAP first: ${CONVERT_ROS1}`,
  },
  { start: [0x1f, 0x8b], description: "is a gzip-compressed file; unpack it first: `gunzip FILE`" },
  { start: ascii("BZh"), description: "is a bzip2-compressed file; unpack it first: `bunzip2 FILE`" },
  {
    start: [0xfd, ...ascii("7zXZ")],
    description: "is an xz-compressed file; unpack it first: `unxz FILE`",
  },
  {
    start: [0x04, 0x22, 0x4d, 0x18],
    description: "is an lz4-compressed file; unpack it first: `lz4 -d FILE`",
  },
  { start: ascii("7z\u00bc\u00af"), description: "is a 7z archive; unpack it first" },
  { start: ascii("Rar!"), description: "is a RAR archive; unpack it first" },
  ...CAPTURE_STARTS.map((start) => ({ start, description: CAPTURE })),
  {
    start: ascii("rosbag2_bagfile_information"),
    description: "is the metadata of a rosbag2 folder; name the folder that it lies in",
  },
  { start: ascii("PK\u0003\u0004"), description: "is a zip archive; unpack it first" },
  {
    start: ascii("# .PCD"),
    description: "is a single PCD point cloud; a bag (MCAP or .db3 file, or rosbag2 folder) is needed",
  },
  {
    start: ascii("ply\n"),
    description: "is a single PLY point cloud; a bag (MCAP or .db3 file, or rosbag2 folder) is needed",
  },
  {
    start: ascii("version https://git-lfs"),
    description: "is a Git LFS pointer and not the file itself; fetch the file first: `git lfs pull`",
  },
];

/** What a file that is no bag seems to be, and what to do about it, as the end of a sentence. */
export function describeForeignFile(path: string, start: Uint8Array): string {
  if (start.byteLength === 0) return "is empty; a bag is needed";
  const format = FOREIGN_FORMATS.find((known) => startsWith(start, known.start));
  if (format !== undefined) return format.description;
  const extension = /\.(mcap|db3)$/.exec(path)?.[0];
  const mismatch = extension === undefined ? "" : `, although it is named ${extension}`;
  const hex = [...start.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `is neither an MCAP nor an SQLite file${mismatch}: it starts with ${hex}`;
}
