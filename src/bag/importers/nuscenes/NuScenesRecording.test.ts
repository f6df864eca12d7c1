import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { readColumn, readXyz } from "../../../messages/pointColumns.js";
import {
  apply,
  ofType,
  project,
  readRecording,
  transformsOf,
  writeFiles,
} from "../dataset/exampleRecording.js";
import { withFolder } from "../../exampleBag.js";
import { CAMERAS, imageFile, labelFile, scanFile, timestampOf, writeNuScenes } from "./exampleNuScenes.js";
import { NUSCENES_LIDARSEG } from "./lidarsegClasses.js";
import { NuScenesRecording } from "./NuScenesRecording.js";

const CLOUD = "sensor_msgs/msg/PointCloud2";
const scene = { scene: "scene-0001" };

async function read(root: string, options = {}) {
  return readRecording(await NuScenesRecording.open(root, options));
}

test("a scene is read in time order: six cameras, scans, poses", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root);
    const recording = await NuScenesRecording.open(root, scene);
    expect([recording.sceneName, recording.scanCount]).toEqual(["scene-0001", 2]);
    const { messages, warnings } = await readRecording(recording);
    expect(warnings).toEqual([]);
    const stamp = (frame: number, channel: string): bigint => BigInt(timestampOf(frame, channel)) * 1000n;
    const frames = [0, 1].flatMap((frame) =>
      [...CAMERAS.toReversed(), "LIDAR_TOP"].map((channel) => ({ channel, stamp: stamp(frame, channel) })),
    );
    // The front camera fires at the time of the scan, and comes before it.
    expect(
      messages.filter(({ topic }) => /points$|compressed$/.test(topic)).map((m) => [m.topic, m.stamp]),
    ).toEqual(
      frames.map(({ channel, stamp: at }) => [
        channel === "LIDAR_TOP"
          ? "/nuscenes/lidar_top/points"
          : `/nuscenes/${channel.toLowerCase()}/image_rect_color/compressed`,
        at,
      ]),
    );
    expect(ofType(messages, "tf2_msgs/msg/TFMessage", "/tf").map((m) => m.stamp)).toEqual(
      frames.map((m) => m.stamp),
    );
    expect(
      messages.every(({ stamp: at, message }) => !("header" in message) || message.header.stamp === at),
    ).toBe(true);
    const [cloud] = ofType(messages, CLOUD);
    expect([...readXyz(cloud!.message)]).toEqual([5, 1, -1, -2, 8, 0, 7, 7, 7]);
    const column = (name: string): number[] => [...readColumn(cloud!.message, name, new Uint32Array(3))];
    expect([column("intensity"), column("ring")]).toEqual([
      [20, 255, 0],
      [3, 31, 0],
    ]);
    expect(column("ground_truth").map((id) => NUSCENES_LIDARSEG.classNames[id])).toEqual([
      "car",
      "driveable_surface",
      "ignore",
    ]);
    const [names] = ofType(messages, "vision_msgs/msg/LabelInfo");
    expect(names!.message.classMap[16]).toEqual({ classId: 16, className: "vegetation" });
  });
});

test("transforms project a point of the LiDAR into the front camera, and place it on the map", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root);
    const { messages } = await read(root, scene);
    const buffer = transformsOf(messages);
    const [info] = ofType(messages, "sensor_msgs/msg/CameraInfo", "/nuscenes/cam_front/camera_info");
    expect(info!.message).toMatchObject({ width: 32, height: 18, k: [25, 0, 16, 0, 25, 9, 0, 0, 1] });
    // 10 m ahead of the LiDAR, whose y axis points ahead and x to the right: base (10.94, -2, 0.84).
    const point = [2, 10, -1];
    const [u, v, z] = project(
      info!.message,
      apply(buffer.lookup("cam_front_optical_frame", "lidar_top", "latest"), point),
    );
    const [right, down, forward] = [2 + 0.02, 1.51 - 0.84, 10.94 - 1.7];
    expect([u, v, z]).toEqual(
      [16 + (25 * right) / forward, 9 + (25 * down) / forward, forward].map((x) => expect.closeTo(x, 9)),
    );
    const stamp = BigInt(timestampOf(1, "LIDAR_TOP")) * 1000n;
    const onMap = apply(buffer.lookup("map", "lidar_top", stamp), point);
    expect(onMap).toEqual([401 + 10.94, 1100 - 2, 0.84].map((x) => expect.closeTo(x, 9)));
  });
});

