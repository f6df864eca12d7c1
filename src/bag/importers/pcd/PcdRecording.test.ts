import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { describeWithRealData } from "../../../../test/support/realData.mjs";
import { readColumn, readXyz } from "../../../messages/pointColumns.js";
import {
  apply,
  floatBytes,
  imageBytes,
  ofType,
  project,
  readRecording,
  transformsOf,
  writeFiles,
} from "../dataset/exampleRecording.js";
import { withFolder } from "../../exampleBag.js";
import { parseBoxes } from "./annotatedBoxes.js";
import { PcdRecording } from "./PcdRecording.js";

const CLOUD = "sensor_msgs/msg/PointCloud2";
const START = 1_000_000_000_000_000_000n;
/** The camera looks along x. */
const LIDAR_TO_CAMERA = [0, -1, 0, 0.1, 0, 0, -1, 0.2, 1, 0, 0, -0.3, 0, 0, 0, 1];
const POINTS = [
  [10, 0, 0, 0.5],
  [10.4, 1.9, 0, 0.5],
  [0, 5, 0, 0.5],
];
const BOX = {
  obj_type: "Car",
  psr: {
    position: { x: 10, y: 0, z: 0 },
    rotation: { x: 0, y: 0, z: Math.PI / 2 },
    scale: { x: 4, y: 2, z: 2 },
  },
};

function pcdBytes(points: readonly (readonly number[])[] = POINTS): Uint8Array {
  const header = `FIELDS x y z intensity\nSIZE 4 4 4 4\nTYPE F F F F\nWIDTH ${points.length}\nDATA binary\n`;
  return Buffer.concat([Buffer.from(header), floatBytes(points.flat())]);
}

async function writeRecording(folder: string): Promise<void> {
  const files: Record<string, string | Uint8Array> = {
    [path.join(folder, "calib", "camera", "front.json")]: JSON.stringify({
      extrinsic: LIDAR_TO_CAMERA,
      intrinsic: [30, 0, 20, 0, 30, 6, 0, 0, 1],
    }),
  };
  const image = await imageBytes("jpeg", 40, 12);
  for (const frame of ["000010", "000015"]) {
    files[path.join(folder, "lidar", `${frame}.pcd`)] = pcdBytes();
    files[path.join(folder, "camera", "front", `${frame}.jpg`)] = image;
    files[path.join(folder, "label", `${frame}.json`)] = JSON.stringify([BOX]);
  }
  await writeFiles(files);
}

test("scans, images, transforms, and the classes of boxes", async () => {
  await withFolder(async (folder) => {
    await writeRecording(folder);
    const { messages, warnings } = await readRecording(await PcdRecording.open(folder));
    expect(warnings).toEqual([]);
    const stamps = [START + 1_000_000_000n, START + 1_500_000_000n];
    expect(messages.map(({ topic, stamp }) => [topic, stamp])).toEqual([
      ["/tf_static", stamps[0]],
      ["/ground_truth/label_info", stamps[0]],
      ...stamps.flatMap((stamp) =>
        ["/camera/front/camera_info", "/camera/front/image_rect_color/compressed", "/lidar/points"].map(
          (topic) => [topic, stamp],
        ),
      ),
    ]);
    const [cloud] = ofType(messages, CLOUD);
    expect([...readColumn(cloud!.message, "ground_truth", new Uint32Array(3))]).toEqual([1, 1, 0]);
    const [names] = ofType(messages, "vision_msgs/msg/LabelInfo");
    expect(names!.message.classMap.map(({ className }) => className)).toEqual(["unlabeled", "Car"]);
    const [info] = ofType(messages, "sensor_msgs/msg/CameraInfo");
    const matrix = transformsOf(messages).lookup("front_optical_frame", "lidar", "latest");
    const seen = project(info!.message, apply(matrix, [10, 0, 0]));
    expect(seen).toEqual([20 + (30 * 0.1) / 9.7, 6 + (30 * 0.2) / 9.7, 9.7].map((v) => expect.closeTo(v, 9)));
    const [image] = ofType(messages, "sensor_msgs/msg/CompressedImage");
    expect(image!.message.format).toBe("rgb8; jpeg compressed bgr8");
    const faster = await readRecording(await PcdRecording.open(folder, { framePeriod: 50_000_000n }));
    expect(faster.messages.at(-1)!.stamp).toBe(START + 750_000_000n);
  });
});

