import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { describeWithRealData } from "../../../../test/support/realData.mjs";
import { readColumn, readXyz } from "../../../messages/pointColumns.js";
import {
  apply,
  floatBytes,
  imageBytes,
  labelBytes,
  ofType,
  project,
  readRecording,
  transformsOf,
  writeFiles,
} from "../dataset/exampleRecording.js";
import { withFolder } from "../../exampleBag.js";
import { SemanticKittiSequence } from "./SemanticKittiSequence.js";

const CLOUD = "sensor_msgs/msg/PointCloud2";
const START = BigInt(Date.UTC(2011, 8, 26)) * 1_000_000n;
// The axes of the cameras, and round numbers.
const TR = [0, -1, 0, -0.01, 0, 0, -1, -0.05, 1, 0, 0, -0.3];
const P2 = [700, 0, 20, 45, 0, 700, 6, -0.1, 0, 0, 1, 0.004];
/** Camera 0 moves `frame` metres forward and turns `frame` quarters to the left (about -y). */
const POSES = [0, 1, 2, 3].map((frame) => {
  const [c, s] = [Math.cos((frame * Math.PI) / 2), Math.sin((frame * Math.PI) / 2)];
  return [c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, frame];
});
const file = (folder: string, sensor: string, frame: number): string => {
  const extension = { velodyne: "bin", labels: "label" }[sensor] ?? "png";
  return path.join(folder, sensor, `${String(frame).padStart(6, "0")}.${extension}`);
};

/** Scans of `frame` + 2 points, labels, poses, times and camera 2: as published. */
async function writeSequence(folder: string, frames = 3): Promise<string> {
  const sequence = path.join(folder, "dataset", "sequences", "08");
  const files: Record<string, string | Uint8Array> = {
    [path.join(sequence, "calib.txt")]: `P2: ${P2.join(" ")}\nTr: ${TR.join(" ")}\n`,
    [path.join(sequence, "poses.txt")]: POSES.map((pose) => `${pose.join(" ")}\n`).join(""),
    [path.join(sequence, "times.txt")]: "0.000000e+00\n1.037850e-01\n2.076240e-01\n3.1e-01\n",
  };
  const image = await imageBytes("png", 40, 12);
  for (let frame = 0; frame < frames; frame++) {
    const points = Array.from({ length: 4 * (frame + 2) }, (_, i) => i + frame / 8);
    files[file(sequence, "velodyne", frame)] = floatBytes(points);
    // Instances are in the upper half.
    files[file(sequence, "labels", frame)] = labelBytes(
      Array.from({ length: frame + 2 }, (_, i) => [252 + 65536 * 7, 40, 99, 81][i]!),
    );
    files[file(sequence, "image_2", frame)] = image;
  }
  await writeFiles(files);
  return sequence;
}

test("a sequence is read in time order, and its clouds carry learning ids", async () => {
  await withFolder(async (folder) => {
    const sequence = await writeSequence(folder);
    const { messages, warnings } = await readRecording(await SemanticKittiSequence.open(folder));
    expect(warnings).toEqual([]);
    const stamps = [0n, 103_785_000n, 207_624_000n].map((time) => START + time);
    expect(messages.map(({ topic, stamp }) => [topic, stamp])).toEqual([
      ["/tf_static", START],
      ["/ground_truth/label_info", START],
      ...stamps.flatMap((stamp) =>
        [
          "/tf",
          "/kitti/camera_color_left/camera_info",
          "/kitti/camera_color_left/image_rect_color/compressed",
          "/kitti/velo/pointcloud",
        ].map((topic) => [topic, stamp]),
      ),
    ]);
    const cloud = ofType(messages, CLOUD)[2]!.message;
    expect(cloud.width).toBe(4);
    expect([...readColumn(cloud, "intensity", new Float32Array(4))]).toEqual([3.25, 7.25, 11.25, 15.25]);
    expect([...readColumn(cloud, "ground_truth", new Uint32Array(4))]).toEqual([1, 9, 0, 19]);
    const [info] = ofType(messages, "vision_msgs/msg/LabelInfo");
    expect(info!.message.classMap[19]).toEqual({ classId: 19, className: "traffic-sign" });
    // The folder of the sequence and its number mean the same.
    expect((await readRecording(await SemanticKittiSequence.open(sequence))).messages).toEqual(messages);
    const named = await SemanticKittiSequence.open(folder, { sequence: "08" });
    expect([named.folder, named.scanCount]).toEqual([sequence, 3]);
  });
});