test("sweeps are read when asked for, as points without truth; without lidarseg there is no truth", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root, 1);
    const { messages } = await read(root, { sweeps: true });
    const clouds = ofType(messages, CLOUD);
    expect(clouds.map(({ message }) => [...readColumn(message, "ground_truth", new Uint32Array(3))])).toEqual(
      [
        [4, 11, 0],
        [0, 0, 0],
        [4, 11, 0],
        [0, 0, 0],
      ],
    );
    await rm(path.join(root, "v1.0-mini", "lidarseg.json"));
    const bare = await read(root);
    expect(ofType(bare.messages, CLOUD)[0]!.message.fields.map(({ name }) => name)).toEqual([
      "x",
      "y",
      "z",
      "intensity",
      "ring",
    ]);
    expect(ofType(bare.messages, "vision_msgs/msg/LabelInfo")).toEqual([]);
  });
});

test("frames that cannot be used are skipped with a warning that names file and value", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root, 1);
    const at = (file: string): string => path.join(root, file);
    await writeFile(at(scanFile(0, 0)), new Uint8Array(59));
    await writeFile(at(imageFile(0, "CAM_BACK", 0)), "no image");
    await rm(at(imageFile(0, "CAM_BACK", 1)));
    const { messages, warnings } = await read(root);
    expect(warnings).toEqual([
      expect.stringContaining(`${at(imageFile(0, "CAM_BACK", 0))}: it is not an image: `),
      `${at(scanFile(0, 0))}: it has 59 bytes, not a multiple of 20 (x, y, z, intensity, ring as float32: 20 bytes a point)`,
      expect.stringContaining(`${at(imageFile(0, "CAM_BACK", 1))} cannot be read: ENOENT`),
    ]);
    expect(ofType(messages, CLOUD)).toHaveLength(1);
    expect(ofType(messages, "sensor_msgs/msg/CompressedImage")).toHaveLength(10);
    for (const [labels, message] of [
      [[17, 24], "it has 2 labels for the 3 points of"],
      [[17, 24, 32], "label 32 of point 2 is not in the learning map"],
    ] as const) {
      await writeFile(at(labelFile(0, 1)), Uint8Array.from(labels));
      await expect(read(root)).rejects.toThrow(/^no scan of scene-0000 of .* can be read: /);
      const again = await NuScenesRecording.open(root);
      await expect(readRecording(again)).rejects.toThrow();
      expect(again.warnings.at(-1)!.message).toContain(`${at(labelFile(0, 1))}: ${message}`);
    }
  });
});

test("what cannot be read at all is refused in one sentence", async () => {
  await withFolder(async (root) => {
    const refuse = async (message: RegExp, options = {}): Promise<void> => {
      await expect(NuScenesRecording.open(root, options)).rejects.toMatchObject({
        code: "data-set-unreadable",
        message: expect.stringMatching(message),
      });
    };
    await refuse(/is not a nuScenes folder: it holds no tables/);
    await writeNuScenes(root);
    await refuse(/holds 2 scenes, name one of them: scene-0000, scene-0001/);
    await refuse(/has no scene scene-0061; it has scene-0000, scene-0001/, { scene: "scene-0061" });
    await refuse(/has no v1\.0-test; it has v1\.0-mini/, { version: "v1.0-test" });
    await writeFiles({ [path.join(root, "v1.0-test", "scene.json")]: "[]" });
    await refuse(/holds 2 versions, name one of them: v1\.0-mini, v1\.0-test/, scene);
    const mini = { ...scene, version: "v1.0-mini" };
    const table = (name: string): string => path.join(root, "v1.0-mini", `${name}.json`);
    const poses = await readFile(table("ego_pose"), "utf8");
    await writeFile(table("ego_pose"), poses.replaceAll("1100,0]", "1100]"));
    await refuse(/ego_pose\.json is not the table ego_pose: row 0: .*translation/s, mini);
    await writeFile(table("ego_pose"), "[]");
    await refuse(/scene-0001 of .* has no scan of LIDAR_TOP/, mini);
    await writeFile(table("ego_pose"), "[");
    await refuse(/ego_pose\.json is not JSON/, mini);
    await rm(table("ego_pose"));
    await refuse(/ego_pose\.json cannot be read: ENOENT/, mini);
  });
});

