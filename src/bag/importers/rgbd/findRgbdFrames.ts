import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { listFolder, listFrames, parseNumbers, readTextIfThere } from "../dataset/dataSetFiles.js";
import type { FrameName } from "../dataset/frameNames.js";
import { type Intrinsics, intrinsicsOf } from "../dataset/pinholeCameraInfo.js";
import type { SkippedFrames } from "../dataset/SkippedFrames.js";

/** Its number is of 30 per second. */
export interface RgbdFrame extends FrameName {
  readonly depth: string;
  /** Undefined when the frame has no colour image. */
  readonly color: string | undefined;
  readonly pose: string;
}

export interface RgbdFrames {
  /** In the order of their numbers. */
  readonly frames: readonly RgbdFrame[];
  readonly depthIntrinsics: Intrinsics;
  /** Undefined where they cannot be read: without them colour images are of no use. */
  readonly colorIntrinsics: Intrinsics | undefined;
}

/**
 * Lists the frames of a folder in one of two layouts (numbers may be times or other names as well, see `orderFrames`):
 * - ScanNet: depth/7.png, color/7.jpg, pose/7.txt, intrinsic/intrinsic_depth.txt and intrinsic_color.txt;
 * - 7-Scenes: frame-000007.depth.png, .color.png and .pose.txt, in the folder or in the only one below it that has some;
 *   camera-intrinsics.txt beside them or one folder up, which holds for both images.
 * @throws Fault `data-set-unreadable` without depth images or their intrinsics
 */
export async function findRgbdFrames(folder: string, skipped: SkippedFrames): Promise<RgbdFrames> {
  const depthNames = await listFrames(path.join(folder, "depth"), ".png");
  return depthNames.length > 0 ? scanNetFrames(folder, depthNames, skipped) : sevenScenesFrames(folder);
}

async function scanNetFrames(
  folder: string,
  depthNames: readonly FrameName[],
  skipped: SkippedFrames,
): Promise<RgbdFrames> {
  const colorNames = await listFolder(path.join(folder, "color"));
  const colors = new Map(colorNames.map((name) => [path.parse(name).name, name]));
  const frames = depthNames.map(({ name, number, time }) => {
    const color = colors.get(name);
    return {
      name,
      number,
      time,
      depth: path.join(folder, "depth", `${name}.png`),
      color: color === undefined ? undefined : path.join(folder, "color", color),
      pose: path.join(folder, "pose", `${name}.txt`),
    };
  });
  return {
    frames,
    depthIntrinsics: await readIntrinsics([path.join(folder, "intrinsic", "intrinsic_depth.txt")]),
    colorIntrinsics: await skipped.unless(() =>
      readIntrinsics([path.join(folder, "intrinsic", "intrinsic_color.txt")]),
    ),
  };
}

async function sevenScenesFrames(folder: string): Promise<RgbdFrames> {
  const at = await sevenScenesFolder(folder);
  const names = new Set(await listFolder(at));
  const frames = (await listFrames(at, ".depth.png")).map(({ name, number, time }) => {
    const color = `${name}.color.png`;
    return {
      name,
      number,
      time,
      depth: path.join(at, `${name}.depth.png`),
      color: names.has(color) ? path.join(at, color) : undefined,
      pose: path.join(at, `${name}.pose.txt`),
    };
  });
  const file = "camera-intrinsics.txt";
  const intrinsics = await readIntrinsics([path.join(at, file), path.join(path.dirname(at), file)]);
  return { frames, depthIntrinsics: intrinsics, colorIntrinsics: intrinsics };
}

async function sevenScenesFolder(folder: string): Promise<string> {
  const names = await listFolder(folder);
  if (names.some(isDepth)) return folder;
  const inside: string[] = [];
  for (const name of names.filter((entry) => path.extname(entry) === "")) {
    if ((await listFolder(path.join(folder, name))).some(isDepth)) inside.push(name);
  }
  const [only, ...others] = inside;
  if (only !== undefined && others.length === 0) return path.join(folder, only);
  throw new Fault(
    "data-set-unreadable",
    only === undefined
      ? `${folder} holds neither depth/*.png nor frame-*.depth.png`
      : `${folder} holds ${inside.length} recordings, name one of them: ${inside.join(", ")}`,
  );
}

function isDepth(name: string): boolean {
  return name.endsWith(".depth.png");
}

/** Of the first of the files that is there: a 3x3 or 4x4 matrix. */
async function readIntrinsics(files: readonly string[]): Promise<Intrinsics> {
  for (const file of files) {
    const text = await readTextIfThere(file);
    if (text === undefined) continue;
    const numbers = parseNumbers(text);
    const columns = { 9: 3, 16: 4 }[numbers?.length ?? 0];
    const intrinsics = columns === undefined ? undefined : intrinsicsOf(numbers!, columns);
    if (intrinsics !== undefined) return intrinsics;
    throw new Fault(
      "data-set-unreadable",
      `${file} must be a 3x3 or 4x4 matrix of a camera, it is '${text.trim()}'`,
    );
  }
  throw new Fault(
    "data-set-unreadable",
    `${files.join(" and ")} do not exist: the cameras have no intrinsics`,
  );
}
