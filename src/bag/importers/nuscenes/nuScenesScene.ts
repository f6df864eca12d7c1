import { Fault } from "../../../faults/Fault.js";
import type { Pose } from "../../../transforms/Pose.js";
import { normalized } from "../../../transforms/Pose.js";
import { type Intrinsics, intrinsicsOf } from "../dataset/pinholeCameraInfo.js";
import type { SkippedFrames } from "../dataset/SkippedFrames.js";
import {
  byToken,
  findNuScenesTables,
  type NuScenesRow,
  type NuScenesTables,
  readTable,
  readTableIfThere,
} from "./nuScenesTables.js";

const LIDAR = "LIDAR_TOP";

/** A camera or the LiDAR. */
export interface NuScenesSensor {
  /** Such as CAM_FRONT. */
  readonly channel: string;
  /** Pose in base_link (the ego frame: rear axle, x forward). */
  readonly inBase: Pose;
  /** Of cameras. */
  readonly intrinsics: Intrinsics | undefined;
}

/** A scan or an image. */
export interface NuScenesData {
  readonly sensor: NuScenesSensor;
  /** Below the folder of the data set. */
  readonly file: string;
  /** Nanoseconds. */
  readonly stamp: bigint;
  /** Pose of base_link in the map at that time. */
  readonly basePose: Pose;
  /** Labels of a scan, below the folder of the data set. */
  readonly labels: string | undefined;
}

export interface NuScenesScene {
  readonly name: string;
  /** In the order of their stamps. */
  readonly data: readonly NuScenesData[];
  /** The LiDAR first. */
  readonly sensors: readonly NuScenesSensor[];
  /** Whether scans have labels. */
  readonly hasLabels: boolean;
}

export interface NuScenesSceneOptions {
  /** Such as v1.0-mini, where the folder holds several. */
  readonly version?: string;
  /** Such as scene-0061, where there are several. */
  readonly scene?: string;
  /** Also what lies between key frames, which has no labels; false by default. */
  readonly sweeps?: boolean;
}

/**
 * Lists what a scene recorded with LIDAR_TOP and the cameras.
 * @throws Fault `data-set-unreadable` when a table cannot be read, the choice of the scene is open, or there is no scan
 */
export async function readNuScenesScene(
  root: string,
  { version, scene: wanted, sweeps = false }: NuScenesSceneOptions,
  skipped: SkippedFrames,
): Promise<NuScenesScene> {
  const tables = await findNuScenesTables(root, version);
  const scene = chooseScene(tables, await readTable(tables, "scene", skipped), wanted);
  const samples = new Set(
    (await readTable(tables, "sample", skipped))
      .filter((row) => row.scene_token === scene.token)
      .map((row) => row.token),
  );
  const sensors = await readSensors(tables, skipped);
  const labels = new Map(
    (await readTableIfThere(tables, "lidarseg", skipped)).map((row) => [row.sample_data_token, row.filename]),
  );
  const rows = (await readTable(tables, "sample_data", skipped)).filter(
    (row) =>
      samples.has(row.sample_token) &&
      (sweeps || row.is_key_frame) &&
      sensors.has(row.calibrated_sensor_token),
  );
  const poses = byToken(await readTable(tables, "ego_pose", skipped));
  const data = rows.flatMap((row): NuScenesData[] => {
    const pose = poses.get(row.ego_pose_token);
    if (pose === undefined) {
      skipped.addListed(`${row.filename} is skipped: ego_pose.json has no row ${row.ego_pose_token}`);
      return [];
    }
    return [
      {
        sensor: sensors.get(row.calibrated_sensor_token)!,
        file: row.filename,
        stamp: BigInt(row.timestamp) * 1000n,
        basePose: poseOf(pose),
        labels: labels.get(row.token),
      },
    ];
  });
  const used = [...new Map(data.map(({ sensor }) => [sensor.channel, sensor])).values()];
  const lidar = used.find(({ channel }) => channel === LIDAR);
  if (lidar === undefined) {
    const [reason] = skipped.faults;
    throw new Fault(
      "data-set-unreadable",
      `${scene.name} of ${root} has no scan of ${LIDAR}${reason === undefined ? "" : `: ${reason.message}`}`,
    );
  }
  return {
    name: scene.name,
    data: data.sort((a, b) => Number(a.stamp - b.stamp) || order(a) - order(b)),
    sensors: [
      lidar,
      ...used.filter((sensor) => sensor !== lidar).sort((a, b) => (a.channel < b.channel ? -1 : 1)),
    ],
    hasLabels: data.some((entry) => entry.labels !== undefined),
  };
}

/** Images before the scan of the same time. */
function order({ sensor }: NuScenesData): number {
  return sensor.channel === LIDAR ? 1 : 0;
}

function chooseScene(
  { root }: NuScenesTables,
  scenes: readonly NuScenesRow<"scene">[],
  wanted: string | undefined,
): NuScenesRow<"scene"> {
  const [only, ...others] = wanted === undefined ? scenes : scenes.filter(({ name }) => name === wanted);
  if (only !== undefined && others.length === 0) return only;
  const names = scenes.map(({ name }) => name).sort();
  const listed = names.length > 12 ? `${names.slice(0, 12).join(", ")}, ...` : names.join(", ");
  throw new Fault(
    "data-set-unreadable",
    wanted === undefined
      ? `${root} holds ${names.length} scenes, name one of them: ${listed}`
      : `${root} has no scene ${wanted}; it has ${listed}`,
  );
}

/** LIDAR_TOP and the cameras by token of their calibration, which is another one in every drive. */
async function readSensors(
  tables: NuScenesTables,
  skipped: SkippedFrames,
): Promise<ReadonlyMap<string, NuScenesSensor>> {
  const sensors = byToken(await readTable(tables, "sensor", skipped));
  const calibrations = await readTable(tables, "calibrated_sensor", skipped);
  return new Map(
    calibrations.flatMap((row) => {
      const sensor = sensors.get(row.sensor_token);
      if (sensor === undefined || (sensor.channel !== LIDAR && sensor.modality !== "camera")) return [];
      const intrinsics = intrinsicsOf(row.camera_intrinsic.flat());
      if (sensor.modality === "camera" && intrinsics === undefined) {
        skipped.add(
          `calibrated_sensor.json: camera_intrinsic of ${row.token} (${sensor.channel}) is not the matrix of a camera: ` +
            `${JSON.stringify(row.camera_intrinsic)}; the images taken with it are skipped`,
        );
        return [];
      }
      return [[row.token, { channel: sensor.channel, inBase: poseOf(row), intrinsics }] as const];
    }),
  );
}

function poseOf({
  translation,
  rotation: [w, x, y, z],
}: Pick<NuScenesRow<"ego_pose">, "translation" | "rotation">): Pose {
  return { translation, rotation: normalized([x, y, z, w]) };
}
