import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Fault } from "../faults/Fault.js";
import { parseOfferedQos } from "./qosProfile.js";
import { isSystemError, reasonOf } from "../files/systemError.js";
import type { BagTopic } from "./types.js";

/** When the messages of a split were logged, nanoseconds. */
export interface DeclaredTimes {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** The part of a rosbag2 folder's metadata.yaml that reading its files needs. */
export interface Rosbag2Metadata {
  /** Paths of the splits as they are written there, in recording order; before version 4 with the folder's own name. */
  readonly files: readonly string[];
  /** Where it says what is in the splits, and its numbers agree: the topics of all of them, and the times of each by name. */
  readonly content:
    { readonly topics: readonly BagTopic[]; readonly times: ReadonlyMap<string, DeclaredTimes> } | undefined;
}

const STORAGES: readonly string[] = ["mcap", "sqlite3"];

const count = z.bigint().nonnegative();
const schema = z.object({
  rosbag2_bagfile_information: z.object({
    storage_identifier: z.string(),
    relative_file_paths: z.array(z.string()).min(1),
    compression_format: z.string().nullish(),
    compression_mode: z.string().nullish().catch(null),
    message_count: count.nullish().catch(null),
    topics_with_message_count: z
      .array(
        z.object({
          topic_metadata: z.object({
            name: z.string(),
            type: z.string(),
            serialization_format: z.string(),
            offered_qos_profiles: z.unknown(),
          }),
          message_count: count,
        }),
      )
      .nullish()
      .catch(null),
    files: z
      .array(
        z.object({
          path: z.string(),
          starting_time: z.object({ nanoseconds_since_epoch: count }),
          duration: z.object({ nanoseconds: count }),
          message_count: count,
        }),
      )
      .nullish()
      .catch(null),
  }),
});
type Information = z.infer<typeof schema>["rosbag2_bagfile_information"];

/**
 * Reads `metadata.yaml` of a rosbag2 folder.
 * @returns undefined when the folder has none, as after an interrupted recording
 * @throws Fault `bag-damaged` when it is malformed, cut off or of an unknown storage; `bag-unreadable` when
 *   messages have a compression that is not read
 */
export async function readRosbag2Metadata(folder: string): Promise<Rosbag2Metadata | undefined> {
  const file = path.join(folder, "metadata.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw new Fault("bag-damaged", `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const information = parseMetadata(file, text);
  if (!STORAGES.includes(information.storage_identifier)) {
    throw new Fault(
      "bag-damaged",
      `${file}: storage '${information.storage_identifier}' is not read, only ${STORAGES.join(" and ")}; convert the bag first: \`ros2 bag convert\``,
    );
  }
  const compression = information.compression_format ?? "";
  if (compression !== "" && compression !== "zstd") {
    // Files have names that tell; of messages that were compressed one by one nothing else does.
    throw new Fault(
      /^message$/i.test(information.compression_mode ?? "") ? "bag-unreadable" : "bag-damaged",
      `${file}: compression '${compression}' is not read, only zstd; convert the bag first: \`ros2 bag convert\``,
    );
  }
  return { files: [...new Set(information.relative_file_paths)], content: contentOf(information) };
}

function contentOf(information: Information): Rosbag2Metadata["content"] {
  const { message_count: total, topics_with_message_count: topics, files } = information;
  if (!total || !topics || !files) return undefined;
  const sum = (counts: readonly { readonly message_count: bigint }[]): bigint =>
    counts.reduce((all, { message_count }) => all + message_count, 0n);
  if (sum(topics) !== total || sum(files) !== total) return undefined;
  return {
    topics: topics.map(({ topic_metadata: topic, message_count }) => ({
      topic: topic.name,
      type: topic.type,
      messageCount: Number(message_count),
      messageEncoding: topic.serialization_format,
      offeredQos:
        typeof topic.offered_qos_profiles === "string" ? parseOfferedQos(topic.offered_qos_profiles) : [],
    })),
    times: new Map(
      files.map(({ path: name, starting_time, duration }) => {
        const startTime = starting_time.nanoseconds_since_epoch;
        return [
          withoutZstd(path.win32.basename(name)),
          { startTime, endTime: startTime + duration.nanoseconds },
        ];
      }),
    ),
  };
}

/** A file that was compressed or unpacked after the metadata were written is the same file. */
export function withoutZstd(name: string): string {
  return name.replace(/\.zstd?$/i, "");
}

function parseMetadata(file: string, text: string): Information {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0, intAsBigInt: true, logLevel: "error" });
  } catch (error) {
    throw new Fault("bag-damaged", `${file} is not YAML: ${reasonOf(error).split("\n")[0] ?? ""}`, {
      cause: error,
    });
  }
  if (typeof document !== "object" || document === null) {
    throw new Fault(
      "bag-damaged",
      `${file} is not rosbag2 metadata: ${text.trim() === "" ? "it is empty" : "it has no entries"}`,
    );
  }
  const result = schema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Fault(
      "bag-damaged",
      `${file} is not rosbag2 metadata: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
  }
  return result.data.rosbag2_bagfile_information;
}
