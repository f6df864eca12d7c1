/** A data set of two small scenes in the layout of nuScenes v1.0-mini, for tests. */
import path from "node:path";
import { floatBytes, imageBytes, writeFiles } from "../dataset/exampleRecording.js";

export const CAMERAS = [
  "CAM_FRONT",
  "CAM_FRONT_RIGHT",
  "CAM_BACK_RIGHT",
  "CAM_BACK",
  "CAM_BACK_LEFT",
  "CAM_FRONT_LEFT",
] as const;
export const KEY_FRAMES = 2;
export const IMAGE_SIZE = [32, 18] as const;
/** Microseconds. */
export const FIRST_TIMESTAMP = 1_532_402_927_612_460;
export const LABELS = [17, 24, 1];

/** Half a second between key frames; cameras fire up to 40 ms before the scan. */
export function timestampOf(frame: number, channel: string): number {
  const camera = CAMERAS.indexOf(channel as (typeof CAMERAS)[number]);
  return FIRST_TIMESTAMP + 500_000 * frame - (camera < 0 ? 0 : 8000 * camera);
}

/** w, x, y, z of a turn about z. */
export function yaw(radians: number): number[] {
  return [Math.cos(radians / 2), 0, 0, Math.sin(radians / 2)];
}

export const LIDAR_IN_BASE = { translation: [0.94, 0, 1.84], rotation: yaw(-Math.PI / 2) };
/** Looks along the base's x: z forward, x right, y down. */
export const FRONT_IN_BASE = { translation: [1.7, 0.02, 1.51], rotation: [0.5, -0.5, 0.5, -0.5] };
export const INTRINSIC = [
  [25, 0, 16],
  [0, 25, 9],
  [0, 0, 1],
];

/** One metre ahead per frame. */
export function egoPose(frame: number): { translation: number[]; rotation: number[] } {
  return { translation: [400 + frame, 1100, 0], rotation: yaw(0) };
}

export function scanFile(scene: number, frame: number): string {
  return `samples/LIDAR_TOP/scene${scene}__${frame}.pcd.bin`;
}

export function imageFile(scene: number, channel: string, frame: number): string {
  return `samples/${channel}/scene${scene}__${frame}.jpg`;
}

export function labelFile(scene: number, frame: number): string {
  return `lidarseg/v1.0-mini/scene${scene}-${frame}_lidarseg.bin`;
}

/** `scenes` scenes of two key frames, and one sweep behind each scan. */
export async function writeNuScenes(root: string, scenes = 2): Promise<void> {
  const channels = ["LIDAR_TOP", "RADAR_FRONT", ...CAMERAS];
  const tables: Record<string, unknown[]> = {
    scene: [],
    sample: [],
    sample_data: [],
    ego_pose: [],
    lidarseg: [],
    sensor: channels.map((channel) => ({
      token: `sensor-${channel}`,
      channel,
      modality: channel.startsWith("CAM") ? "camera" : channel === "LIDAR_TOP" ? "lidar" : "radar",
    })),
    calibrated_sensor: channels.map((channel) => ({
      token: `calibration-${channel}`,
      sensor_token: `sensor-${channel}`,
      ...(channel === "LIDAR_TOP" ? LIDAR_IN_BASE : FRONT_IN_BASE),
      camera_intrinsic: channel.startsWith("CAM") ? INTRINSIC : [],
    })),
  };
  const files: Record<string, string | Uint8Array> = {};
  const image = await imageBytes("jpeg", ...IMAGE_SIZE);
  const points = floatBytes([5, 1, -1, 20, 3, -2, 8, 0, 255, 31, 7, 7, 7, 0, 0]);
  for (let scene = 0; scene < scenes; scene++) {
    tables["scene"]!.push({ token: `s${scene}`, name: `scene-000${scene}`, description: "Parked" });
    for (let frame = 0; frame < KEY_FRAMES; frame++) {
      const sample = `s${scene}-${frame}`;
      tables["sample"]!.push({
        token: sample,
        scene_token: `s${scene}`,
        timestamp: timestampOf(frame, "LIDAR_TOP"),
      });
      const add = (channel: string, filename: string, isKeyFrame: boolean): void => {
        const token = `${sample}-${channel}${isKeyFrame ? "" : "-sweep"}`;
        tables["ego_pose"]!.push({ token, ...egoPose(frame), timestamp: 0 });
        tables["sample_data"]!.push({
          token,
          sample_token: sample,
          ego_pose_token: token,
          calibrated_sensor_token: `calibration-${channel}`,
          filename,
          is_key_frame: isKeyFrame,
          timestamp: timestampOf(frame, channel) + (isKeyFrame ? 0 : 50_000),
        });
      };
      add("LIDAR_TOP", scanFile(scene, frame), true);
      add("LIDAR_TOP", scanFile(scene, frame).replace("samples", "sweeps"), false);
      add("RADAR_FRONT", "samples/RADAR_FRONT/0.pcd", true);
      for (const channel of CAMERAS) {
        add(channel, imageFile(scene, channel, frame), true);
        files[imageFile(scene, channel, frame)] = image;
      }
      files[scanFile(scene, frame)] = points;
      files[scanFile(scene, frame).replace("samples", "sweeps")] = points;
      files[labelFile(scene, frame)] = Uint8Array.from(LABELS);
      tables["lidarseg"]!.push({
        sample_data_token: `${sample}-LIDAR_TOP`,
        filename: labelFile(scene, frame),
      });
    }
  }
  for (const [name, rows] of Object.entries(tables)) files[`v1.0-mini/${name}.json`] = JSON.stringify(rows);
  await writeFiles(
    Object.fromEntries(Object.entries(files).map(([file, content]) => [path.join(root, file), content])),
  );
}
