import { McapConstants } from "@mcap/core";

/** The eight bytes that an MCAP file starts with. */
export const MCAP_MAGIC_BYTES: readonly number[] = McapConstants.MCAP_MAGIC;

interface ForeignFormat {
  readonly start: readonly number[];
  readonly description: string;
}

const ascii = (text: string): readonly number[] => [...Buffer.from(text, "latin1")];

const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  {
    start: ascii("SQLite format 3"),
    description:
      "is a rosbag2 SQLite file (.db3); convert it to MCAP first: `ros2 bag convert`, or without ROS " +
      "`pip install rosbags && rosbags-convert --src BAG --dst NEW_BAG --dst-storage mcap`",
  },
  {
    start: [0x28, 0xb5, 0x2f, 0xfd],
    description:
      "is a zstd-compressed file, as `ros2 bag record --compression-mode file` writes it; unpack it first: `zstd -d FILE`",
  },
  {
    start: ascii("#ROSBAG V"),
    description:
      "is a ROS 1 bag; convert it to MCAP first: " +
      "`pip install rosbags && rosbags-convert --src FILE.bag --dst NEW_BAG --dst-storage mcap`",
  },
  { start: [0x1f, 0x8b], description: "is a gzip-compressed file; unpack it first: `gunzip FILE`" },
  { start: ascii("PK\u0003\u0004"), description: "is a zip archive; unpack it first" },
  {
    start: ascii("# .PCD"),
    description: "is a single PCD point cloud; a bag (MCAP file or rosbag2 folder) is needed",
  },
  {
    start: ascii("ply\n"),
    description: "is a single PLY point cloud; a bag (MCAP file or rosbag2 folder) is needed",
  },
  {
    start: ascii("version https://git-lfs"),
    description: "is a Git LFS pointer and not the file itself; fetch the file first: `git lfs pull`",
  },
];

/** What a file that is not MCAP seems to be, and what to do about it, as the end of a sentence. */
export function describeForeignFile(path: string, start: Uint8Array): string {
  if (start.byteLength === 0) return "is empty; an MCAP file is needed";
  const format = FOREIGN_FORMATS.find((known) => known.start.every((byte, i) => byte === start[i]));
  if (format !== undefined) return format.description;
  const mismatch = path.endsWith(".mcap") ? ", although it is named .mcap" : "";
  const hex = [...start.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `is not an MCAP file${mismatch}: it starts with ${hex}`;
}
