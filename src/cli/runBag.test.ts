import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { python, runReference } from "../../test/support/python.mjs";
import { describeWithRealData } from "../../test/support/realData.mjs";
import { KittiRawDrive } from "../bag/importers/kitti/KittiRawDrive.js";
import { openBag } from "../bag/openBag.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { encodeRecorded, type RecordedMessage } from "../bag/RecordedMessage.js";
import { cameraModelFromInfo } from "../camera/CameraModel.js";
import { emptyProjection, projectPoints } from "../camera/projection.js";
import { evaluateBag } from "../evaluation/evaluateBag.js";
import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { hasField, readColumn, readXyz } from "../messages/pointColumns.js";
import type { CameraInfo, PointCloud2 } from "../messages/types.js";
import { DEFAULT_FUSION } from "../perception/FusionPolicy.js";
import { decodeNpy } from "../report/npy.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import { runBag, type RunBagOptions, type RunResult } from "./runBag.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { runReport } from "./runSummary.js";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-run-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const OPTIONS: Omit<RunBagOptions, "output"> = {
  model: fileURLToPath(new URL("../../models/street-tiny", import.meta.url)),
  provider: "cpu",
  threads: 0,
  fusion: DEFAULT_FUSION,
  tolerance: 50_000_000n,
  copy: "tf",
};

async function writeBag(file: string, messages: AsyncIterable<RecordedMessage>): Promise<void> {
  const writer = await McapBagWriter.create(file);
  for await (const message of messages) await writer.record(message);
  await writer.close();
}

async function run(input: string, name: string, options: Partial<RunBagOptions> = {}): Promise<RunResult> {
  const reader = await openBag(input);
  try {
    return await runBag(reader, { ...OPTIONS, output: path.join(scratch, name), ...options });
  } finally {
    await reader.close();
  }
}

