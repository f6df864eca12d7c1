import type { Fault } from "../faults/Fault.js";
import { mergeByLogTime } from "./mergeByLogTime.js";
import type { BagMessage, BagReader, BagTopic, MessageFilter } from "./types.js";

/** The files of one recording as one bag. */
export class SplitBag implements BagReader {
  readonly path: string;
  readonly #files: readonly BagReader[];
  readonly #warnings: readonly Fault[];
  readonly #declaredTopics: readonly BagTopic[] | undefined;

  /**
   * @param path of the folder, or of the only file
   * @param files in recording order; closed with the bag
   * @param warnings what is wrong with the recording beside what its files say
   * @param declaredTopics of all files, where not all of them have been looked into
   */
  constructor(
    path: string,
    files: readonly BagReader[],
    warnings: readonly Fault[],
    declaredTopics?: readonly BagTopic[],
  ) {
    this.path = path;
    this.#files = files;
    this.#warnings = warnings;
    this.#declaredTopics = declaredTopics;
  }

  get topics(): readonly BagTopic[] {
    const merged = new Map<string, BagTopic>();
    for (const topic of this.#declaredTopics ?? this.#files.flatMap((file) => file.topics)) {
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
