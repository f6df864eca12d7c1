import path from "node:path";
import { z } from "zod";
import { Fault } from "../../../faults/Fault.js";
import { type Pose, inverse } from "../../../transforms/Pose.js";
import type { CalibratedCamera } from "../dataset/compressedImage.js";
import { inFile, listFolder, readJson, readTextIfThere } from "../dataset/dataSetFiles.js";
import { intrinsicsOf } from "../dataset/pinholeCameraInfo.js";
import { poseFromRows } from "../dataset/poseFromMatrix.js";
import type { SkippedFrames } from "../dataset/SkippedFrames.js";

export interface PcdCamera extends CalibratedCamera {
  /** Folder of its images. */
  readonly folder: string;
  /** File names of its images by the name without extension. */
  readonly images: ReadonlyMap<string, string>;
  readonly frameId: string;
  /** Pose of the optical frame in the LiDAR's. */
  readonly inLidar: Pose;
}

const numbers = (count: number) => z.array(z.number()).length(count);
/** calib/camera/<name>.json as SUSTechPOINTS has it: both row-major, extrinsic from LiDAR to camera. */
const fileSchema = z.object({ extrinsic: numbers(16), intrinsic: numbers(9) });
/** An entry of calib.json, which holds all cameras by name. */
const entrySchema = z.object({
  K: z.array(numbers(3)).length(3),
  lidar2cam: z.array(numbers(4)).length(4),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
});

const IMAGE = /^(.+)\.(?:jpe?g|png)$/i;

/**
 * The cameras that have images (camera/<name>) and a calibration (calib/camera/<name>.json, or an entry of calib.json).
 * One whose calibration cannot be read is skipped.
 */
export async function findPcdCameras(folder: string, skipped: SkippedFrames): Promise<readonly PcdCamera[]> {
  const cameras: PcdCamera[] = [];
  for (const name of await listFolder(path.join(folder, "camera"))) {
    const imageFolder = path.join(folder, "camera", name);
    const images = new Map(
      (await listFolder(imageFolder)).flatMap((file) => {
        const match = IMAGE.exec(file);
        return match === null ? [] : [[match[1]!, file] as const];
      }),
    );
    if (images.size === 0) continue;
    const calibration = await skipped.unless(() => readCalibration(folder, name));
    if (calibration === undefined) {
      skipped.add(`${imageFolder} is skipped: it has no calibration`);
      continue;
    }
    if (calibration === "none") {
      skipped.add(
        `${imageFolder} is skipped: there is neither ${path.join(folder, "calib", "camera", `${name}.json`)} ` +
          `nor an entry ${name} in ${path.join(folder, "calib.json")}`,
      );
      continue;
    }
    cameras.push({
      ...calibration,
      namespace: `/camera/${name}`,
      frameId: `${name}_optical_frame`,
      folder: imageFolder,
      images,
    });
  }
  return cameras;
}

type Calibration = Pick<PcdCamera, "intrinsics" | "size" | "inLidar">;

async function readCalibration(folder: string, name: string): Promise<Calibration | "none"> {
  const all = path.join(folder, "calib.json");
  if ((await readTextIfThere(all)) !== undefined) {
    const entry = ((await readJson(all)) as Record<string, unknown> | null)?.[name];
    if (entry !== undefined) {
      const place = `${all} entry ${name}`;
      const { K, lidar2cam, width, height } = await inFile(place, () => parse(entrySchema, entry));
      const calibration = await inFile(place, () => calibrated(K.flat(), lidar2cam.flat()));
      return { ...calibration, ...(width && height && { size: [width, height] as const }) };
    }
  }
  const file = path.join(folder, "calib", "camera", `${name}.json`);
  if ((await readTextIfThere(file)) === undefined) return "none";
  const { extrinsic, intrinsic } = await readJson(file).then((json) =>
    inFile(file, () => parse(fileSchema, json)),
  );
  return inFile(file, () => calibrated(intrinsic, extrinsic));
}

function calibrated(k: readonly number[], lidarToCamera: readonly number[]): Calibration {
  const intrinsics = intrinsicsOf(k);
  if (intrinsics === undefined) {
    throw new Fault("data-set-unreadable", `[${k.join(", ")}] are not the intrinsics of a camera`);
  }
  return { intrinsics, inLidar: inverse(poseFromRows(lidarToCamera)) };
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Fault("data-set-unreadable", `it is not a calibration: ${z.prettifyError(parsed.error)}`);
}