test("transforms and camera_info project as P2 * Tr * X", async () => {
  await withFolder(async (folder) => {
    await writeSequence(folder);
    const { messages } = await readRecording(await SemanticKittiSequence.open(folder));
    const [info] = ofType(messages, "sensor_msgs/msg/CameraInfo");
    const matrix = transformsOf(messages).lookup(info!.message.header.frameId, "velo_link", "latest");
    for (const point of [
      [5, 1, -1],
      [20, -7, 2],
    ]) {
      const camera = [0, 1, 2].map(
        (i) =>
          TR[4 * i]! * point[0]! + TR[4 * i + 1]! * point[1]! + TR[4 * i + 2]! * point[2]! + TR[4 * i + 3]!,
      );
      const [u, v, w] = [0, 1, 2].map(
        (i) =>
          P2[4 * i]! * camera[0]! +
          P2[4 * i + 1]! * camera[1]! +
          P2[4 * i + 2]! * camera[2]! +
          P2[4 * i + 3]!,
      );
      const seen = project(info!.message, apply(matrix, point));
      expect(Math.hypot(seen[0] - u! / w!, seen[1] - v! / w!)).toBeLessThan(1e-9);
    }
  });
});

test("poses of the camera become odom to base_link", async () => {
  await withFolder(async (folder) => {
    await writeSequence(folder);
    const { messages } = await readRecording(await SemanticKittiSequence.open(folder));
    const buffer = transformsOf(messages);
    expect(apply(buffer.lookup("odom", "base_link", START), [1, 2, 3])).toEqual(
      [1, 2, 3].map((v) => expect.closeTo(v, 12)),
    );
    // The velodyne is 0.3 m before and 0.01 m beside the camera, which turns a quarter left and goes 1 m ahead.
    const stamp = START + 103_785_000n;
    const toFirstVelodyne = buffer.lookup("odom", "velo_link", stamp);
    const inVelodyne = apply(toFirstVelodyne, [10, 0, -1.73]);
    const camera = [-0.01, -0.05, 10 - 0.3].map((v, i) => v + [0, 1.73, 0][i]!);
    const pose = POSES[1]!;
    const inFirstCamera = [0, 1, 2].map(
      (i) =>
        pose[4 * i]! * camera[0]! +
        pose[4 * i + 1]! * camera[1]! +
        pose[4 * i + 2]! * camera[2]! +
        pose[4 * i + 3]!,
    );
    // Back through Tr by hand: x = z_camera + 0.3, y = -(x_camera + 0.01), z = -(y_camera + 0.05).
    expect(inVelodyne).toEqual([
      expect.closeTo(inFirstCamera[2]! + 0.3, 9),
      expect.closeTo(-(inFirstCamera[0]! + 0.01), 9),
      expect.closeTo(-(inFirstCamera[1]! + 0.05) + 1.73, 9),
    ]);
  });
});

test("frames that cannot be used are skipped with a warning that names file and value", async () => {
  await withFolder(async (folder) => {
    const sequence = await writeSequence(folder, 7);
    const skip = async (frame: number, sensor: string, content: string | Uint8Array): Promise<void> =>
      writeFile(file(sequence, sensor, frame), content);
    await skip(0, "velodyne", new Uint8Array(30));
    await skip(1, "labels", labelBytes([40]));
    await skip(2, "labels", labelBytes([40, 40, 777, 40]));
    await skip(3, "image_2", "no image");
    await rm(file(sequence, "labels", 3));
    await writeFile(path.join(sequence, "times.txt"), "0\n0.1\n0.2\n0.3\nsoon\n0.5\n0.6\n");
    const { messages, warnings } = await readRecording(await SemanticKittiSequence.open(sequence));
    expect(warnings).toEqual([
      `${file(sequence, "velodyne", 0)} has 30 bytes for the 2 labels of ${file(sequence, "labels", 0)}: ` +
        "x, y, z, intensity as float32 are 16 bytes a point",
      `${file(sequence, "velodyne", 1)} has 48 bytes for the 1 labels of ${file(sequence, "labels", 1)}, ` +
        "which would be 12 columns (48 bytes a point): x, y, z, intensity as float32 are 16 bytes a point",
      `${file(sequence, "labels", 2)}: label 777 of point 2 is not in the learning map`,
      expect.stringContaining(`${file(sequence, "image_2", 3)}: it is not an image: `),
      expect.stringContaining(`${file(sequence, "labels", 3)} cannot be read: ENOENT`),
      `${file(sequence, "velodyne", 4)} is skipped: line 5 of ${path.join(sequence, "times.txt")} is missing or not a time`,
      expect.stringMatching(/^line 6 of .*poses\.txt must be 12 numbers, it is ''/),
      expect.stringMatching(/^line 7 of .*poses\.txt must be 12 numbers, it is ''/),
    ]);
    expect(ofType(messages, CLOUD).map(({ stamp }) => stamp)).toEqual(
      [5n, 6n].map((i) => START + i * 100_000_000n),
    );
  });
});