test("frames that cannot be used are skipped with a warning that names file and value", async () => {
  await withFolder(async (folder) => {
    await writeRecording(folder);
    const at = (...names: string[]): string => path.join(folder, ...names);
    await writeFile(at("lidar", "000020.pcd"), pcdBytes().subarray(0, -1));
    await writeFile(at("label", "000010.json"), JSON.stringify([{ obj_type: "Car" }]));
    await rm(at("camera", "front", "000010.jpg"));
    await writeFile(at("camera", "front", "000015.jpg"), "no image");
    await writeFiles({ [at("camera", "rear", "000010.jpg")]: "" });
    const { messages, warnings } = await readRecording(await PcdRecording.open(folder));
    expect(warnings).toEqual([
      `${at("camera", "rear")} is skipped: there is neither ${at("calib", "camera", "rear.json")} nor an entry rear in ${at("calib.json")}`,
      expect.stringContaining(`${at("label", "000010.json")}: it is not a list of boxes: `),
      `${at("camera", "front")} has no image of frame 000010`,
      expect.stringContaining(`${at("camera", "front", "000015.jpg")}: it is not an image: `),
      `${at("lidar", "000020.pcd")}: it has 47 bytes of points instead of 3 x 16 = 48`,
    ]);
    expect(ofType(messages, CLOUD)).toHaveLength(2);
  });
});

test("what cannot be read at all is refused in one sentence", async () => {
  await withFolder(async (folder) => {
    await expect(PcdRecording.open(folder)).rejects.toThrow(
      `${path.join(folder, "lidar")} holds no scan (.pcd)`,
    );
    await writeRecording(folder);
    await rm(path.join(folder, "calib"), { recursive: true });
    for (const frame of ["000010", "000015"])
      await writeFile(path.join(folder, "lidar", `${frame}.pcd`), "ply");
    await expect(readRecording(await PcdRecording.open(folder))).rejects.toMatchObject({
      code: "data-set-unreadable",
      message: expect.stringMatching(/^no scan of .* can be read: /),
    });
  });
});

test("a calibration that cannot be read costs its camera", async () => {
  await withFolder(async (folder) => {
    await writeRecording(folder);
    const calibration = path.join(folder, "calib", "camera", "front.json");
    for (const [text, message] of [
      [
        JSON.stringify({ extrinsic: LIDAR_TO_CAMERA, intrinsic: Array(9).fill(0) }),
        "[0, 0, 0, 0, 0, 0, 0, 0, 0] are not",
      ],
      ["{}", "it is not a calibration"],
    ] as const) {
      await writeFile(calibration, text);
      const { messages, warnings } = await readRecording(await PcdRecording.open(folder));
      expect(ofType(messages, CLOUD)).toHaveLength(2);
      expect(warnings).toEqual([
        expect.stringContaining(`${calibration}: ${message}`),
        `${path.join(folder, "camera", "front")} is skipped: it has no calibration`,
      ]);
    }
  });
});

test.each([
  ["1532169145.283189", "1532169145.383189", "1532169145.483189"],
  ["1532169145283", "1532169145383", "1532169145483"],
  ["1532169145283189", "1532169145383189", "1532169145483189"],
  ["1532169145283189000", "1532169145383189000", "1532169145483189000"],
])("names that are times are the times of the scans: %p", async (...names) => {
  await withFolder(async (folder) => {
    await writeFiles(
      Object.fromEntries(names.map((name) => [path.join(folder, "lidar", `${name}.pcd`), pcdBytes()])),
    );
    const { messages } = await readRecording(await PcdRecording.open(folder));
    const micro = names[0].length === 13 ? 0n : 189n;
    expect(ofType(messages, CLOUD).map(({ stamp }) => stamp)).toEqual(
      [283n, 383n, 483n].map((ms) => 1_532_169_145_000_000_000n + ms * 1_000_000n + micro * 1000n),
    );
  });
});

test("unpadded numbers are in natural order", async () => {
  await withFolder(async (folder) => {
    const files = ["frame_10", "frame_2", "frame_9"].map((name) => path.join(folder, "lidar", `${name}.pcd`));
    await writeFiles(Object.fromEntries(files.map((file) => [file, pcdBytes()])));
    const { messages } = await readRecording(await PcdRecording.open(folder));
    expect(ofType(messages, CLOUD).map(({ stamp }) => stamp - START)).toEqual([
      200_000_000n,
      900_000_000n,
      1_000_000_000n,
    ]);
  });
});

test("fields that no cloud has, and a viewpoint, are named once, and the rest is read", async () => {
  await withFolder(async (folder) => {
    const row = new DataView(new ArrayBuffer(24));
    [10, 1, 2].forEach((value, axis) => {
      row.setFloat32(4 * axis, value, true);
    });
    row.setBigUint64(12, 1_532_169_145_283_189_000n, true);
    row.setFloat32(20, 0.5, true);
    const header =
      "FIELDS x y z stamp intensity\nSIZE 4 4 4 8 4\nTYPE F F F U F\nWIDTH 1\nVIEWPOINT 1 2 3 1 0 0 0\nDATA binary\n";
    const bytes = Buffer.concat([Buffer.from(header), new Uint8Array(row.buffer)]);
    const files = ["0", "1"].map((name) => path.join(folder, "lidar", `${name}.pcd`));
    await writeFiles(Object.fromEntries(files.map((file) => [file, bytes])));
    const { messages, warnings } = await readRecording(await PcdRecording.open(folder));
    const clouds = ofType(messages, CLOUD);
    expect(clouds).toHaveLength(2);
    expect(clouds[0]!.message.fields.map(({ name }) => name)).toEqual(["x", "y", "z", "intensity"]);
    expect([...readColumn(clouds[0]!.message, "intensity", new Float32Array(1))]).toEqual([0.5]);
    expect(warnings).toEqual([
      `${files[0]!}: the field stamp (U, 8 bytes) is left out, since no PointCloud2 has such numbers; the other fields are read (in all scans alike)`,
      expect.stringMatching(
        /0\.pcd: VIEWPOINT is 1 2 3 1 0 0 0, and is not applied: .*pcl_transform_point_cloud/,
      ),
    ]);
  });
});

