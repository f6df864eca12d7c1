import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import {
  BOX_COLUMNS,
  encodeRow,
  SCAN_COLUMNS,
  structuredType,
  VIEW_COLUMNS,
} from "../bag/samples/sampleLayout.js";
import type { RecordedMessage } from "../bag/RecordedMessage.js";
import { sharp } from "../camera/libvips.js";
import type { FaultAnnouncement } from "../faults/FaultLog.js";
import { boxesOf } from "../messages/boxDetections.js";
import { pointCount } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import type { PointCloud2 } from "../messages/types.js";
import { decodeNpy } from "../report/npy.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import { sampleBags, type SampleBagsOptions } from "./sampleBags.js";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-samples-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const SIZE = { width: 64, height: 32, semantic: true } as const;
const CAMERAS = [
  { name: "front", ...SIZE, regions: true },
  { name: "rear", ...SIZE, encoding: "raw" },
] as const;
/** The second has the front camera only. */
const BAGS = [path.join(scratch, "two.mcap"), path.join(scratch, "one.mcap")];
const messages: RecordedMessage[] = [];

beforeAll(async () => {
  for await (const message of simulateDrive({
    seed: 5,
    scanCount: 2,
    lidar: "vlp-16",
    columns: 96,
    cameras: CAMERAS,
  }))
    messages.push(message);
  await writeBag(BAGS[0]!, messages);
  await writeBag(
    BAGS[1]!,
    messages.filter(({ topic }) => !topic.startsWith("/camera/rear")),
  );
});

async function writeBag(file: string, recorded: readonly RecordedMessage[]): Promise<void> {
  const writer = await McapBagWriter.create(file);
  for (const message of recorded) await writer.record(message);
  await writer.close();
}

function sample(bags: readonly string[], name: string, options: Partial<SampleBagsOptions> = {}) {
  return sampleBags(bags, {
    tolerance: 50_000_000n,
    labelField: "ground_truth",
    requireLabels: false,
    output: path.join(scratch, name),
    force: false,
    given: {},
    ...options,
  });
}

/** Rows of a structured file by column; the first element of each. */
function rows(name: string, file: "scans" | "views" | "boxes") {
  const columns = { scans: SCAN_COLUMNS, views: VIEW_COLUMNS, boxes: BOX_COLUMNS }[file];
  const bytes = readFileSync(path.join(scratch, name, `${file}.npy`));
  const header = 10 + bytes.readUInt16LE(8);
  expect(bytes.toString("latin1", 10, header)).toContain(`'descr': ${structuredType(columns)},`);
  const places = new Map<string, number>();
  let rowBytes = 0;
  for (const [column, , shape] of columns) {
    places.set(column, rowBytes);
    rowBytes += 8 * (shape as readonly number[]).reduce((product, extent) => product * extent, 1);
  }
  const count = Number(/'shape': \((\d+),\)/.exec(bytes.toString("latin1", 10, header))![1]);
  expect(bytes.length).toBe(header + count * rowBytes);
  return Array.from({ length: count }, (_, row) => ({
    integer: (column: string, at = 0) =>
      Number(bytes.readBigInt64LE(header + row * rowBytes + places.get(column)! + 8 * at)),
    stamp: file === "boxes" ? 0n : bytes.readBigInt64LE(header + row * rowBytes + places.get("stamp")!),
    float: (column: string, at = 0) =>
      bytes.readDoubleLE(header + row * rowBytes + places.get(column)! + 8 * at),
  }));
}

function load(name: string, file: string) {
  return decodeNpy(readFileSync(path.join(scratch, name, `${file}.npy`)));
}

const cloudsOf = (recorded: readonly RecordedMessage[]): PointCloud2[] =>
  recorded.flatMap(({ type, message }) => (type === "sensor_msgs/msg/PointCloud2" ? [message] : []));

