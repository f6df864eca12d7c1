import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { describeWithRealData } from "../../../../test/support/realData.mjs";
import type { CameraInfo, TFMessage } from "../../../messages/types.js";
import { TransformBuffer } from "../../../transforms/TransformBuffer.js";
import { withFolder } from "../../exampleBag.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import {
  frameFile,
  HEIGHT,
  IMU_TO_VELODYNE,
  pngBytes,
  PROJECTIONS,
  RECTIFICATION,
  rotationMatrix,
  scanBytes,
  stampOf,
  timeLine,
  VELODYNE_TO_CAMERA0,
  WIDTH,
  writeDrive,
} from "./exampleDrive.js";
import { KittiRawDrive } from "./KittiRawDrive.js";

async function read(folder: string): Promise<{ messages: RecordedMessage[]; warnings: readonly string[] }> {
  const drive = await KittiRawDrive.open(folder);
  const messages: RecordedMessage[] = [];
  for await (const message of drive.messages()) messages.push(message);
  return { messages, warnings: drive.warnings.map(({ message }) => message) };
}

function of<T extends RecordedMessage["type"]>(
  messages: readonly RecordedMessage[],
  type: T,
  topic?: string,
) {
  return messages.filter(
    (message): message is Extract<RecordedMessage, { type: T }> =>
      message.type === type && (topic === undefined || message.topic === topic),
  );
}

/** Pixel of a point of the velodyne frame by what the drive publishes: /tf_static and the camera's K. */
function projectAsPublished(
  tf: TFMessage,
  info: CameraInfo,
  point: readonly number[],
): [number, number, number] {
  const buffer = new TransformBuffer();
  buffer.add(tf, true);
  const m = buffer.lookup(info.header.frameId, "velo_link", "latest");
  const [x, y, z] = [0, 1, 2].map(
    (i) => m[i]! * point[0]! + m[4 + i]! * point[1]! + m[8 + i]! * point[2]! + m[12 + i]!,
  ) as [number, number, number];
  const [fx, , cx, , fy, cy] = info.k as readonly number[] & { readonly length: 9 };
  return [(fx! * x) / z + cx!, (fy! * y) / z + cy!, z];
}

/** Pixel by KITTI's formula: P_rect * R_rect_00 * velo_to_cam * X. */
function projectByFormula(
  p: readonly number[],
  rectification: readonly number[],
  rotation: readonly number[],
  translation: readonly number[],
  point: readonly number[],
): [number, number] {
  const times = (m: readonly number[], v: readonly number[]): number[] =>
    [0, 1, 2].map((i) => m[3 * i]! * v[0]! + m[3 * i + 1]! * v[1]! + m[3 * i + 2]! * v[2]!);
  const inCamera = times(rotation, point).map((value, i) => value + translation[i]!);
  const [x, y, z] = times(rectification, inCamera) as [number, number, number];
  const [u, v, w] = [0, 1, 2].map(
    (i) => p[4 * i]! * x + p[4 * i + 1]! * y + p[4 * i + 2]! * z + p[4 * i + 3]!,
  );
  return [u! / w!, v! / w!];
}

test("a drive is read in time order: transforms, images with their camera_info, scans", async () => {
  await withFolder(async (folder) => {
    const { day, drive } = await writeDrive(folder);
    const { messages, warnings } = await read(drive);
    expect(warnings).toEqual([]);
    expect(messages.map(({ topic, stamp }) => [topic, stamp])).toEqual([
      ["/tf_static", stampOf(0)],
      ...[0, 1, 2].flatMap((frame) => [
        ["/kitti/velo/pointcloud", stampOf(frame)],
        ["/kitti/camera_gray_left/camera_info", stampOf(frame, 2_000_000)],
        ["/kitti/camera_gray_left/image_rect/compressed", stampOf(frame, 2_000_000)],
        ["/kitti/camera_color_left/camera_info", stampOf(frame, 3_000_000)],
        ["/kitti/camera_color_left/image_rect_color/compressed", stampOf(frame, 3_000_000)],
      ]),
    ]);
    for (const { stamp, message } of messages) {
      if ("header" in message) expect(message.header.stamp).toBe(stamp);
    }
    // The folder of the day means the same while it holds one drive.
    expect((await read(day)).messages).toEqual(messages);
    expect((await KittiRawDrive.open(drive)).scanCount).toBe(3);
  });
});

