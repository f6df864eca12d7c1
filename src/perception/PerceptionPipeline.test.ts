import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  COMPRESSED_IMAGE_TYPE,
  decodeImage as decodeImageMessage,
  encodeCompressedImage,
} from "../messages/image.js";
import { decodePointCloud2, encodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import { PointFieldType, type CameraInfo, type PointCloud2 } from "../messages/types.js";
import { ModelBundle } from "../model/ModelBundle.js";
import sharp from "sharp";
import type { FusionPolicyOptions } from "./FusionPolicy.js";
import { PerceptionPipeline } from "./PerceptionPipeline.js";
import type { FailedScan, FrameImage, LabelledScan, ScanFrame, ScanWithCloud } from "./ScanFrame.js";
import type { WantedOutputs } from "./WantedOutputs.js";

const bundle = await ModelBundle.load(fileURLToPath(new URL("../../models/street-tiny", import.meta.url)));
const AUTO: FusionPolicyOptions = { mode: "auto", minImages: 1, minSeenShare: 0.01, seenShareHysteresis: 0 };

/** A flat patch of ground ahead of the sensor with a box on it; the last point is not finite. */
function cloudMessage(stamp: bigint, count = 2000): PointCloud2 {
  const data = new Float32Array(count * 4);
  for (let point = 0; point < count; point++) {
    const x = 3 + ((point * 37) % 1000) / 50;
    const y = -8 + ((point * 53) % 800) / 50;
    const z = Math.abs(x - 10) < 1 && Math.abs(y) < 1 ? 0.4 : -1.7;
    data.set([x, y, z, (point % 10) / 10], point * 4);
  }
  data[(count - 1) * 4] = NaN;
  return {
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: count,
    fields: ["x", "y", "z", "intensity"].map((name, index) => ({
      name,
      offset: index * 4,
      datatype: PointFieldType.FLOAT32,
      count: 1,
    })),
    isBigEndian: false,
    pointStep: 16,
    rowStep: count * 16,
    data: new Uint8Array(data.buffer),
    isDense: false,
  };
}

const INFO: CameraInfo = {
  header: { stamp: 0n, frameId: "camera" },
  width: 320,
  height: 160,
  distortionModel: "plumb_bob",
  d: [0, 0, 0, 0, 0],
  k: [160, 0, 159.5, 0, 160, 79.5, 0, 0, 1],
  r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  p: [160, 0, 159.5, 0, 0, 160, 79.5, 0, 0, 0, 1, 0],
  binningX: 0,
  binningY: 0,
  roi: { xOffset: 0, yOffset: 0, height: 0, width: 0, doRectify: false },
};
/** x forward, y left, z up to x right, y down, z forward; column-major. */
const CLOUD_TO_CAMERA = Float64Array.of(0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1);

async function frontImage(change: Partial<FrameImage> = {}): Promise<FrameImage> {
  const data = await sharp({ create: { width: 320, height: 160, channels: 3, background: "#667788" } })
    .jpeg()
    .toBuffer();
  return {
    camera: "front",
    topic: "/front/image/compressed",
    type: COMPRESSED_IMAGE_TYPE,
    frameId: INFO.header.frameId,
    cdr: copyOf(encodeCompressedImage({ header: INFO.header, format: "jpeg", data })),
    info: INFO,
    cloudToCamera: CLOUD_TO_CAMERA,
    rectified: false,
    stamp: 0n,
    delta: 0n,
    ...change,
  };
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

function frame(
  stamp: bigint,
  images: readonly FrameImage[],
  cdr = encodePointCloud2(cloudMessage(stamp)),
): ScanFrame {
  const source = { kind: "points", index: 0, topic: "/points", frameId: "lidar", cdr: copyOf(cdr) } as const;
  return { stamp, topic: "/points", sources: [source], images, missing: [] };
}

async function collect(
  pipeline: PerceptionPipeline,
  frames: readonly ScanFrame[],
): Promise<(ScanWithCloud | FailedScan)[]> {
  async function* source() {
    for (const one of frames) yield await Promise.resolve(one);
  }
  const outcomes: (ScanWithCloud | FailedScan)[] = [];
  for await (const outcome of pipeline.label(source())) outcomes.push(outcome);
  return outcomes;
}

function labelled(outcome: ScanWithCloud | FailedScan | undefined): ScanWithCloud {
  if (outcome?.kind !== "labelled")
    throw new Error(`not labelled: ${outcome?.fault.message ?? "no outcome"}`);
  return outcome;
}

describe("PerceptionPipeline", () => {
  let pipeline: PerceptionPipeline;
  beforeAll(async () => {
    pipeline = await PerceptionPipeline.start({
      bundle,
      provider: "cpu",
      threads: 1,
      fusion: AUTO,
      filter: { classIds: [bundle.classId("road")] },
      dump: true,
    });
  });
  afterAll(async () => {
    await pipeline.close();
  });

  test("every input point comes back, in order, with all its fields and a label", async () => {
    const input = cloudMessage(5n);
    const outcome = labelled((await collect(pipeline, [frame(5n, [])]))[0]);
    const output = decodePointCloud2(outcome.labelledCloud);
    expect(output.header).toEqual(input.header);
    expect(output.fields.map(({ name }) => name)).toEqual([
      "x",
      "y",
      "z",
      "intensity",
      "label",
      "confidence",
      "rgb",
    ]);
    expect(readXyz(output)).toEqual(readXyz(input));
    const label = readColumn(output, "label", new Uint32Array(pointCount(output)));
    const confidence = readColumn(output, "confidence", new Float32Array(pointCount(output)));
    const ids = new Set(bundle.manifest.classes.map(({ id }) => id));
    for (let point = 0; point < label.length - 1; point++) {
      expect(ids.has(label[point]!)).toBe(true);
      expect(confidence[point]!).toBeGreaterThan(0);
      expect(confidence[point]!).toBeLessThanOrEqual(1);
    }
    expect([label.at(-1), confidence.at(-1)]).toEqual([bundle.manifest.unlabeled_id, 0]);
    expect([outcome.pointCount, outcome.unlabeledCount]).toEqual([2000, 1]);
    expect([...outcome.classCounts.values()].reduce((a, b) => a + b, 0)).toBe(1999);
  });

  test("is fused with an image, image-free without, scan by scan", async () => {
    const image = await frontImage({ delta: -3n });
    const outcomes = await collect(pipeline, [frame(1n, [image]), frame(2n, []), frame(3n, [image])]);
    expect(
      outcomes.map((outcome) => [outcome.stamp, labelled(outcome).mode, labelled(outcome).reason]),
    ).toEqual([
      [1n, "fused", "images-available"],
      [2n, "image-free", "no-images"],
      [3n, "fused", "images-available"],
    ]);
    expect(labelled(outcomes[0]).imagesUsed).toEqual([{ camera: "front", stamp: 0n, delta: -3n }]);
    expect(labelled(outcomes[0]).seenShare).toBeGreaterThan(0.5);
    expect(labelled(outcomes[2]).labelledCloud.length).toBe(labelled(outcomes[0]).labelledCloud.length);
  });

  test("the same frame gives the same bytes, whatever came between", async () => {
    const image = await frontImage();
    const other = frame(2n, [], encodePointCloud2(cloudMessage(2n, 5000)));
    const outcomes = await collect(pipeline, [frame(1n, [image]), other, frame(1n, [image])]);
    expect(labelled(outcomes[2]).labelledCloud).toEqual(labelled(outcomes[0]).labelledCloud);
  });

  test("the filtered cloud has exactly the points that are not of the filtered class", async () => {
    const outcome = labelled((await collect(pipeline, [frame(1n, [])]))[0]);
    const all = decodePointCloud2(outcome.labelledCloud);
    const label = readColumn(all, "label", new Uint32Array(pointCount(all)));
    const kept = label.filter((id) => id !== bundle.classId("road"));
    const filtered = decodePointCloud2(outcome.filteredCloud!);
    expect(readColumn(filtered, "label", new Uint32Array(pointCount(filtered)))).toEqual(kept);
  });

  test("an image that cannot be used costs that image only, and says why", async () => {
    const wrongSize = await frontImage({ camera: "left", topic: "/left", info: { ...INFO, width: 330 } });
    const damaged = await frontImage({ camera: "rear", topic: "/rear" });
    damaged.cdr.fill(0x55, 200);
    const outcome = labelled(
      (await collect(pipeline, [frame(1n, [wrongSize, damaged, await frontImage()])]))[0],
    );
    expect(outcome.mode).toBe("fused");
    expect(outcome.imagesUsed.map(({ camera }) => camera)).toEqual(["front"]);
    expect(outcome.faults.map(({ code }) => code)).toEqual(["camera-info-mismatch", "image-decoding-failed"]);
    expect(outcome.faults[0]!.message).toBe(
      "/left at 0 ns: the CameraInfo is for images of 330x160 pixels, but the image has 320x160",
    );
  });

  test("a cloud that cannot be read costs that scan only", async () => {
    const garbage = Uint8Array.from({ length: 500 }, (_, index) => (index * 97) % 251);
    const outcomes = await collect(pipeline, [frame(1n, []), frame(2n, [], garbage), frame(3n, [])]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["labelled", "failed", "labelled"]);
    const failed = outcomes[1]!;
    if (failed.kind !== "failed") throw new Error("unreachable");
    expect(failed.fault.code).toBe("malformed-message");
    expect(failed.fault.message).toMatch(/^\/points at 2 ns: /);
  });

  test("a cloud without a single usable point is labelled all the same", async () => {
    const empty = encodePointCloud2({ ...cloudMessage(1n), width: 0, rowStep: 0, data: new Uint8Array(0) });
    const [first, second] = await collect(pipeline, [frame(1n, [], empty), frame(2n, [])]);
    expect(pointCount(decodePointCloud2(labelled(first).labelledCloud))).toBe(0);
    expect(labelled(second).pointCount).toBe(2000);
  });

  test("the dump holds what the graph was given and what it gave", async () => {
    const { dump, voxelCount, mode } = labelled(
      (await collect(pipeline, [frame(1n, [await frontImage()])]))[0],
    );
    expect(dump!.mode).toBe(mode);
    expect(dump!.voxelCoordinates).toHaveLength(voxelCount * 3);
    expect(dump!.logits).toHaveLength(voxelCount * bundle.manifest.classes.length);
    const declared = bundle.manifest.graphs.fused!.inputs.map(({ name }) => name);
    const dumped = dump!.inputs.map(({ name }) => name);
    expect([...dumped].sort()).toEqual(
      [...declared.filter((name) => name !== "image_features"), "image"].sort(),
    );
  });
});

describe("forced modes", () => {
  test("fused without any image runs the fused graph on a scene that no camera sees", async () => {
    const pipeline = await PerceptionPipeline.start({
      bundle,
      provider: "cpu",
      threads: 1,
      fusion: { ...AUTO, mode: "fused" },
    });
    try {
      const outcome = labelled((await collect(pipeline, [frame(1n, [])]))[0]);
      expect([outcome.mode, outcome.reason, outcome.seenShare]).toEqual(["fused", "mode-parameter", 0]);
    } finally {
      await pipeline.close();
    }
  });

  test("a probability filter takes away every point that may be of the class", async () => {
    const pipeline = await PerceptionPipeline.start({
      bundle,
      provider: "cpu",
      threads: 1,
      fusion: { ...AUTO, mode: "image-free" },
      filter: { classIds: bundle.manifest.classes.map(({ id }) => id), probabilityThreshold: 0 },
    });
    try {
      const outcome = labelled((await collect(pipeline, [frame(1n, [])]))[0]);
      // Some class always has a probability above 0; only the point without a voxel is left.
      expect(pointCount(decodePointCloud2(outcome.filteredCloud!))).toBe(1);
    } finally {
      await pipeline.close();
    }
  });
});

describe("live", () => {
  const nothing: WantedOutputs = {
    labelled: false,
    filtered: false,
    overlays: new Set(),
    detections: false,
    markers: false,
  };
  const road = bundle.classId("road");
  let pipeline: PerceptionPipeline;
  beforeAll(async () => {
    pipeline = await PerceptionPipeline.start({ bundle, provider: "cpu", threads: 1, fusion: AUTO });
  });
  beforeEach(() => {
    pipeline.update({ fusion: AUTO });
  });
  afterAll(async () => {
    await pipeline.close();
  });

  async function scan(one: ScanFrame, wanted: WantedOutputs): Promise<LabelledScan> {
    const outcome = await pipeline.labelFrame(one, wanted);
    if (outcome.kind === "failed") throw outcome.fault;
    return outcome;
  }

  test("only what is wanted is made, and what a scan is like is told in any case", async () => {
    const filter = { classIds: [road] };
    pipeline.update({ fusion: AUTO, filter });
    const none = await scan(frame(1n, []), nothing);
    expect(none).not.toHaveProperty("labelledCloud");
    expect(none).not.toHaveProperty("filteredCloud");
    expect(none.overlays).toEqual([]);
    expect([none.pointCount, none.unlabeledCount]).toEqual([2000, 1]);
    const all = await scan(frame(1n, []), { ...nothing, labelled: true, filtered: true });
    expect(none.classCounts).toEqual(all.classCounts);
    const filtered = await scan(frame(1n, []), { ...nothing, filtered: true });
    expect(filtered).not.toHaveProperty("labelledCloud");
    expect(filtered.filteredCloud).toEqual(all.filteredCloud);
  });

  test("settings change between two scans, in the order of the calls, while scans are under way", async () => {
    const everything = { ...nothing, labelled: true, filtered: true };
    const image = await frontImage();
    const first = scan(frame(1n, [image]), everything);
    const unusual = [1, 2, 3] as const;
    const filter = { classIds: [], probabilityThreshold: 0 };
    const colors = new Map(bundle.manifest.classes.map(({ id }) => [id, unusual]));
    pipeline.update({ fusion: { ...AUTO, mode: "image-free" }, filter, colors });
    const second = scan(frame(2n, [image]), everything);
    pipeline.update({ fusion: AUTO });
    const third = scan(frame(3n, [image]), everything);
    expect((await Promise.all([first, second, third])).map(({ mode, reason }) => [mode, reason])).toEqual([
      ["fused", "images-available"],
      ["image-free", "mode-parameter"],
      ["fused", "images-available"],
    ]);
    expect(await first).not.toHaveProperty("filteredCloud");
    expect(await second).toHaveProperty("filteredCloud");
    expect(await third).not.toHaveProperty("filteredCloud");
    const rgb = async (one: Promise<LabelledScan>) =>
      new Set(readColumn(decodePointCloud2((await one).labelledCloud!), "rgb", new Float32Array(2000)));
    const packed = new Float32Array(Uint32Array.of(0x010203).buffer)[0]!;
    // The point without a voxel is black.
    expect(await rgb(second)).toEqual(new Set([packed, 0]));
    expect((await rgb(third)).has(packed)).toBe(false);
  });

  test.each(["auto", "image-free"] as const)(
    "an overlay shows the scan in the image, mode %s",
    async (mode) => {
      const colors = new Map(bundle.manifest.classes.map(({ id }) => [id, [255, 0, 0] as const]));
      pipeline.update({ fusion: { ...AUTO, mode }, colors });
      const images = [await frontImage({ delta: 4n }), await frontImage({ camera: "rear" })];
      const { overlays, overlaysMs } = await scan(frame(1n, images), {
        ...nothing,
        overlays: new Set(["front", "elsewhere"]),
      });
      expect(overlays.map(({ camera }) => camera)).toEqual(["front"]);
      expect(overlaysMs).toBeGreaterThan(0);
      const { header, width, height, encoding, step, data } = decodeImageMessage(overlays[0]!.cdr);
      expect({ header, width, height, encoding, step }).toEqual({
        header: { stamp: 0n, frameId: "camera" },
        width: 320,
        height: 160,
        encoding: "rgb8",
        step: 960,
      });
      const red = (x: number, y: number) => data.subarray(3 * (y * 320 + x), 3 * (y * 320 + x) + 3).join();
      let painted = 0;
      for (let y = 0; y < 160; y++) for (let x = 0; x < 320; x++) if (red(x, y) === "255,0,0") painted++;
      expect(painted).toBeGreaterThan(1000);
      // All points are below the camera, so nothing above the horizon is.
      for (let x = 0; x < 320; x++) expect(red(x, 40)).not.toBe("255,0,0");
    },
  );

  test.each(["auto", "image-free"] as const)(
    "an image that no overlay can be made of is reported once, mode %s",
    async (mode) => {
      pipeline.update({ fusion: { ...AUTO, mode } });
      const wrong = await frontImage({ info: { ...INFO, width: 330 } });
      const { overlays, faults } = await scan(frame(1n, [wrong]), {
        ...nothing,
        overlays: new Set(["front"]),
      });
      expect(overlays).toEqual([]);
      expect(faults.map(({ code, place }) => [code, place?.topic])).toEqual([
        ["camera-info-mismatch", "/front/image/compressed"],
      ]);
    },
  );

  test("a defect in a worker rejects the scans and resolves `failed`; another pipeline goes on", async () => {
    const broken = await frontImage({ info: undefined as never });
    const reason = /^the preparation worker failed: /;
    const results = await Promise.allSettled([
      pipeline.labelFrame(frame(1n, [broken]), nothing),
      pipeline.labelFrame(frame(2n, []), nothing),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect((await pipeline.failed).message).toMatch(reason);
    await expect(pipeline.labelFrame(frame(3n, []), nothing)).rejects.toThrow(reason);
    await pipeline.close();
    pipeline = await PerceptionPipeline.start({ bundle, provider: "cpu", threads: 1, fusion: AUTO });
    const { mode, missing } = await scan(frame(4n, [broken]), nothing);
    expect([mode, missing.map(({ camera }) => camera)]).toEqual(["image-free", ["front"]]);
  });
});

test("an unavailable provider is a Fault, not a silent CPU", async () => {
  const options = { bundle, provider: "tensorrt", threads: 1, fusion: AUTO } as const;
  const outcome = await PerceptionPipeline.start(options).then(
    (pipeline) => pipeline.close().then(() => "started"),
    (error: unknown) => error,
  );
  // On a machine with TensorRT it does start.
  if (outcome !== "started") expect(outcome).toMatchObject({ code: "provider-unavailable" });
});