async function cloudsOf(file: string, topic: string): Promise<PointCloud2[]> {
  const reader = await openBag(file);
  const clouds: PointCloud2[] = [];
  for await (const { data } of reader.messages({ topics: [topic] })) clouds.push(decodePointCloud2(data));
  await reader.close();
  return clouds;
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** Six scans of a simulated drive whose camera sends nothing after the third. */
describe("a simulated drive whose camera fails", () => {
  const drive = path.join(scratch, "drive.mcap");
  let result: RunResult;
  beforeAll(async () => {
    const cameras = [
      { name: "front", width: 320, height: 160, semantic: true, failures: [[0.3, Infinity]] as const },
    ];
    await writeBag(
      drive,
      simulateDrive({ seed: 1_000_001, scanCount: 6, lidar: "vlp-16", columns: 360, cameras }),
    );
    result = await run(drive, "labelled.mcap");
  });

  test("is labelled fused, then image-free, and the summary says so", () => {
    expect(result.recorder.modeSpans()).toEqual([
      { first: 1, last: 3, mode: "fused", reason: "images-available" },
      { first: 4, last: 6, mode: "image-free", reason: "no-images" },
    ]);
    const summary = labellingSummary(result);
    expect(summary).toMatchObject({
      scans: { received: 6, labelled: 6, fused: 3, image_free: 3, failed: 0, dropped: {} },
      cameras: { front: { received: 3, delivered: 3 } },
      inputs: {
        cloud_topic: "/lidar/points",
        cameras: [{ name: "front", image_topic: "/camera/front/image_raw/compressed" }],
      },
      faults: [],
    });
    expect(() => JSON.stringify(summary)).not.toThrow();
    expect(runReport(result)).toContain("scans 4 to 6: image-free (no-images)");
  });

  test("gives a cloud per scan with the same points in the same order and all their fields", async () => {
    const inputs = await cloudsOf(drive, "/lidar/points");
    const outputs = await cloudsOf(result.output, OUTPUT_TOPICS.labelled);
    expect(outputs.map(({ header }) => header)).toEqual(inputs.map(({ header }) => header));
    inputs.forEach((input, index) => {
      const output = outputs[index]!;
      expect(readXyz(output)).toEqual(readXyz(input));
      for (const { name } of input.fields) {
        const column = (cloud: PointCloud2) => readColumn(cloud, name, new Float64Array(pointCount(cloud)));
        expect(column(output)).toEqual(column(input));
      }
      for (const name of ["label", "confidence", "rgb"]) expect(hasField(output, name)).toBe(true);
    });
  });

  (python === undefined ? test.skip : test)(
    "is read whole by the Python packages mcap and rosbags",
    async () => {
      const { classes, unlabeled_id } = result.bundle.manifest;
      const { counts } = runReference(
        "labelled_bag.py",
        {},
        {
          input: drive,
          output: result.output,
          cloud: "/lidar/points",
          labelled: OUTPUT_TOPICS.labelled,
          classes: Object.fromEntries(classes.map(({ id, color }) => [id, color])),
          unlabeled: unlabeled_id,
        },
      );
      const clouds = await cloudsOf(drive, "/lidar/points");
      const points = clouds.reduce((sum, cloud) => sum + pointCount(cloud), 0);
      expect([...counts!.data]).toEqual([6, 6, 2 * points]);
    },
  );

  test("gives the same bytes again", async () => {
    const again = await run(drive, "again.mcap");
    expect(hashOf(again.output)).toBe(hashOf(result.output));
  });

  test("keeps the transforms, or everything, or nothing of the input", async () => {
    const topicsOf = async (file: string) => {
      const reader = await openBag(file);
      const counts = Object.fromEntries(
        reader.topics.map(({ topic, messageCount }) => [topic, messageCount]),
      );
      await reader.close();
      return counts;
    };
    const input = await topicsOf(drive);
    const { "/tf": tf, "/tf_static": tfStatic, "/lidar/points": cloudCount, ...sensors } = input;
    const results = { [OUTPUT_TOPICS.labelled]: cloudCount, [OUTPUT_TOPICS.labelInfo]: 1 };
    expect(await topicsOf(result.output)).toEqual({ ...results, "/tf": tf, "/tf_static": tfStatic });
    const options = { fusion: { ...OPTIONS.fusion, mode: "image-free" } } as const;
    const all = await run(drive, "all.mcap", { ...options, copy: "all" });
    expect(await topicsOf(all.output)).toEqual({ ...results, "/tf": tf, "/tf_static": tfStatic, ...sensors });
    const none = await run(drive, "none.mcap", { ...options, copy: "none" });
    expect(await topicsOf(none.output)).toEqual(results);
  });

  test("can be scored against its ground truth", async () => {
    const modes = new Map(result.recorder.scans.map(({ stamp, mode }) => [BigInt(stamp), mode]));
    const reader = await openBag(result.output);
    const confusion = await evaluateBag(reader, {
      modeOf: (stamp) => (modes.get(stamp) === "fused" ? "fused" : "image-free"),
    });
    await reader.close();
    const truths = (await cloudsOf(drive, "/lidar/points")).map((cloud) =>
      readColumn(cloud, "ground_truth", new Uint32Array(pointCount(cloud))).reduce(
        (n, id) => n + (id > 0 ? 1 : 0),
        0,
      ),
    );
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    expect(confusion.of("fused").points).toBe(sum(truths.slice(0, 3)));
    expect(confusion.of("image-free").points).toBe(sum(truths.slice(3)));
    // A trained model is far better than chance (19 classes).
    expect(confusion.total().overallAccuracy()).toBeGreaterThan(0.5);
  });

  test("dumps voxels, logits and inputs that fit together", async () => {
    const dump = path.join(scratch, "dump");
    const { recorder } = await run(drive, "dumped.mcap", { dump, maxScans: 1 });
    const [scan] = recorder.scans;
    const folder = path.join(dump, scan!.stamp);
    const read = (file: string) => decodeNpy(readFileSync(path.join(folder, file)));
    expect(read("voxels.npy").shape).toEqual([scan!.voxels, 3]);
    expect(read("logits.npy").shape[0]).toBe(scan!.voxels);
    expect(read("inputs/feat.npy").shape).toEqual([scan!.voxels, 4]);
    expect(read("inputs/voxel_patch.npy").shape[0]).toBe(scan!.voxels);
  });

  test("one damaged cloud costs one scan and one clear fault", async () => {
    const damaged = path.join(scratch, "damaged.mcap");
    let count = 0;
    async function* withDamage(): AsyncGenerator<RecordedMessage> {
      const reader = simulateDrive({
        seed: 1_000_001,
        scanCount: 3,
        lidar: "vlp-16",
        columns: 90,
        cameras: [],
      });
      for await (const message of reader) yield message;
    }
    const writer = await McapBagWriter.create(damaged);
    for await (const message of withDamage()) {
      const cdr = encodeRecorded(message);
      // The second cloud loses its last 1000 bytes.
      const isVictim = message.type === "sensor_msgs/msg/PointCloud2" && ++count === 2;
      await writer.write(
        message.topic,
        message.type,
        { logTime: message.stamp },
        isVictim ? cdr.slice(0, -1000) : cdr,
      );
    }
    await writer.close();
    const { recorder, faults } = await run(damaged, "damaged-labelled.mcap");
    expect(recorder.scans.map(({ mode }) => mode)).toEqual(["image-free", "failed", "image-free"]);
    const [fault, ...others] = faults.summary();
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ code: "malformed-message", count: 1 });
    expect(fault!.messages[0]).toMatch(
      /^\/lidar\/points at 1767225600100000000 ns: sensor_msgs\/msg\/PointCloud2 data: \d+ bytes are needed, \d+ are left/,
    );
  });
});

