import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { openBag } from "../bag/openBag.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import type { RecordedMessage } from "../bag/RecordedMessage.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import type { PointCloud2 } from "../messages/types.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { runBag, type RunBagOptions, type RunResult } from "./runBag.js";
import { labellingSummary } from "../library/LabellingSummary.js";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-sources-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const OPTIONS: Omit<RunBagOptions, "output"> = {
  model: fileURLToPath(new URL("../../models/street-tiny", import.meta.url)),
  provider: "cpu",
  threads: 0,
  fusion: { mode: "image-free", minImages: 1, minSeenShare: 0.02, seenShareHysteresis: 0.005 },
  tolerance: 50_000_000n,
  copy: "none",
};

async function writeBag(file: string, messages: readonly RecordedMessage[]): Promise<void> {
  const writer = await McapBagWriter.create(file);
  for (const message of messages) await writer.record(message);
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

const SCANS = 3;
const drive: RecordedMessage[] = [];
beforeAll(async () => {
  const cameras = [{ name: "front", width: 64, height: 32, depth: true }];
  for await (const message of simulateDrive({ seed: 5, scanCount: SCANS, columns: 96, cameras })) {
    drive.push(message);
  }
});

describe("a drive with a depth camera and no LiDAR", () => {
  const bag = path.join(scratch, "depth.mcap");
  beforeAll(() =>
    writeBag(
      bag,
      drive.filter(({ topic }) => topic !== "/lidar/points"),
    ),
  );

  test("is labelled pixel by pixel, with the depth image chosen by itself", async () => {
    const result = await run(bag, "depth-labelled.mcap");
    expect(labellingSummary(result)).toMatchObject({
      inputs: { cloud_topic: "/camera/front/depth/image_raw" },
      scans: { received: SCANS, labelled: SCANS, failed: 0 },
      faults: [{ code: "feature-missing", count: 1 }],
    });
    const clouds = await cloudsOf(result.output, OUTPUT_TOPICS.labelled);
    expect(clouds).toHaveLength(SCANS);
    for (const cloud of clouds) {
      expect([cloud.width, cloud.height, cloud.header.frameId]).toEqual([
        64,
        32,
        "camera_front_optical_frame",
      ]);
      expect(cloud.fields.map(({ name }) => name)).toEqual(["x", "y", "z", "label", "confidence", "rgb"]);
      const labels = readColumn(cloud, "label", new Int32Array(64 * 32));
      const z = readColumn(cloud, "z", new Float32Array(64 * 32));
      // The sky has no depth, and no label.
      expect(z.some(Number.isNaN) && z.some((value) => value > 0)).toBe(true);
      z.forEach((value, i) => {
        if (Number.isNaN(value)) expect(labels[i]).toBe(0);
      });
    }
  });

  test("in a frame with z up, the ground is below the camera", async () => {
    const result = await run(bag, "depth-base.mcap", { targetFrame: "base_link" });
    const [cloud] = await cloudsOf(result.output, OUTPUT_TOPICS.labelled);
    expect(cloud!.header.frameId).toBe("base_link");
    const heights = readColumn(cloud!, "z", new Float32Array(64 * 32)).filter((z) => !Number.isNaN(z));
    // The lower half of the image is street.
    expect(Math.abs(heights.sort()[Math.floor(heights.length / 4)]!)).toBeLessThan(0.3);
  });
});

describe("two LiDARs", () => {
  const bag = path.join(scratch, "two.mcap");
  const LATER = 7_000_000n;
  beforeAll(async () => {
    const messages = drive.flatMap((message): RecordedMessage[] => {
      if (message.topic === "/tf_static" && message.type === "tf2_msgs/msg/TFMessage") {
        const [first] = message.message.transforms;
        // Mounted 3 m behind the first, looking back.
        const mount = {
          header: { ...first!.header, frameId: "lidar" },
          childFrameId: "rear_lidar",
          translation: [-3, 0, 0] as const,
          rotation: [0, 0, 1, 0] as const,
        };
        return [{ ...message, message: { transforms: [...message.message.transforms, mount] } }];
      }
      if (message.type !== "sensor_msgs/msg/PointCloud2") return [message];
      const stamp = message.stamp + LATER;
      const header = { stamp, frameId: "rear_lidar" };
      const rear = { ...message, topic: "/rear/points", stamp, message: { ...message.message, header } };
      // The rear one misses the last scan.
      return message.stamp === lastScan() ? [message] : [message, rear];
    });
    await writeBag(
      bag,
      messages.sort((a, b) => Number(a.stamp - b.stamp)),
    );
  });

  function lastScan(): bigint {
    return drive.filter(({ topic }) => topic === "/lidar/points").at(-1)!.stamp;
  }

  const cloudTopics = ["/lidar/points", "/rear/points"];

  test("are labelled as one scan in the target frame, at the stamps of the first", async () => {
    const result = await run(bag, "merged.mcap", { cloudTopics, targetFrame: "base_link", copy: "all" });
    expect(labellingSummary(result)).toMatchObject({
      inputs: { merged: { frame: "base_link", cloud_topics: cloudTopics } },
      scans: { received: SCANS, labelled: SCANS },
    });
    const inputs = await cloudsOf(bag, "/lidar/points");
    const merged = await cloudsOf(result.output, OUTPUT_TOPICS.labelled);
    expect(await cloudsOf(result.output, "/lidar/points")).toHaveLength(SCANS);
    expect(merged.map(({ header }) => header)).toEqual(
      inputs.map(({ header: { stamp } }) => ({ stamp, frameId: "base_link" })),
    );
    expect(merged.map(({ width }) => width)).toEqual(
      inputs.map(({ width }, i) => (i === SCANS - 1 ? width : 2 * width)),
    );
    const count = inputs[0]!.width;
    const xyz = readXyz(merged[0]!);
    const [first, second] = [xyz.subarray(0, 3 * count), xyz.subarray(3 * count)];
    // The rear scan is the front one turned half around, 3 m behind.
    let largest = 0;
    for (let i = 0; i < count; i++) {
      largest = Math.max(
        largest,
        Math.abs(second[3 * i]! + first[3 * i]! + 3),
        Math.abs(second[3 * i + 1]! + first[3 * i + 1]!),
        Math.abs(second[3 * i + 2]! - first[3 * i + 2]!),
      );
    }
    expect(largest).toBeLessThan(1e-4);
    const labels = readColumn(merged[0]!, "label", new Int32Array(2 * count));
    expect(new Set(labels).size).toBeGreaterThan(2);
  });

  test("give the same bytes again, also when motion is undone", async () => {
    const options = { cloudTopics, fixedFrame: "odom" };
    const first = await run(bag, "again-1.mcap", options);
    const second = await run(bag, "again-2.mcap", options);
    expect(hashOf(first.output)).toBe(hashOf(second.output));
    // Undoing the motion moves the points that the model sees, and the rear scan by the 7 ms that it came later.
    const without = await run(bag, "without.mcap", { cloudTopics });
    expect(hashOf(without.output)).not.toBe(hashOf(first.output));
    expect(first.selection.mergedFrame).toBe("lidar");
  });
});