test("scans and images keep their bytes", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder);
    const { messages } = await read(drive);
    const clouds = of(messages, "sensor_msgs/msg/PointCloud2");
    for (const [frame, { message }] of clouds.entries()) {
      expect(Buffer.from(message.data).equals(scanBytes(frame))).toBe(true);
      expect(message).toMatchObject({
        width: frame + 2,
        height: 1,
        pointStep: 16,
        rowStep: 16 * (frame + 2),
      });
      expect(message.header.frameId).toBe("velo_link");
      expect(message.fields.map(({ name, offset, datatype }) => [name, offset, datatype])).toEqual([
        ["x", 0, 7],
        ["y", 4, 7],
        ["z", 8, 7],
        ["intensity", 12, 7],
      ]);
    }
    const [grey] = of(
      messages,
      "sensor_msgs/msg/CompressedImage",
      "/kitti/camera_gray_left/image_rect/compressed",
    );
    const [colour] = of(
      messages,
      "sensor_msgs/msg/CompressedImage",
      "/kitti/camera_color_left/image_rect_color/compressed",
    );
    expect(grey!.message.format).toBe("mono8; png compressed mono8");
    expect(colour!.message.format).toBe("rgb8; png compressed bgr8");
    expect(Buffer.from(colour!.message.data).equals(await pngBytes())).toBe(true);
  });
});

test("camera_info and tf_static together project as KITTI's formula, to a millionth of a pixel", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder);
    const { messages } = await read(drive);
    const [tf] = of(messages, "tf2_msgs/msg/TFMessage");
    const names = { "00": "camera_gray_left", "02": "camera_color_left" } as const;
    for (const camera of ["00", "02"] as const) {
      const [info] = of(messages, "sensor_msgs/msg/CameraInfo", `/kitti/${names[camera]}/camera_info`);
      expect(info!.message).toMatchObject({ width: WIDTH, height: HEIGHT, d: [0, 0, 0, 0, 0] });
      for (let i = 0; i < 50; i++) {
        const point = [3 + i, (i % 7) * 1.3 - 4, (i % 5) * 0.9 - 2];
        const [u, v, z] = projectAsPublished(tf!.message, info!.message, point);
        expect(z).toBeGreaterThan(0);
        const expected = projectByFormula(
          PROJECTIONS[camera],
          rotationMatrix(RECTIFICATION),
          rotationMatrix(VELODYNE_TO_CAMERA0),
          VELODYNE_TO_CAMERA0.translation,
          point,
        );
        expect(Math.hypot(u - expected[0], v - expected[1])).toBeLessThan(1e-6);
      }
    }
  });
});

test("without timestamps.txt a scan has the middle of its turn", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder);
    const velodyne = path.join(drive, "velodyne_points");
    const lines = (offset: number): string => [0, 1, 2].map((frame) => timeLine(frame, offset)).join("\n");
    await writeFile(path.join(velodyne, "timestamps_start.txt"), lines(0));
    await writeFile(path.join(velodyne, "timestamps_end.txt"), lines(90_000_000));
    const withAll = await read(drive);
    expect(of(withAll.messages, "sensor_msgs/msg/PointCloud2")[0]!.stamp).toBe(stampOf(0));
    await rm(path.join(velodyne, "timestamps.txt"));
    const { messages } = await read(drive);
    expect(of(messages, "sensor_msgs/msg/PointCloud2").map(({ stamp }) => stamp)).toEqual(
      [0, 1, 2].map((frame) => stampOf(frame, 45_000_000)),
    );
  });
});

