import { expect, test } from "@jest/globals";
import { documentedTable, markdownTable } from "../../test/support/documentedTable.mjs";
import { Fault } from "../faults/Fault.js";
import { bytesPerPixel } from "../messages/imageEncodings.js";
import type { Image } from "../messages/types.js";
import { decodeDepth } from "./decodeDepth.js";
import { decodeImage } from "./decodeImage.js";

/** sensor_msgs/image_encodings.hpp (rolling), and the OpenCV types that cameras send. */
const ENCODINGS = [
  ...["rgb8", "rgba8", "rgb16", "rgba16", "bgr8", "bgra8", "bgr16", "bgra16", "mono8", "mono16"],
  ...["8UC1", "8UC3", "8UC4", "16UC1", "16UC3", "16SC1", "32SC1", "32FC1", "32FC3", "64FC1"],
  ...["rggb", "bggr", "gbrg", "grbg"].flatMap((order) => [`bayer_${order}8`, `bayer_${order}16`]),
  ...["uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21", "nv24"],
];

const [WIDTH, HEIGHT] = [4, 2];

/** An image in the middle of a buffer that is full of something else. */
function poisoned(encoding: string, memory: Uint8Array): Image {
  const step = WIDTH * (bytesPerPixel(encoding) ?? 1) + 3;
  const rows = encoding.startsWith("nv24") ? 3 * HEIGHT : encoding.startsWith("nv") ? 1.5 * HEIGHT : HEIGHT;
  memory.fill(0xe7);
  const data = memory.subarray(5, 5 + step * rows);
  data.forEach((_, i) => {
    data[i] = (i * 29) % 251;
  });
  const header = { stamp: 0n, frameId: "camera" };
  return { header, width: WIDTH, height: HEIGHT, encoding, isBigEndian: false, step, data };
}

async function isRead(decode: () => Promise<{ width: number; height: number }>): Promise<boolean> {
  try {
    const { width, height } = await decode();
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code === "unsupported-encoding") return false;
    throw error;
  }
}

test("docs/inputs.md says which encodings are read (UPDATE_DOCS=1 writes it)", async () => {
  const memory = new Uint8Array(1 << 10);
  const rows = [];
  for (const encoding of ENCODINGS) {
    const picture = await isRead(() => decodeImage(poisoned(encoding, memory)));
    const depth = await isRead(() => decodeDepth(poisoned(encoding, memory)));
    rows.push([encoding, picture ? "yes" : "no", depth ? "yes" : "no"]);
  }
  const table = markdownTable(["encoding", "picture", "depth"], rows);
  expect(documentedTable("docs/inputs.md", "image encodings", table)).toBe(table);
});

test.each(ENCODINGS)("what is read of %s is a copy", async (encoding) => {
  const memory = new Uint8Array(1 << 10);
  for (const decode of [decodeImage, decodeDepth]) {
    if (!(await isRead(() => decode(poisoned(encoding, memory))))) continue;
    const first = await decode(poisoned(encoding, memory));
    const kept = first.data.slice();
    memory.fill(0x5a);
    expect(first.data).toEqual(kept);
    const again = await decode(poisoned(encoding, memory));
    expect(again.data).toEqual(kept);
  }
});