describeWithRealData("KITTI raw", "kitti_raw", (folder) => {
  const imported = path.join(scratch, "kitti.mcap");
  beforeAll(async () => {
    await writeBag(imported, (await KittiRawDrive.open(folder)).messages());
  });

  test("20 scans in, 20 fused clouds out, same points in the same order, the same bytes again", async () => {
    const first = await run(imported, "kitti-1.mcap");
    expect(first.recorder.modeSpans()).toEqual([
      { first: 1, last: 20, mode: "fused", reason: "images-available" },
    ]);
    expect(first.faults.summary()).toEqual([]);
    const inputs = await cloudsOf(imported, "/kitti/velo/pointcloud");
    const outputs = await cloudsOf(first.output, OUTPUT_TOPICS.labelled);
    expect([inputs.length, outputs.length]).toEqual([20, 20]);
    inputs.forEach((input, index) => {
      expect(outputs[index]!.header).toEqual(input.header);
      expect(readXyz(outputs[index]!)).toEqual(readXyz(input));
    });
    const second = await run(imported, "kitti-2.mcap");
    expect(hashOf(second.output)).toBe(hashOf(first.output));
  }, 300_000);

  (python === undefined ? test.skip : test)(
    "projects as OpenCV does with KITTI's calibration files",
    async () => {
      const [cloud] = await cloudsOf(imported, "/kitti/velo/pointcloud");
      const drive = await KittiRawDrive.open(folder);
      let info: CameraInfo | undefined;
      const transforms = new TransformBuffer();
      for await (const { type, message } of drive.messages()) {
        if (type === "tf2_msgs/msg/TFMessage") transforms.add(message, true);
        if (type === "sensor_msgs/msg/CameraInfo") info ??= message;
      }
      const model = cameraModelFromInfo(info!, { rectified: true, imageWidth: 1242, imageHeight: 375 });
      const xyz = readXyz(cloud!);
      const count = pointCount(cloud!);
      const projected = emptyProjection();
      const cloudToCamera = transforms.lookup(info!.header.frameId, cloud!.header.frameId, "latest");
      projectPoints(model, cloudToCamera, xyz, count, projected);
      const { pixels, inside } = runReference(
        "kitti_seen_opencv.py",
        { xyz: { data: xyz, shape: [count, 3] } },
        { day: path.join(folder, "2011_09_26") },
      );
      let seen = 0;
      let largest = 0;
      for (let point = 0; point < count; point++) {
        if (Number(inside!.data[point]) === 0) continue;
        seen++;
        const u = Number(pixels!.data[2 * point]);
        const v = Number(pixels!.data[2 * point + 1]);
        largest = Math.max(largest, Math.hypot(projected.u[point]! - u, projected.v[point]! - v));
      }
      expect(seen).toBeGreaterThan(15_000);
      // The printed rotations are orthonormal to 7 digits only, and TF carries them as unit quaternions.
      expect(largest).toBeLessThan(2e-3);
    },
  );
});