test("ids can be declared unlabeled, folders named, and labels, times, calibration and images are optional", async () => {
  await withFolder(async (folder) => {
    await writeFiles({
      [path.join(folder, "full", "000004.bin")]: floatBytes([1, 2, 3, 0.5, 4, 5, 6, 0.25]),
      [path.join(folder, "partial", "000004.label")]: labelBytes([65535, 70]),
    });
    const options = { scans: "full", labels: "partial" };
    const ignoring = await SemanticKittiSequence.open(folder, { ...options, ignoredIds: [65535] });
    const { messages, warnings } = await readRecording(ignoring);
    expect(warnings).toEqual([
      `${path.join(folder, "calib.txt")} does not exist: the bag has no poses and no images`,
      `${path.join(folder, "times.txt")} does not exist: scans are taken as 100 ms apart`,
    ]);
    const [cloud] = ofType(messages, CLOUD);
    expect(cloud!.stamp).toBe(START + 400_000_000n);
    expect([...readColumn(cloud!.message, "ground_truth", new Uint32Array(2))]).toEqual([0, 15]);
    const bare = await readRecording(await SemanticKittiSequence.open(folder, { scans: "full" }));
    expect(bare.messages.map(({ topic }) => topic)).toEqual(["/tf_static", "/kitti/velo/pointcloud"]);
    const strict = await SemanticKittiSequence.open(folder, options);
    await expect(readRecording(strict)).rejects.toMatchObject({
      code: "data-set-unreadable",
      message: expect.stringMatching(/^no scan of .* can be read: /),
    });
  });
});

test("folders that cannot be read at all are refused in one sentence", async () => {
  await withFolder(async (folder) => {
    const refuse = async (message: RegExp, options = {}, at = folder): Promise<void> => {
      await expect(SemanticKittiSequence.open(at, options)).rejects.toMatchObject({
        code: "data-set-unreadable",
        message: expect.stringMatching(message),
      });
    };
    await refuse(/is not a SemanticKITTI folder: it holds neither velodyne nor sequences/);
    const sequence = await writeSequence(folder);
    await refuse(/has no sequence 09; it has 08/, { sequence: "09" });
    await refuse(/holds no labels/, { labels: "annotations" });
    await writeFiles({ [file(path.join(path.dirname(sequence), "10"), "velodyne", 0)]: "" });
    await refuse(/holds 2 sequences, name one of them: 08, 10/);
  });
});

test.each([
  ["Tr: 1 2 3\n", /calib\.txt: Tr must be 12 numbers, it is '1 2 3'/],
  [`Tr: ${TR.map((v) => 2 * v).join(" ")}\n`, /Tr is not a rotation: its columns are off orthonormal by 3/],
])("a calibration that cannot be read costs poses and images, not the scans", async (text, warning) => {
  await withFolder(async (folder) => {
    const sequence = await writeSequence(folder);
    await writeFile(path.join(sequence, "calib.txt"), text);
    const { messages, warnings } = await readRecording(await SemanticKittiSequence.open(folder));
    expect(ofType(messages, CLOUD)).toHaveLength(3);
    expect(messages.some(({ topic }) => topic === "/tf" || topic.includes("image"))).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(warning),
      expect.stringContaining("image_2 is skipped: calib.txt has no P2 that can be used"),
    ]);
  });
});

/** As a scanner on a car sees a street: x and y to both sides, the ground below. */
function streetPoints(count: number, columns: number): Uint8Array {
  return floatBytes(
    Array.from({ length: count }, (_, i) => {
      const [range, angle] = [5 + (i % 37), i * 0.7];
      const point = [range * Math.cos(angle), range * Math.sin(angle), -1.7 + (i % 11) / 10, (i % 50) / 60];
      return [...point, i % 64, i / 1e5, 7, 8].slice(0, columns);
    }).flat(),
  );
}

