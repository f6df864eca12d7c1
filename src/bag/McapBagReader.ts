import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { McapFile } from "./McapFile.js";
import { mergeByLogTime } from "./mergeByLogTime.js";
import { readRosbag2Metadata } from "./rosbag2Metadata.js";
import { reasonOf } from "./systemError.js";
import type { BagMessage, BagReader, BagTopic, MessageFilter } from "./types.js";

/** Reads an MCAP file, or a rosbag2 folder of one or several MCAP files as one bag. */
export class McapBagReader implements BagReader {
  readonly path: string;
  readonly #files: readonly McapFile[];
  readonly #warnings: readonly Fault[];

  private constructor(path: string, files: readonly McapFile[], warnings: readonly Fault[]) {
    this.path = path;
    this.#files = files;
    this.#warnings = warnings;
  }

  /**
   * A damaged or cut off file is read as far as it makes sense, with a warning. So is a folder of which
   * some, but not all, files are missing or foreign.
   *
   * @param bag an MCAP file, a rosbag2 folder, or a folder of MCAP files
   * @throws Fault `bag-unreadable` when there is no such file, or it is another format: the message says which, and the way round
   */
  static async open(bag: string): Promise<McapBagReader> {
    const { paths, warnings } = await findFiles(bag);
    const files: McapFile[] = [];
    for (const file of paths) {
      try {
        files.push(await McapFile.open(file));
      } catch (error) {
        if (!(error instanceof Fault) || paths.length === 1) {
          await Promise.all(files.map((opened) => opened.close()));
          throw error;
        }
        warnings.push(error);
      }
    }
    const [firstFailure] = warnings;
    if (files.length === 0 && firstFailure !== undefined) throw firstFailure;
    return new McapBagReader(bag, files, warnings);
  }

  get topics(): readonly BagTopic[] {
    const merged = new Map<string, BagTopic>();
    for (const topic of this.#files.flatMap((file) => file.topics)) {
      const key = `${topic.topic}\n${topic.type}\n${topic.messageEncoding}`;
      const before = merged.get(key);
      merged.set(
        key,
        before === undefined ? topic : { ...before, messageCount: before.messageCount + topic.messageCount },
      );
    }
    return [...merged.values()].sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
  }

  get startTime(): bigint | undefined {
    return this.#files.reduce<bigint | undefined>((first, { startTime }) => {
      return first === undefined || (startTime !== undefined && startTime < first) ? startTime : first;
    }, undefined);
  }

  get endTime(): bigint | undefined {
    return this.#files.reduce<bigint | undefined>((last, { endTime }) => {
      return last === undefined || (endTime !== undefined && endTime > last) ? endTime : last;
    }, undefined);
  }

  get warnings(): readonly Fault[] {
    return [...this.#warnings, ...this.#files.flatMap((file) => file.warnings)];
  }

  messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    return mergeByLogTime(this.#files, filter);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

async function findFiles(bag: string): Promise<{ paths: readonly string[]; warnings: Fault[] }> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(bag)).isDirectory();
  } catch (error) {
    throw new Fault("bag-unreadable", `${bag} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (!isFolder) return { paths: [bag], warnings: [] };
  const metadata = await readRosbag2Metadata(bag);
  if (metadata !== undefined) return { paths: metadata.files, warnings: [] };
  return { paths: await withoutMetadata(bag), warnings: [] };
}

/** Recording order of splits is the order of the number in their names: `drive_9.mcap` before `drive_10.mcap`. */
async function withoutMetadata(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  const splits = names.filter((name) => name.endsWith(".mcap"));
  if (splits.length > 0) {
    const byNumber = new Intl.Collator("en", { numeric: true });
    return splits.sort((a, b) => byNumber.compare(a, b)).map((name) => path.join(folder, name));
  }
  // Any other single recording in the folder is opened for the sake of the message that says what it is.
  const foreign = names.find((name) => /\.(db3|bag|mcap\.zstd|db3\.zstd)$/.test(name));
  if (foreign !== undefined) return [path.join(folder, foreign)];
  throw new Fault(
    "bag-unreadable",
    `${folder} is not a rosbag2 folder: it holds neither metadata.yaml nor a .mcap file`,
  );
}
