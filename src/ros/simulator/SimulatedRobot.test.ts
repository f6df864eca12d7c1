import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { decodeCameraInfo } from "../../messages/cameraInfo.js";
import { decodeCompressedImage } from "../../messages/image.js";
import { decodePointCloud2 } from "../../messages/pointCloud2.js";
import { decodeTFMessage } from "../../messages/tfMessage.js";
import { overridesOf } from "../parameters/exampleOverrides.js";
import { MemoryRosNode } from "../port/MemoryRosNode.js";
import { SimulatedRobot } from "./SimulatedRobot.js";
import { SimulatorParameters } from "./simulatorParameters.js";
import { systemClock } from "./systemClock.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ditr-simulator-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SMALL = { seconds: 0.3, columns: 64n, image_width: 32n, image_height: 16n, speed: 1 };
const SENSORS = [
  "/robot/lidar/points",
  "/robot/camera/front/image_raw/compressed",
  "/robot/camera/front/camera_info",
];

function robotOf(values: Readonly<Record<string, unknown>>, cacheFolder = folder) {
  const ros = new MemoryRosNode({ name: "ditr_simulator", namespace: "/robot" });
  const nodeName = ros.fullyQualifiedName;
  const { settings } = new SimulatorParameters({ nodeName, overrides: overridesOf({ ...SMALL, ...values }) });
  const robot = new SimulatedRobot({ ros, settings, cacheFolder, clock: systemClock });
  for (const topic of SENSORS) ros.listen(topic, () => undefined);
  return { ros, robot };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 400) throw new Error("nothing came within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("SimulatedRobot", () => {
  test("publishes clouds, images, calibration and transforms that belong together, over and over", async () => {
    const { ros, robot } = robotOf({});
    const before = systemClock.now();
    const messages = (topic: string): readonly Uint8Array[] => ros.published.get(topic)?.messages ?? [];
    try {
      await robot.run();
      await until(() => messages("/robot/lidar/points").length >= 5);
    } finally {
      await robot.stop();
    }
    const clouds = messages("/robot/lidar/points").map(decodePointCloud2);
    const stamps = clouds.map(({ header }) => header.stamp);
    stamps.forEach((stamp, index) => {
      expect(stamp).toBeGreaterThanOrEqual(index === 0 ? before : stamps[index - 1]! + 99_000_000n);
    });
    expect(clouds[0]!.header.frameId).toBe("lidar");
    // The drive has 3 scans: the fourth is the first again.
    expect(clouds[3]!.data).toEqual(clouds[0]!.data);
    expect(clouds[1]!.data).not.toEqual(clouds[0]!.data);

    const images = messages("/robot/camera/front/image_raw/compressed").map(decodeCompressedImage);
    const infos = messages("/robot/camera/front/camera_info").map(decodeCameraInfo);
    expect(images[0]!.header).toEqual(infos[0]!.header);
    expect(images[0]!.header.stamp).toBe(stamps[0]! + 50_000_000n);

    const poses = messages("/tf").flatMap((cdr) => decodeTFMessage(cdr).transforms);
    expect(poses.length).toBeGreaterThanOrEqual(20);
    for (let i = 1; i < poses.length; i++) {
      const step = Math.hypot(
        ...[0, 1].map((axis) => poses[i]!.translation[axis]! - poses[i - 1]!.translation[axis]!),
      );
      expect(step).toBeLessThan(0.03); // 1 m/s at 50 Hz
    }
    const { options } = ros.published.get("/tf_static")!;
    expect(options.qos.durability).toBe("transient_local");
    const frames = decodeTFMessage(messages("/tf_static")[0]!).transforms.map((t) => t.childFrameId);
    expect(frames).toEqual(["lidar", "camera_front_optical_frame"]);
  });

  test("the second start reads the same drive from the cache", async () => {
    const data: Uint8Array[] = [];
    for (const expected of ["simulating 3 scans", "an earlier start has kept"]) {
      const { ros, robot } = robotOf({});
      const clouds = (): readonly Uint8Array[] => ros.published.get("/robot/lidar/points")?.messages ?? [];
      try {
        await robot.run();
        await until(() => clouds().length > 0);
      } finally {
        await robot.stop();
      }
      expect(ros.logLines.map(({ text }) => text).join()).toContain(expected);
      data.push(decodePointCloud2(clouds()[0]!).data);
    }
    expect(data[1]).toEqual(data[0]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("a damaged cache is deleted and named; another start simulates", async () => {
    const first = robotOf({});
    await first.robot.run();
    await first.robot.stop();
    const [name] = readdirSync(folder);
    writeFileSync(path.join(folder, name!), "not a bag");
    const { robot } = robotOf({});
    await expect(robot.run()).rejects.toThrow("damaged and now deleted; start again");
    await robot.stop();
    expect(readdirSync(folder)).toHaveLength(0);
  });

  test("a cache that cannot be written costs only the cache", async () => {
    const file = path.join(folder, "file");
    writeFileSync(file, "");
    const { ros, robot } = robotOf({}, path.join(file, "below"));
    try {
      await robot.run();
    } finally {
      await robot.stop();
    }
    const warnings = ros.logLines.filter(({ severity }) => severity === "warn");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.text).toContain("not kept for the next start");
    expect(ros.logLines.at(-1)!.text).toContain("is complete and repeats");
  });

  test("settings that cannot be simulated are refused with the reason", async () => {
    const { robot } = robotOf({ seconds: 120, speed: 40 });
    await expect(robot.run()).rejects.toThrow("it must be at most 2000 m");
    await robot.stop();
  });
});