function picture(name: string, view: ReturnType<typeof rows>[number], kind: string): Uint8Array {
  const first = view.integer(kind);
  return (load(name, "pictures").data as Uint8Array).subarray(first, first + view.integer(kind, 1));
}

test("two bags become one folder: points, labels, and the images of the cameras that each has", async () => {
  const { bags } = await sample(BAGS, "both");
  expect(bags).toMatchObject([
    { withLabels: 2, withImages: 2, empty: 0, scans: { total: 2, lost: 0, isIncomplete: false } },
    { withLabels: 2, withImages: 2, empty: 0, scans: { total: 2, lost: 0, isIncomplete: false } },
  ]);
  const header = JSON.parse(readFileSync(path.join(scratch, "both", "samples.json"), "utf8")) as unknown;
  expect(header).toMatchObject({
    format: "ditr-samples",
    version: 3,
    scans: 4,
    labelled_scans: 4,
    views: 6,
    bags: [
      { name: "two.mcap", path: BAGS[0], cloud_topics: ["/lidar/points"], frame: "lidar" },
      { name: "one.mcap" },
    ],
    cameras: [
      { name: "front", image_topic: "/camera/front/image_raw/compressed" },
      { name: "rear", image_topic: "/camera/rear/image_raw" },
    ],
  });
  const clouds = cloudsOf(messages);
  const scans = rows("both", "scans");
  expect(scans.map(({ stamp }) => stamp)).toEqual(
    [...clouds, ...clouds].map(({ header: { stamp } }) => stamp),
  );
  expect(
    scans.map((scan) => [scan.integer("bag"), scan.integer("first_view"), scan.integer("views")]),
  ).toEqual([
    [0, 0, 2],
    [0, 2, 2],
    [1, 4, 1],
    [1, 5, 1],
  ]);
  const { data: points, shape } = load("both", "points");
  const { data: labels } = load("both", "labels");
  expect(shape).toEqual([labels.length, 4]);
  scans.forEach((scan, index) => {
    const cloud = clouds[index % 2]!;
    const [first, count] = [scan.integer("first_point"), scan.integer("points")];
    expect(count + scan.integer("not_measured")).toBe(pointCount(cloud));
    const xyz = readXyz(cloud);
    const truth = readColumn(cloud, "ground_truth", new Uint32Array(pointCount(cloud)));
    const intensity = readColumn(cloud, "intensity", new Float32Array(pointCount(cloud)));
    const measured = [...truth.keys()].filter((i) => Number.isFinite(xyz[3 * i]!));
    expect(count).toBe(measured.length);
    const expected = measured.flatMap((i) => [...xyz.subarray(3 * i, 3 * i + 3), intensity[i]!]);
    expect([...points.subarray(4 * first, 4 * (first + count))]).toEqual(expected);
    expect([...labels.subarray(first, first + count)]).toEqual(measured.map((i) => truth[i]!));
  });
});

test("scans know where they were in the fixed frame, and nothing of it without one", async () => {
  await sample([BAGS[0]!], "placed", { fixedFrame: "odom" });
  const transforms = new TransformBuffer();
  for (const { topic, type, message } of messages) {
    if (type === "tf2_msgs/msg/TFMessage") transforms.add(message, topic === "/tf_static");
  }
  for (const scan of rows("placed", "scans")) {
    const expected = transforms.lookup("odom", "lidar", scan.stamp);
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 4; column++) {
        expect(scan.float("pose", 4 * row + column)).toBeCloseTo(expected[4 * column + row]!, 9);
      }
    }
  }
  expect(rows("both", "scans").map((scan) => scan.float("pose", 5))).toEqual([NaN, NaN, NaN, NaN]);
});