test("oxts packets with their calibration become odom to base_link", async () => {
  await withFolder(async (folder) => {
    const { day, drive } = await writeDrive(folder);
    await mkdir(path.join(drive, "oxts", "data"), { recursive: true });
    // One thousandth of a degree north and a quarter turn from one packet to the next.
    const packets = [0, 1].map((i) => `${49.015 + i / 1000} 8.434 116.4 0 0 ${(i * Math.PI) / 2} 0 0 0`);
    for (const [frame, packet] of packets.entries()) await writeFile(frameFile(drive, "oxts", frame), packet);
    await writeFile(path.join(drive, "oxts", "timestamps.txt"), [timeLine(0), timeLine(1)].join("\n"));

    const without = await read(drive);
    expect(of(without.messages, "tf2_msgs/msg/TFMessage", "/tf")).toEqual([]);
    expect(without.warnings).toEqual([expect.stringContaining("there is no calib_imu_to_velo.txt")]);

    const { rotation, translation } = {
      rotation: rotationMatrix(IMU_TO_VELODYNE),
      translation: IMU_TO_VELODYNE.translation,
    };
    await writeFile(
      path.join(day, "calib_imu_to_velo.txt"),
      `R: ${rotation.join(" ")}\nT: ${translation.join(" ")}\n`,
    );
    const { messages, warnings } = await read(drive);
    expect(warnings).toEqual([]);
    const buffer = new TransformBuffer();
    for (const { topic, message } of of(messages, "tf2_msgs/msg/TFMessage"))
      buffer.add(message, topic === "/tf_static");
    // The IMU, which the packets locate, seen from odom.
    const imuInVelodyne = [...IMU_TO_VELODYNE.translation, 1];
    const imuAt = (frame: number): number[] => {
      const m = buffer.lookup("odom", "velo_link", stampOf(frame));
      return [0, 1, 2].map((i) =>
        [0, 1, 2, 3].reduce((sum, j) => sum + m[4 * j + i]! * imuInVelodyne[j]!, 0),
      );
    };
    expect(Math.hypot(...imuAt(0))).toBeLessThan(1e-6);
    const [east, north, up] = imuAt(1) as [number, number, number];
    expect(Math.abs(east)).toBeLessThan(1e-6);
    expect(Math.abs(up)).toBeLessThan(1e-6);
    // A thousandth of a degree of a sphere's circumference; Mercator is true to scale at the first packet.
    expect(north).toBeCloseTo((6378137 * 2 * Math.PI) / 360_000, 2);
    // After the quarter turn to the left, base_link's x axis points north.
    const m = buffer.lookup("odom", "base_link", stampOf(1));
    expect([m[0]!, m[1]!]).toEqual([expect.closeTo(0, 2), expect.closeTo(1, 2)]);
  });
});

test("frames that cannot be used are skipped with a warning that names the file", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder, 6);
    await writeFile(frameFile(drive, "velodyne_points", 1), scanBytes(1).subarray(0, 30));
    await writeFile(frameFile(drive, "velodyne_points", 2), "");
    await writeFile(frameFile(drive, "image_02", 1), "no image");
    await writeFile(frameFile(drive, "image_02", 2), await pngBytes(WIDTH + 1));
    await rm(frameFile(drive, "image_00", 3));
    const stamps = path.join(drive, "velodyne_points", "timestamps.txt");
    const lines = (await readFile(stamps, "utf8")).split("\n");
    await writeFile(stamps, lines.with(4, "2011-02-31 13:02:25.0").slice(0, 5).join("\n"));
    const { messages, warnings } = await read(drive);
    const frames = (topic: string): bigint[] =>
      messages.filter((message) => message.topic === topic).map(({ stamp }) => stamp);
    expect(frames("/kitti/velo/pointcloud")).toEqual([0, 3].map((frame) => stampOf(frame)));
    expect(frames("/kitti/camera_gray_left/image_rect/compressed")).toEqual(
      [0, 1, 2, 4, 5].map((frame) => stampOf(frame, 2_000_000)),
    );
    expect(frames("/kitti/camera_color_left/camera_info")).toEqual(
      [0, 3, 4, 5].map((frame) => stampOf(frame, 3_000_000)),
    );
    const name = (sensor: string, frame: number): string => frameFile(drive, sensor, frame);
    expect(warnings).toEqual([
      `${path.join(drive, "velodyne_points")} has 6 frames and 5 times: only frames with both are read`,
      `${name("velodyne_points", 4)} is skipped: line 5 of ${stamps} is missing or not a time`,
      `${name("velodyne_points", 5)} is skipped: line 6 of ${stamps} is missing or not a time`,
      `${path.join(drive, "image_00")} has 5 frames and 6 times: only frames with both are read`,
      `${name("velodyne_points", 1)} is skipped: it has 30 bytes, not a multiple of 16 (x, y, z, intensity as float32: 16 bytes a point)`,
      `${name("image_02", 1)} is not a PNG image: it is skipped`,
      `${name("velodyne_points", 2)} is skipped: it has 0 bytes, not a multiple of 16 (x, y, z, intensity as float32: 16 bytes a point)`,
      `${name("image_02", 2)} has 41x12 pixels, its camera is calibrated for 40x12: it is skipped`,
    ]);
  });
});

