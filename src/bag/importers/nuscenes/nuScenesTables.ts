import path from "node:path";
import { z } from "zod";
import { Fault } from "../../../faults/Fault.js";
import { listFolder, readJson } from "../dataset/dataSetFiles.js";
import type { SkippedFrames } from "../dataset/SkippedFrames.js";

const token = z.string();
const vector = z.tuple([z.number(), z.number(), z.number()]);
/** Unit quaternion w, x, y, z. */
const rotation = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .refine((q) => Math.abs(Math.hypot(...q) - 1) < 0.1, "Invalid input: expected a quaternion of length 1");

/** The columns that are needed; https://www.nuscenes.org/nuscenes, "Data format". */
const SCHEMAS = {
  scene: z.object({ token, name: z.string() }),
  sample: z.object({ token, scene_token: token }),
  sample_data: z.object({
    token,
    sample_token: token,
    ego_pose_token: token,
    calibrated_sensor_token: token,
    filename: z.string(),
    is_key_frame: z.boolean(),
    /** Microseconds since the epoch. */
    timestamp: z.number().int().positive(),
  }),
  calibrated_sensor: z.object({
    token,
    sensor_token: token,
    translation: vector,
    rotation,
    /** 3x3; of other sensors empty. */
    camera_intrinsic: z.array(z.array(z.number())),
  }),
  sensor: z.object({ token, channel: z.string(), modality: z.string() }),
  ego_pose: z.object({ token, translation: vector, rotation }),
  lidarseg: z.object({ sample_data_token: token, filename: z.string() }),
} as const;

type TableName = keyof typeof SCHEMAS;
export type NuScenesRow<T extends TableName> = z.infer<(typeof SCHEMAS)[T]>;

export interface NuScenesTables {
  /** Folder with samples, sweeps and the tables' folder. */
  readonly root: string;
  /** Folder of the tables, such as v1.0-mini. */
  readonly version: string;
}

/**
 * Finds the tables (v1.0-mini, v1.0-trainval, v1.0-test) in the folder of the data set.
 * @throws Fault `data-set-unreadable` when there are none or several and none is named
 */
export async function findNuScenesTables(root: string, version?: string): Promise<NuScenesTables> {
  const versions = (await listFolder(root)).filter((name) => /^v\d+\.\d+-/.test(name));
  const [only, ...others] = version === undefined ? versions : versions.filter((name) => name === version);
  if (only !== undefined && others.length === 0) return { root, version: only };
  if (versions.length === 0) {
    throw new Fault(
      "data-set-unreadable",
      `${root} is not a nuScenes folder: it holds no tables (v1.0-mini)`,
    );
  }
  throw new Fault(
    "data-set-unreadable",
    version === undefined
      ? `${root} holds ${versions.length} versions, name one of them: ${versions.join(", ")}`
      : `${root} has no ${version}; it has ${versions.join(", ")}`,
  );
}

/**
 * The rows of a table; those that cannot be used are skipped with a warning that names the row and the column.
 * @throws Fault `data-set-unreadable` when the file is no table, or none of its rows can be used
 */
export async function readTable<T extends TableName>(
  { root, version }: NuScenesTables,
  name: T,
  skipped: SkippedFrames,
): Promise<readonly NuScenesRow<T>[]> {
  const file = tableFile({ root, version }, name);
  const json = await readJson(file);
  const schema: z.ZodType<NuScenesRow<T>> = SCHEMAS[name] as never;
  const rows: NuScenesRow<T>[] = [];
  const problems: string[] = [];
  for (const [i, row] of (Array.isArray(json) ? json : [json]).entries()) {
    const parsed = schema.safeParse(row);
    if (parsed.success) rows.push(parsed.data);
    else problems.push(`row ${i}: ${reasonOf(parsed.error)}`);
  }
  const [first] = problems;
  if (first === undefined) return rows;
  if (rows.length === 0) {
    throw new Fault("data-set-unreadable", `${file} is not the table ${name}: ${first}`);
  }
  const others = problems.length > 1 ? `, and ${problems.length - 1} other rows` : "";
  skipped.addListed(`${file}: ${first}: the row is skipped${others}`);
  return rows;
}

/** The first thing that is wrong with a row, in the line of a sentence. */
function reasonOf({ issues }: z.ZodError): string {
  return z
    .prettifyError({ issues: issues.slice(0, 1) })
    .replace(/^✖ /, "")
    .replace(/\s*\n\s*→ /, " ");
}

/** As `readTable`, none when there is no such table. */
export async function readTableIfThere<T extends TableName>(
  tables: NuScenesTables,
  name: T,
  skipped: SkippedFrames,
): Promise<readonly NuScenesRow<T>[]> {
  const names = await listFolder(path.join(tables.root, tables.version));
  return names.includes(`${name}.json`) ? readTable(tables, name, skipped) : [];
}

export function tableFile({ root, version }: NuScenesTables, name: TableName): string {
  return path.join(root, version, `${name}.json`);
}

export function byToken<T extends { readonly token: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.token, row]));
}