test("a JPEG stays as it came, a raw image becomes a PNG of its pixels, and class ids one of theirs", async () => {
  const [front, rear] = rows("both", "views");
  const of = (topic: string) => messages.find((message) => message.topic === topic)!;
  const compressed = of("/camera/front/image_raw/compressed");
  const raw = of("/camera/rear/image_raw");
  const semantic = of("/camera/rear/semantic");
  if (compressed.type !== "sensor_msgs/msg/CompressedImage") throw new Error("not a JPEG");
  if (raw.type !== "sensor_msgs/msg/Image" || semantic.type !== "sensor_msgs/msg/Image")
    throw new Error("not raw");
  expect(Buffer.compare(picture("both", front!, "picture"), compressed.message.data)).toBe(0);
  expect(front!.stamp).toBe(compressed.stamp);
  const pixels = await sharp(picture("both", rear!, "picture"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(pixels.info).toMatchObject({ width: 64, height: 32, channels: 3 });
  expect(Buffer.compare(pixels.data, raw.message.data)).toBe(0);
  const ids = sharp(picture("both", rear!, "semantic"));
  expect(await ids.metadata()).toMatchObject({ format: "png", channels: 1, depth: "uchar" });
  const decoded = await ids.toColourspace("b-w").raw().toBuffer();
  expect(Buffer.compare(decoded, semantic.message.data)).toBe(0);
  expect(rear!.integer("regions", 1)).toBe(0);
  const truth = of("/camera/front/regions");
  if (truth.type !== "sensor_msgs/msg/Image") throw new Error("not raw");
  // 16 bits a pixel, none of which needs more than 8.
  const trueIds = truth.message.data.filter((_, byte) => byte % 2 === 0);
  const regions = sharp(picture("both", front!, "regions"));
  expect(Buffer.compare(await regions.toColourspace("b-w").raw().toBuffer(), trueIds)).toBe(0);
  // x right, y down, z ahead of a camera that looks back, beside a LiDAR that looks ahead.
  expect([rear!.integer("width"), rear!.integer("height")]).toEqual([64, 32]);
  expect(rear!.float("k")).toBeCloseTo(32, 9);
  expect([0, 1, 2].map((column) => rear!.float("cloud_to_camera", 8 + column))).toEqual([
    expect.closeTo(-1, 6),
    expect.closeTo(0, 6),
    expect.closeTo(0, 6),
  ]);
});

test("what options name holds for the bags that have it, and what no bag has is said", async () => {
  const said: FaultAnnouncement[] = [];
  const topics = ["/camera/rear/image_raw", "/camera/none/image_raw"];
  await sample(BAGS, "rear", {
    imageTopics: topics,
    cameraOffsets: { "/camera/rear/image_raw": 0n },
    announce: (announcement) => said.push(announcement),
  });
  expect(rows("rear", "scans").map((scan) => scan.integer("views"))).toEqual([1, 1, 0, 0]);
  expect(said.map(({ text }) => text)).toEqual(["no bag has /camera/none/image_raw, which the options name"]);
  await expect(
    sample([BAGS[0]!], "x", { semanticTopics: { "/camera/rear/image_raw": "/nothing" } }),
  ).rejects.toThrow(
    "has no sensor_msgs/msg/Image on /nothing, which --semantic names for /camera/rear/image_raw",
  );
});

test("labels that are asked for must be there; without, samples have none", async () => {
  await sample([BAGS[1]!], "bare", { labelField: "class", maxScans: 1 });
  expect(rows("bare", "scans").map((scan) => scan.integer("labelled"))).toEqual([0]);
  expect(load("bare", "labels").data.every((id) => id === 0)).toBe(true);
  await expect(sample([BAGS[1]!], "y", { labelField: "class", requireLabels: true })).rejects.toThrow(
    /no scan has a measured point.*the cloud has no field "class", which --label-field names/,
  );
  expect(readdirSync(path.join(scratch, "y"))).toEqual([]);
});

test("points of several clouds and their labels follow one another", async () => {
  const bag = path.join(scratch, "merged.mcap");
  const doubled = messages.flatMap((message): RecordedMessage[] =>
    message.type === "sensor_msgs/msg/PointCloud2"
      ? [message, { ...message, topic: "/second/points" }]
      : [message],
  );
  await writeBag(bag, doubled);
  await sample([bag], "merged", { cloudTopics: ["/lidar/points", "/second/points"], imageTopics: [] });
  await sample([bag], "single", { cloudTopics: ["/lidar/points"], imageTopics: [] });
  const [merged, single] = [rows("merged", "scans"), rows("single", "scans")];
  for (const [index, scan] of single.entries()) {
    const count = scan.integer("points");
    expect(merged[index]!.integer("points")).toBe(2 * count);
    for (const [file, columns] of [
      ["points", 4],
      ["labels", 1],
    ] as const) {
      const part = (name: string, first: number) =>
        load(name, file).data.subarray(columns * first, columns * (first + count));
      const start = merged[index]!.integer("first_point");
      const expected = part("single", scan.integer("first_point"));
      expect(part("merged", start)).toEqual(expected);
      expect(part("merged", start + count)).toEqual(expected);
    }
  }
});

test("nothing is replaced without --force, and a refused run leaves what is there", async () => {
  await expect(sample([BAGS[1]!], "both")).rejects.toThrow(
    /samples\.json exists, and is replaced only with --force/,
  );
  const before = readFileSync(path.join(scratch, "both", "samples.json"), "utf8");
  writeFileSync(path.join(scratch, "bad.mcap"), "no bag");
  await expect(sample([path.join(scratch, "bad.mcap")], "both", { force: true })).rejects.toThrow("bad.mcap");
  expect(readFileSync(path.join(scratch, "both", "samples.json"), "utf8")).toBe(before);
  mkdirSync(path.join(scratch, "again"));
  await sample([BAGS[1]!], "again", { maxScans: 1 });
  await sample([BAGS[1]!], "again", { force: true });
  expect(rows("again", "scans")).toHaveLength(2);
  expect(readdirSync(path.join(scratch, "again")).sort()).toEqual(
    [
      "samples.json",
      "boxes.npy",
      "labels.npy",
      "pictures.npy",
      "points.npy",
      "scans.npy",
      "views.npy",
    ].sort(),
  );
});

test("a row has as many elements as its columns", () => {
  const row = Object.fromEntries(VIEW_COLUMNS.map(([name]) => [name, 0]));
  expect(() => encodeRow(VIEW_COLUMNS, row as Parameters<typeof encodeRow<typeof VIEW_COLUMNS>>[1])).toThrow(
    "picture has 1 elements instead of 2",
  );
});

const BOXED = path.join(scratch, "boxed.mcap");
const boxed: RecordedMessage[] = [];

async function simulateBoxed(): Promise<void> {
  if (boxed.length > 0) return;
  const drive = { seed: 11, scanCount: 2, lidar: "vlp-16", columns: 256, cameras: [], boxes: true } as const;
  for await (const message of simulateDrive(drive)) boxed.push(message);
  await writeBag(BOXED, boxed);
}

/** Share of the points of cars that lie in no box, grown by 0.15 m, of the sample folder. */
function outsideOfBoxes(name: string): number {
  const { data: points } = load(name, "points");
  const { data: labels } = load(name, "labels");
  const boxes = rows(name, "boxes");
  let [cars, outside] = [0, 0];
  for (const scan of rows(name, "scans")) {
    const [firstPoint, firstBox] = [scan.integer("first_point"), scan.integer("first_box")];
    const own = boxes.slice(firstBox, firstBox + scan.integer("boxes"));
    for (let point = firstPoint; point < firstPoint + scan.integer("points"); point++) {
      if (labels[point] !== 1) continue;
      cars++;
      const isWithin = own.some((box) => {
        const [dx, dy, dz] = [0, 1, 2].map((i) => Number(points[4 * point + i]) - box.float("center", i)) as [
          number,
          number,
          number,
        ];
        const [cos, sin] = [Math.cos(box.float("yaw")), Math.sin(box.float("yaw"))];
        const along = [cos * dx + sin * dy, cos * dy - sin * dx, dz];
        return along.every((distance, axis) => Math.abs(distance) <= box.float("size", axis) / 2 + 0.15);
      });
      if (!isWithin) outside++;
    }
  }
  expect(cars).toBeGreaterThan(100);
  return outside / cars;
}

test("true boxes become rows; a bag without them says so", async () => {
  await simulateBoxed();
  const { bags } = await sample([BOXED, BAGS[1]!], "boxes");
  expect(bags.map(({ withBoxes }) => withBoxes)).toEqual([2, 0]);
  const header = JSON.parse(readFileSync(path.join(scratch, "boxes", "samples.json"), "utf8")) as {
    readonly box_classes: readonly string[];
  };
  const sent = boxed.flatMap(({ type, message }) =>
    type === "vision_msgs/msg/Detection3DArray" ? [boxesOf(message)] : [],
  );
  const scans = rows("boxes", "scans");
  expect(scans.map((scan) => scan.integer("boxes"))).toEqual([sent[0]!.length, sent[1]!.length, -1, -1]);
  expect(header).toMatchObject({ version: 3, boxed_scans: 2, boxes: sent.flat().length });
  const written = rows("boxes", "boxes");
  expect(
    written.map((row) => ({
      box: {
        center: [0, 1, 2].map((i) => row.float("center", i)),
        size: [0, 1, 2].map((i) => row.float("size", i)),
        yaw: row.float("yaw"),
      },
      className: header.box_classes[row.integer("class")],
      score: 1,
    })),
  ).toEqual(sent.flat());
  expect(written.some((row) => row.integer("points") > 20)).toBe(true);
});

test("boxes move with their points when the motion is undone", async () => {
  await simulateBoxed();
  await sample([BOXED], "boxes-raw");
  await sample([BOXED], "boxes-deskewed", { fixedFrame: "odom" });
  expect(outsideOfBoxes("boxes-raw")).toBeLessThan(0.03);
  expect(outsideOfBoxes("boxes-deskewed")).toBeLessThan(0.03);
  const xOf = (name: string) => rows(name, "boxes").map((row) => row.float("center", 0));
  // Half a metre within a turn.
  const moved = xOf("boxes-raw").map((x, box) => Math.abs(x - xOf("boxes-deskewed")[box]!));
  expect(Math.max(...moved)).toBeGreaterThan(0.3);
  expect(Math.max(...moved)).toBeLessThan(1);
});

test("a scan whose boxes cannot be used is there without them, and it is said why", async () => {
  await simulateBoxed();
  const broken = boxed.map((recorded) => {
    if (recorded.type !== "vision_msgs/msg/Detection3DArray") return recorded;
    const { header, detections } = recorded.message;
    const isFirst = recorded.stamp === boxed[0]!.stamp;
    return isFirst
      ? { ...recorded, message: { header, detections: [{ ...detections[0]!, size: [4, 0, 1.5] as const }] } }
      : { ...recorded, message: { header: { ...header, frameId: "map" }, detections } };
  });
  const file = path.join(scratch, "broken-boxes.mcap");
  await writeBag(file, broken);
  const { bags } = await sample([file], "broken-boxes");
  expect(rows("broken-boxes", "scans").map((scan) => scan.integer("boxes"))).toEqual([-1, -1]);
  const said = bags[0]!.faults.summary().flatMap(({ messages: sentences }) => sentences);
  expect(said.join(" ")).toContain("/ground_truth/boxes");
  expect(said.join(" ")).toContain("detections[0] has the size 4 x 0 x 1.5 m");
  expect(said.join(" ")).toContain('boxes are in the frame "map", the scan\'s points in "lidar"');
});

test("a topic that is named for boxes and holds something else is refused", async () => {
  await expect(sample([BAGS[1]!], "no-boxes", { boxesTopic: "/lidar/points" })).rejects.toThrow(
    "has sensor_msgs/msg/PointCloud2 on /lidar/points, which --boxes names",
  );
});