describeWithRealData("SUSTechPOINTS as recorded", "sustechpoints", (folder) => {
  test("point classes are those that were derived from the boxes by another program", async () => {
    const { messages, warnings } = await readRecording(await PcdRecording.open(folder));
    expect(warnings).toEqual([
      expect.stringContaining("COUNT of the header puts timestamp where it is not aligned"),
    ]);
    const [info] = ofType(messages, "vision_msgs/msg/LabelInfo");
    const names = info!.message.classMap.map(({ className }) => className);
    const derived = path.join(folder, "box_labels_derived");
    const derivedNames = JSON.parse(await readFile(path.join(derived, "classes.json"), "utf8")) as string[];
    for (const [i, { message }] of ofType(messages, CLOUD).entries()) {
      const labels = readColumn(message, "ground_truth", new Uint32Array(message.width));
      const expected = await readFile(path.join(derived, `${["000965", "000970", "000975"][i]!}.u8.bin`));
      expect(labels.filter((label) => label > 0).length).toBeGreaterThan(3000);
      expect(
        labels.every(
          (label, point) => (label === 0 ? 0 : derivedNames.indexOf(names[label]!)) === expected[point],
        ),
      ).toBe(true);
      const rings = readColumn(message, "ring", new Uint32Array(message.width));
      expect(rings.reduce((a, b) => Math.max(a, b))).toBe(39);
      const times = readColumn(message, "timestamp", new Float64Array(message.width));
      const late = times.filter((time) => Math.abs(time - Number(message.header.stamp) / 1e9) > 0.051);
      expect(late).toHaveLength(0);
    }
  });

  test("points of annotated boxes project into the hull of the box's corners, in three cameras", async () => {
    const { messages } = await readRecording(await PcdRecording.open(folder));
    const buffer = transformsOf(messages);
    const boxes = parseBoxes(JSON.parse(await readFile(path.join(folder, "label", "000970.json"), "utf8")));
    const cloud = ofType(messages, CLOUD)[1]!.message;
    const xyz = readXyz(cloud);
    const counts: Record<string, number> = {};
    let outside = 0;
    for (const name of ["front", "left", "right"]) {
      const [info] = ofType(messages, "sensor_msgs/msg/CameraInfo", `/camera/${name}/camera_info`);
      const matrix = buffer.lookup(`${name}_optical_frame`, "lidar", "latest");
      const { width, height } = info!.message;
      for (const { center, rotation: r, halfSize } of boxes) {
        const inCloud = (local: readonly number[]): number[] =>
          [0, 1, 2].map((i) => center[i]! + [0, 1, 2].reduce((sum, j) => sum + r[3 * i + j]! * local[j]!, 0));
        const corners = Array.from({ length: 8 }, (_, i) =>
          project(
            info!.message,
            apply(matrix, inCloud(halfSize.map((half, axis) => (i & (1 << axis) ? half : -half)))),
          ),
        );
        if (corners.some(([, , z]) => z < 0.5)) continue;
        const hull = convexHull(corners.map(([u, v]) => [u, v]));
        for (let point = 0; point < cloud.width; point++) {
          const p = [...xyz.subarray(3 * point, 3 * point + 3)];
          const local = [0, 1, 2].map((j) =>
            [0, 1, 2].reduce((sum, i) => sum + r[3 * i + j]! * (p[i]! - center[i]!), 0),
          );
          if (local.some((value, axis) => Math.abs(value) > halfSize[axis]!)) continue;
          const [u, v, z] = project(info!.message, apply(matrix, p));
          if (!(z > 0 && isInside(hull, [u, v]))) outside++;
          if (u >= 0 && v >= 0 && u < width && v < height) counts[name] = (counts[name] ?? 0) + 1;
        }
      }
    }
    expect(outside).toBe(0);
    for (const name of ["front", "left", "right"]) expect(counts[name]).toBeGreaterThan(300);
  });
});

type Pixel = readonly [u: number, v: number];

function cross(a: Pixel, b: Pixel, c: Pixel): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Pixel[]): Pixel[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered: readonly Pixel[]): Pixel[] => {
    const chain: Pixel[] = [];
    for (const point of ordered) {
      while (chain.length > 1 && cross(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function isInside(hull: readonly Pixel[], point: Pixel): boolean {
  return hull.every((corner, i) => cross(corner, hull[(i + 1) % hull.length]!, point) >= -1e-6);
}
