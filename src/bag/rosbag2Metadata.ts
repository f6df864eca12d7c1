import { readFile } from "node:fs/promises";
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

const schema = z.object({
  rosbag2_bagfile_information: z.object({
    storage_identifier: z.string(),
    relative_file_paths: z.array(z.string()).min(1),
    compression_format: z.string().nullish(),
    compression_mode: z.string().nullish(),
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
  if (information.storage_identifier !== "mcap") {
    throw new Fault(
      "bag-unreadable",
      `${file}: storage '${information.storage_identifier}' is not read, only 'mcap'; convert the bag first: \`ros2 bag convert\`, ` +
        `or without ROS \`pip install rosbags && rosbags-convert --src ${folder} --dst NEW_BAG --dst-storage mcap\``,
    );
  }
  if (information.compression_mode?.toLowerCase() === "file") {
    throw new Fault(
      "bag-unreadable",
      `${file}: its files are ${information.compression_format ?? "zstd"}-compressed as a whole; unpack them (\`zstd -d FILE\`) ` +
        "and open the .mcap file, or record with the MCAP storage preset zstd_fast instead of --compression-mode file",
    );
  }
  // Before version 4 the paths began with the folder's own name; splits always lie beside the metadata.
  return {
    files: information.relative_file_paths.map((relative) => path.join(folder, path.basename(relative))),
  };
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