test("a row of a table or a calibration that cannot be used costs what needs it", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root, 1);
    const table = (name: string): string => path.join(root, "v1.0-mini", `${name}.json`);
    const replace = async (name: string, from: string, to: string): Promise<void> => {
      const text = await readFile(table(name), "utf8");
      expect(text).toContain(from);
      await writeFile(table(name), text.replace(from, to));
    };
    await replace("ego_pose", "[400,1100,0]", "[400,1100]");
    await replace("calibrated_sensor", "[25,0,16]", "[0,0,16]");
    const { messages, warnings } = await read(root);
    expect(warnings).toEqual([
      expect.stringMatching(
        /camera_intrinsic of calibration-CAM_FRONT \(CAM_FRONT\) is not the matrix of a camera: \[\[0,0,16\].*; the images taken with it are skipped$/,
      ),
      expect.stringMatching(/ego_pose\.json: row 0: .*translation.*: the row is skipped/s),
      expect.stringContaining("is skipped: ego_pose.json has no row"),
    ]);
    expect(ofType(messages, CLOUD).length).toBeGreaterThanOrEqual(1);
    expect(messages.some(({ topic }) => topic.includes("cam_front/"))).toBe(false);
    expect(messages.some(({ topic }) => topic.includes("cam_back/"))).toBe(true);
  });
});

test("a row that says no rotation is skipped, scans may be missing then, and what leaves none is in the sentence", async () => {
  await withFolder(async (root) => {
    await writeNuScenes(root, 1);
    const table = (name: string): string => path.join(root, "v1.0-mini", `${name}.json`);
    const poses = JSON.parse(await readFile(table("ego_pose"), "utf8")) as { rotation: number[] }[];
    poses[0]!.rotation = [0, 0, 0, 0];
    await writeFile(table("ego_pose"), `\ufeff${JSON.stringify(poses)}`);
    const recording = await NuScenesRecording.open(root);
    expect(recording.warnings[0]!.message).toBe(
      `${table("ego_pose")}: row 0: Invalid input: expected a quaternion of length 1 at rotation: the row is skipped`,
    );
    expect(recording.mayLackScans).toBe(true);
    const calibrations = await readFile(table("calibrated_sensor"), "utf8");
    await writeFile(
      table("calibrated_sensor"),
      calibrations.replace('"token":"calibration-LIDAR_TOP"', '"token":1'),
    );
    await expect(NuScenesRecording.open(root)).rejects.toMatchObject({
      message: expect.stringMatching(/has no scan of LIDAR_TOP: .*calibrated_sensor\.json: row 0: /),
    });
  });
});

test("files that a table names outside of the data set's folder are not read", async () => {
  await withFolder(async (folder) => {
    const root = path.join(folder, "nuscenes");
    await writeNuScenes(root, 1);
    const data = path.join(root, "v1.0-mini", "sample_data.json");
    const inside = await readFile(data, "utf8");
    for (const name of [`../secret.bin`, `samples/../../secret.bin`, path.join(folder, "secret.bin")]) {
      await writeFile(path.join(folder, "secret.bin"), await readFile(path.join(root, scanFile(0, 0))));
      await writeFile(data, inside.replace(JSON.stringify(scanFile(0, 0)), JSON.stringify(name)));
      const { messages, warnings } = await read(root);
      expect(ofType(messages, CLOUD)).toHaveLength(1);
      expect(warnings).toEqual([
        `the data set names the file '${name}', which is not in its folder ${root}: it is not read`,
      ]);
    }
  });
});