test("a file that disappears while the drive is read is skipped", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder);
    const opened = await KittiRawDrive.open(drive);
    await rm(frameFile(drive, "velodyne_points", 1));
    let scans = 0;
    for await (const { type } of opened.messages()) if (type === "sensor_msgs/msg/PointCloud2") scans++;
    expect(scans).toBe(2);
    expect(opened.warnings[0]!.message).toMatch(/0000000001\.bin cannot be read and is skipped/);
  });
});

test("a drive without images is a drive; images without calibration are left out", async () => {
  await withFolder(async (folder) => {
    const { day, drive } = await writeDrive(folder);
    await cp(path.join(drive, "image_02"), path.join(drive, "image_03"), { recursive: true });
    const { warnings } = await read(drive);
    expect(warnings).toEqual(["image_03 is skipped: calib_cam_to_cam.txt has no P_rect_03"]);
    for (const camera of ["00", "02", "03"])
      await rm(path.join(drive, `image_${camera}`), { recursive: true });
    const { messages } = await read(day);
    expect(messages.map(({ topic }) => topic)).toEqual([
      "/tf_static",
      ...Array<string>(3).fill("/kitti/velo/pointcloud"),
    ]);
  });
});

test("folders that are no drive are refused with the file and the reason", async () => {
  await withFolder(async (folder) => {
    const { day, drive } = await writeDrive(folder);
    const refuse = async (message: RegExp, at = drive): Promise<void> => {
      await expect(KittiRawDrive.open(at)).rejects.toMatchObject({
        code: "data-set-unreadable",
        message: expect.stringMatching(message),
      });
    };
    await refuse(/none cannot be read/, path.join(folder, "none"));
    expect((await KittiRawDrive.open(folder)).folder).toBe(drive);
    await refuse(/is not a KITTI raw folder/, path.join(drive, "velodyne_points"));
    const second = path.join(day, "2011_09_26_drive_0002_sync");
    await cp(drive, second, { recursive: true });
    await refuse(
      /holds 2 drives, name one of them: 2011_09_26_drive_0001_sync, 2011_09_26_drive_0002_sync/,
      day,
    );
    await rm(second, { recursive: true });

    const edit = async (name: string, from: string | RegExp, to: string, message: RegExp): Promise<void> => {
      const file = path.join(day, name);
      const text = await readFile(file, "utf8");
      expect(text.replace(from, to)).not.toBe(text);
      await writeFile(file, text.replace(from, to));
      await refuse(message);
      await writeFile(file, text);
    };
    await edit(
      "calib_velo_to_cam.txt",
      /^T: .*$/m,
      "T: 1 2",
      /calib_velo_to_cam.txt: T must be 3 numbers, it is '1 2'/,
    );
    await edit("calib_velo_to_cam.txt", /^T: .*$/m, "T: 1 2 x", /T must be 3 numbers, it is '1 2 x'/);
    await edit("calib_velo_to_cam.txt", /^R: .*$/m, "", /calib_velo_to_cam.txt has no entry R/);
    await edit(
      "calib_velo_to_cam.txt",
      /^R: .*$/m,
      "R: 1 0 0 0 1 0 0 0 2",
      /R is not a rotation: .* off orthonormal by 3.00/,
    );
    await edit(
      "calib_cam_to_cam.txt",
      /^P_rect_02: 721/m,
      "P_rect_02: -721",
      /P_rect_02 is not a projection/,
    );
    await edit("calib_cam_to_cam.txt", /R_rect_00/, "R_rect_01", /has no entry R_rect_00/);

    await rename(path.join(day, "calib_cam_to_cam.txt"), path.join(day, "moved"));
    await refuse(/calib_cam_to_cam.txt cannot be read/);
    await rename(path.join(day, "moved"), path.join(day, "calib_cam_to_cam.txt"));
    await rm(path.join(drive, "velodyne_points", "timestamps.txt"));
    await refuse(/timestamps.txt does not exist/);
    await rm(path.join(drive, "velodyne_points", "data"), { recursive: true });
    await refuse(/holds no scan \(.bin\) with a time/);
  });
});