test.each([
  [3, 400],
  [5, 400],
  [6, 402],
  [8, 400],
])("scans of %p columns are refused with both sizes, with labels and without", async (columns, count) => {
  await withFolder(async (folder) => {
    const sequence = path.join(folder, "sequences", "08");
    const [scan, label] = [file(sequence, "velodyne", 0), file(sequence, "labels", 0)];
    await writeFiles({ [scan]: streetPoints(count, columns) });
    const bytes = 4 * columns * count;
    await expect(readRecording(await SemanticKittiSequence.open(folder))).rejects.toThrow(
      `${scan}: ` +
        (bytes % 16 === 0
          ? `its values make no sense as ${bytes / 16} points of x, y, z, intensity as float32: 16 bytes a point; `
          : `it has ${bytes} bytes, not a multiple of 16 (x, y, z, intensity as float32: 16 bytes a point); `) +
        `it fits ${count} points of ${columns} columns (${4 * columns} bytes a point), which are not read`,
    );
    await writeFiles({ [label]: labelBytes(Array<number>(count).fill(40)) });
    await expect(readRecording(await SemanticKittiSequence.open(folder))).rejects.toThrow(
      `${scan} has ${bytes} bytes for the ${count} labels of ${label}, which would be ${columns} columns (${4 * columns} ` +
        "bytes a point): x, y, z, intensity as float32 are 16 bytes a point",
    );
  });
});

test("scans of the right columns are read; names that are times are their times", async () => {
  await withFolder(async (folder) => {
    const velodyne = path.join(folder, "sequences", "08", "velodyne");
    await writeFiles({
      [path.join(velodyne, "1532169145483189.bin")]: streetPoints(400, 4),
      [path.join(velodyne, "1532169145283189.bin")]: streetPoints(400, 4),
    });
    const { messages, warnings } = await readRecording(await SemanticKittiSequence.open(folder));
    expect(ofType(messages, CLOUD).map(({ stamp }) => stamp)).toEqual([
      1_532_169_145_283_189_000n,
      1_532_169_145_483_189_000n,
    ]);
    expect(warnings).toContainEqual(
      expect.stringMatching(/times\.txt does not exist: the names of the scans are taken as their times$/),
    );
  });
});

describeWithRealData("SemanticKITTI as recorded", "semantickitti", (folder) => {
  test("labels of points five frames apart agree through the poses", async () => {
    const recording = await SemanticKittiSequence.open(folder, {
      scans: "subset/velodyne",
      labels: "subset/labels",
    });
    const { messages, warnings } = await readRecording(recording);
    expect(warnings).toEqual([expect.stringContaining("times.txt does not exist")]);
    const clouds = ofType(messages, CLOUD);
    expect(clouds).toHaveLength(15);
    const buffer = transformsOf(messages);
    const [first, later] = [clouds[0]!, clouds[5]!];
    /** Label of each 0.1 m cell of odom. */
    const cells = ({ stamp, message }: (typeof clouds)[number], moved: boolean): Map<string, number> => {
      const matrix = buffer.lookup("odom", "velo_link", moved ? stamp : first.stamp);
      const xyz = readXyz(message);
      const labels = readColumn(message, "ground_truth", new Uint32Array(message.width));
      return new Map(
        [...labels].flatMap((label, i) =>
          label === 0
            ? []
            : [
                [
                  apply(matrix, [...xyz.subarray(3 * i, 3 * i + 3)])
                    .map((v) => Math.round(v / 0.1))
                    .join(),
                  label,
                ] as const,
              ],
        ),
      );
    };
    const agreement = (moved: boolean): number => {
      const [a, b] = [cells(first, true), cells(later, moved)];
      const both = [...a].filter(([cell]) => b.has(cell));
      expect(both.length).toBeGreaterThan(1000);
      return both.filter(([cell, label]) => b.get(cell) === label).length / both.length;
    };
    expect(agreement(true)).toBeGreaterThan(0.92);
    expect(agreement(false)).toBeLessThan(0.85);
  });

  test("partial labels are read when their id of unknown points is declared", async () => {
    const options = { scans: "velodyne_full", labels: "labels_partial", ignoredIds: [65535] };
    const { messages, warnings } = await readRecording(await SemanticKittiSequence.open(folder, options));
    expect(warnings).toHaveLength(1);
    const [cloud] = ofType(messages, CLOUD);
    const labels = readColumn(cloud!.message, "ground_truth", new Uint32Array(cloud!.message.width));
    const known = labels.filter((label) => label > 0).length / labels.length;
    expect(known).toBeGreaterThan(0.3);
    expect(known).toBeLessThan(0.45);
  });
});
