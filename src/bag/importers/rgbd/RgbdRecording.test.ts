import { cp, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import sharp from "sharp";
import { describeWithRealData } from "../../../../test/support/realData.mjs";
import { decodeDepth } from "../../../camera/decodeDepth.js";
import {
  apply,
  imageBytes,
  ofType,
  project,
  readRecording,
  transformsOf,
  writeFiles,
} from "../dataset/exampleRecording.js";
import { withFolder } from "../../exampleBag.js";
import { RgbdRecording } from "./RgbdRecording.js";

const START = 1_000_000_000_000_000_000n;
const IMAGE = "sensor_msgs/msg/Image";
const INTRINSICS = "30 0 4 0\n0 30 3 0\n0 0 1 0\n0 0 0 1\n";
/** The camera looks along the world's x, 2 m above its origin. */
const POSE = "0 0 1 0.5\r\n-1 0 0 0\r\n0 -1 0 2\r\n0 0 0 1\r\n";
const MILLIMETRES = Uint16Array.from({ length: 48 }, (_, i) => [0, 65_535, 1000 + i][i % 3]!);

async function depthBytes(): Promise<Uint8Array> {
  const raw = { width: 8, height: 6, channels: 1 as const };
  return sharp(MILLIMETRES, { raw }).toColourspace("grey16").png().toBuffer();
}

async function writeScanNet(folder: string): Promise<void> {
  const files: Record<string, string | Uint8Array> = {
    [path.join(folder, "intrinsic", "intrinsic_depth.txt")]: INTRINSICS,
    [path.join(folder, "intrinsic", "intrinsic_color.txt")]: INTRINSICS.replaceAll("30", "60"),
  };
  for (const frame of [9, 10, 300]) {
    files[path.join(folder, "depth", `${frame}.png`)] = await depthBytes();
    files[path.join(folder, "color", `${frame}.jpg`)] = await imageBytes("jpeg", 16, 12);
    files[path.join(folder, "pose", `${frame}.txt`)] = POSE;
  }
  await writeFiles(files);
}

test("ScanNet's layout: depth, colour, poses and intrinsics", async () => {
  await withFolder(async (folder) => {
    await writeScanNet(folder);
    const recording = await RgbdRecording.open(folder);
    expect(recording.scanCount).toBe(3);
    const { messages, warnings } = await readRecording(recording);
    expect(warnings).toEqual([]);
    const stamps = [300_000_000n, 333_333_333n, 10_000_000_000n].map((time) => START + time);
    expect(messages.map(({ topic, stamp }) => [topic, stamp])).toEqual(
      stamps.flatMap((stamp) =>
        [
          "/tf",
          "/camera/color/camera_info",
          "/camera/color/image_rect_color/compressed",
          "/camera/depth/camera_info",
          "/camera/depth/image_rect",
        ].map((topic) => [topic, stamp]),
      ),
    );
    const [depth] = ofType(messages, IMAGE);
    expect(depth!.message).toMatchObject({ width: 8, height: 6, step: 16, encoding: "16UC1" });
    const { data } = await decodeDepth(depth!.message);
    expect([...data]).toEqual(
      [...MILLIMETRES].map((mm) => (mm % 65_535 === 0 ? NaN : Math.fround(mm * 0.001))),
    );
    const infos = ofType(messages, "sensor_msgs/msg/CameraInfo");
    expect(infos.slice(0, 2).map(({ message }) => [message.width, message.k[0]])).toEqual([
      [16, 60],
      [8, 30],
    ]);
    const matrix = transformsOf(messages).lookup("world", "camera_optical_frame", stamps[0]!);
    expect(apply(matrix, [1, 2, 5])).toEqual([5.5, -1, 0].map((value) => expect.closeTo(value, 12)));
  });
});

test("frames that cannot be used are skipped with a warning that names file and value", async () => {
  await withFolder(async (folder) => {
    await writeScanNet(folder);
    const at = (...names: string[]): string => path.join(folder, ...names);
    await writeFile(at("depth", "9.png"), (await depthBytes()).subarray(0, 60));
    await writeFile(at("depth", "11.png"), await imageBytes("png", 8, 6));
    await writeFile(at("pose", "10.txt"), "-inf ".repeat(16));
    await rm(at("color", "10.jpg"));
    await writeFile(at("pose", "300.txt"), POSE.replace("0 0 1 0.5", "0 0 2 0.5"));
    const { messages, warnings } = await readRecording(await RgbdRecording.open(folder));
    expect(warnings).toEqual([
      expect.stringContaining(`${at("depth", "9.png")}: it cannot be decoded: `),
      expect.stringContaining(`${at("pose", "10.txt")} must be 16 numbers, it is '-inf`),
      `${at("depth", "10.png")} has no colour image`,
      `${at("depth", "11.png")}: depth images have one channel of 16 bits, it has 3 of type uchar`,
      expect.stringMatching(/300\.txt: \[.*\] is no pose: its columns are off orthonormal by 3/),
    ]);
    expect(ofType(messages, IMAGE)).toHaveLength(2);
    expect(ofType(messages, "tf2_msgs/msg/TFMessage")).toEqual([]);
  });
});

test("what cannot be read at all is refused in one sentence", async () => {
  await withFolder(async (folder) => {
    const refuse = async (message: RegExp, at = folder): Promise<void> => {
      await expect(RgbdRecording.open(at)).rejects.toMatchObject({
        code: "data-set-unreadable",
        message: expect.stringMatching(message),
      });
    };
    await refuse(/holds neither depth\/\*\.png nor frame-\*\.depth\.png/);
    const scan = path.join(folder, "scan");
    await writeScanNet(scan);
    const intrinsics = path.join(scan, "intrinsic", "intrinsic_depth.txt");
    await writeFile(intrinsics, "585");
    await refuse(/intrinsic_depth\.txt must be a 3x3 or 4x4 matrix of a camera, it is '585'/, scan);
    await rm(intrinsics);
    await refuse(/intrinsic_depth\.txt do not exist: the cameras have no intrinsics/, scan);
    await writeFile(intrinsics, INTRINSICS);
    for (const frame of [9, 10, 300]) await writeFile(path.join(scan, "depth", `${frame}.png`), "none");
    await expect(readRecording(await RgbdRecording.open(scan))).rejects.toThrow(
      /^no scan of .* can be read: /,
    );
    for (const name of ["seq-01", "seq-02"]) {
      await writeFiles({ [path.join(folder, name, "frame-000000.depth.png")]: await depthBytes() });
    }
    await refuse(/holds 2 recordings, name one of them: seq-01, seq-02/);
  });
});

describeWithRealData("7-Scenes as recorded", "rgbd_7scenes", (folder) => {
  test("depth of neighbouring frames agrees through poses and intrinsics", async () => {
    const { messages, warnings } = await readRecording(await RgbdRecording.open(folder));
    expect(warnings).toEqual([]);
    const images = ofType(messages, IMAGE);
    expect(images).toHaveLength(9);
    const [info] = ofType(messages, "sensor_msgs/msg/CameraInfo", "/camera/depth/camera_info");
    const { k } = info!.message;
    const buffer = transformsOf(messages);
    const [a, b] = [await decodeDepth(images[3]!.message), await decodeDepth(images[4]!.message)];
    const toWorld = buffer.lookup("world", "camera_optical_frame", images[3]!.stamp);
    const toB = buffer.lookup("camera_optical_frame", "world", images[4]!.stamp);
    const differences: number[] = [];
    for (let v = 2; v < a.height; v += 5) {
      for (let u = 2; u < a.width; u += 5) {
        const z = a.data[v * a.width + u]!;
        if (Number.isNaN(z)) continue;
        const inA = [((u - k[2]!) * z) / k[0]!, ((v - k[5]!) * z) / k[4]!, z];
        const [column, row, depth] = project(info!.message, apply(toB, apply(toWorld, inA))).map(
          (value, i) => (i < 2 ? Math.round(value) : value),
        ) as [number, number, number];
        if (column < 0 || row < 0 || column >= b.width || row >= b.height) continue;
        const seen = b.data[row * b.width + column]!;
        if (!Number.isNaN(seen)) differences.push(Math.abs(seen - depth));
      }
    }
    expect(differences.length).toBeGreaterThan(5000);
    // 8.5 mm between neighbours as the source of the data measured it.
    expect(differences.sort((x, y) => x - y)[differences.length >> 1]!).toBeLessThan(0.02);
  });

  test("the folder of the frames and its parent mean the same", async () => {
    await withFolder(async (copy) => {
      await cp(folder, copy, { recursive: true });
      await rename(
        path.join(copy, "camera-intrinsics.txt"),
        path.join(copy, "rgbd-frames", "camera-intrinsics.txt"),
      );
      expect((await RgbdRecording.open(path.join(copy, "rgbd-frames"))).scanCount).toBe(9);
      expect((await RgbdRecording.open(copy)).scanCount).toBe(9);
    });
  });
});