describeWithRealData("the recorded KITTI drive", "kitti_raw", (folder) => {
  const recorded = path.join(folder, "2011_09_26");

  test("is read whole, and projects as KITTI's formula up to the digits of its calibration", async () => {
    const { messages, warnings } = await read(recorded);
    expect(warnings).toEqual([]);
    const clouds = of(messages, "sensor_msgs/msg/PointCloud2");
    const images = of(messages, "sensor_msgs/msg/CompressedImage");
    expect([clouds.length, images.length]).toEqual([20, 20]);
    for (const [i, { stamp }] of clouds.entries()) expect(images[i]!.stamp - stamp).toBe(4_000_000n);
    const bin = path.join(recorded, "2011_09_26_drive_0000_sync/velodyne_points/data/0000000007.bin");
    expect(Buffer.from(clouds[7]!.message.data).equals(await readFile(bin))).toBe(true);

    const calibration = await readFile(path.join(recorded, "calib_velo_to_cam.txt"), "utf8");
    const cameras = await readFile(path.join(recorded, "calib_cam_to_cam.txt"), "utf8");
    const entry = (text: string, name: string): number[] =>
      new RegExp(`^${name}: (.*)$`, "m").exec(text)![1]!.trim().split(" ").map(Number);
    const [tf] = of(messages, "tf2_msgs/msg/TFMessage");
    const [info] = of(messages, "sensor_msgs/msg/CameraInfo");
    const points = new Float32Array(new Uint8Array(clouds[0]!.message.data).buffer);
    let compared = 0;
    for (let i = 0; i < points.length; i += 4 * 97) {
      const point = [...points.subarray(i, i + 3)];
      const [u, v, z] = projectAsPublished(tf!.message, info!.message, point);
      if (z < 1 || u < 0 || u > 1242 || v < 0 || v > 375) continue;
      const expected = projectByFormula(
        entry(cameras, "P_rect_02"),
        entry(cameras, "R_rect_00"),
        entry(calibration, "R"),
        entry(calibration, "T"),
        point,
      );
      // The printed matrices are rotations to 7 digits only.
      expect(Math.hypot(u - expected[0], v - expected[1])).toBeLessThan(1e-3);
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });
});

test("a drive of which no scan can be read is refused, and one without all times may lack scans", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder);
    expect((await KittiRawDrive.open(drive)).mayLackScans).toBe(false);
    for (let frame = 0; frame < 3; frame++) await writeFile(frameFile(drive, "velodyne_points", frame), "");
    await expect(read(drive)).rejects.toMatchObject({
      code: "data-set-unreadable",
      message: expect.stringMatching(
        /^no scan of .* can be read: .*0000000000\.bin is skipped: it has 0 bytes/,
      ),
    });
    await writeFile(path.join(drive, "velodyne_points", "timestamps.txt"), timeLine(0));
    expect((await KittiRawDrive.open(drive)).mayLackScans).toBe(true);
  });
});
