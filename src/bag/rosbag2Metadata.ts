import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Fault } from "../faults/Fault.js";
import { isSystemError, reasonOf } from "./systemError.js";

/** The part of a rosbag2 folder's metadata.yaml that finding its files needs. */
export interface Rosbag2Metadata {
  /** Paths of the splits, in recording order. */
  readonly files: readonly string[];
}

const STORAGES: readonly string[] = ["mcap", "sqlite3"];

const schema = z.object({
  rosbag2_bagfile_information: z.object({
    storage_identifier: z.string(),
    relative_file_paths: z.array(z.string()).min(1),
    compression_format: z.string().nullish(),
  }),
});

/**
 * Reads `metadata.yaml` of a rosbag2 folder.
 * @returns undefined when the folder has none, as after an interrupted recording
 * @throws Fault `bag-unreadable` when it is malformed or names a storage or compression that is not read
 */
export async function readRosbag2Metadata(folder: string): Promise<Rosbag2Metadata | undefined> {
  const file = path.join(folder, "metadata.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw new Fault("bag-unreadable", `${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const information = parseMetadata(file, text);
  if (!STORAGES.includes(information.storage_identifier)) {
    throw new Fault(
      "bag-unreadable",
      `${file}: storage '${information.storage_identifier}' is not read, only ${STORAGES.join(" and ")}; convert the bag first: \`ros2 bag convert\``,
    );
  }
  const compression = information.compression_format ?? "";
  if (compression !== "" && compression !== "zstd") {
    throw new Fault(
      "bag-unreadable",
      `${file}: compression '${compression}' is not read, only zstd; convert the bag first: \`ros2 bag convert\``,
    );
  }
  // Before version 4 the paths began with the folder's own name; splits always lie beside the metadata.
  const names = information.relative_file_paths.map((relative) => path.basename(relative));
  const present = new Set(await readdir(folder));
  return { files: names.map((name) => path.join(folder, presentName(name, present))) };
}

/** A file that was compressed or unpacked after the metadata were written is the same file. */
function presentName(name: string, present: ReadonlySet<string>): string {
  if (present.has(name)) return name;
  const other = name.endsWith(".zstd") ? name.slice(0, -".zstd".length) : `${name}.zstd`;
  return present.has(other) ? other : name;
}

function parseMetadata(file: string, text: string): z.infer<typeof schema>["rosbag2_bagfile_information"] {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new Fault("bag-unreadable", `${file} is not YAML: ${reasonOf(error).split("\n")[0] ?? ""}`, {
      cause: error,
    });
  }
  const result = schema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Fault(
      "bag-unreadable",
      `${file} is not rosbag2 metadata: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
  }
  return result.data.rosbag2_bagfile_information;
}
