import { decodeHeader, withPossibleStamp } from "../../messages/header.js";
import type { SensorMessage } from "../../perception/FrameAssembler.js";
import { joinByStamp, type RecordedStamp } from "../../sync/joinByStamp.js";
import type { SyncLedger } from "../../sync/SyncLedger.js";
import type { SyncOptions } from "../../sync/SyncOptions.js";
import type { SyncedFrame } from "../../sync/types.js";
import type { BagMessage, BagReader } from "../types.js";
import type { InputSelection } from "./InputSelection.js";
import { UNREADABLE, type IndexedTopic } from "./IndexedTopic.js";
import { PlannedReader, type PlannedTopic } from "./PlannedReader.js";
import { rowsByStamp, typicalLag, type RecordedEpochs } from "./RecordedEpochs.js";
import type { RecordingIndex } from "./RecordingIndex.js";

/** A cloud, image or depth image of a bag. */
export interface LoggedMessage extends SensorMessage {
  /** Nanoseconds. */
  readonly logTime: bigint;
}

/** A frame whose messages are rows of the index. */
export type FrameRows = SyncedFrame<number, number>;

export interface RecordedFramesOptions {
  readonly reader: BagReader;
  readonly selection: InputSelection;
  readonly index: RecordingIndex;
  readonly epochs: RecordedEpochs;
  readonly sync: SyncOptions;
}

/** The scans of a bag with the images that belong to them: joined by the index, then read. */
export class RecordedFrames {
  readonly #options: RecordedFramesOptions;
  /** Image topic, or that of a further cloud, by its name in the join. */
  readonly #topics: ReadonlyMap<string, string>;
  readonly #messages: PlannedReader<LoggedMessage>;

  constructor(options: RecordedFramesOptions) {
    this.#options = options;
    const { reader, selection, index, epochs, sync } = options;
    this.#topics = topicsByName(selection);
    const offsets = new Map(
      [...this.#topics].map(([name, topic]) => [topic, sync.cameras.get(name)?.offset ?? 0n]),
    );
    // Of two cameras with one image topic the offset of either will do: it only decides what is read in one go.
    const planned = [index.clouds, ...index.images.values()].map((topic): PlannedTopic => {
      const order = rowsByStamp(topic, epochs.of(topic));
      return { index: topic, order, lag: typicalLag(topic) + (offsets.get(topic.topic) ?? 0n) };
    });
    this.#messages = new PlannedReader(reader, planned, sensorMessage);
  }

  /** All frames of the bag; nothing is read for them. */
  join(ledger: SyncLedger): Generator<FrameRows, void, undefined> {
    const { index, epochs, sync } = this.#options;
    const images = new Map(
      [...this.#topics].map(([name, topic]) => [name, recorded(index.images.get(topic)!, epochs)]),
    );
    return joinByStamp({ clouds: recorded(index.clouds, epochs), images }, sync, ledger);
  }

  async read(rows: FrameRows): Promise<SyncedFrame<LoggedMessage, LoggedMessage>> {
    const { index } = this.#options;
    const cloud = await this.#messages.get(index.clouds.topic, rows.cloud);
    const images = [];
    for (const { image, ...match } of rows.images) {
      images.push({ ...match, image: await this.#messages.get(this.#topics.get(match.camera)!, image) });
    }
    return { ...rows, cloud, images };
  }

  async close(): Promise<void> {
    await this.#messages.close();
  }
}

function topicsByName({ clouds, cameras }: InputSelection): ReadonlyMap<string, string> {
  return new Map([
    ...clouds.slice(1).map(({ topic }) => [topic, topic] as const),
    ...cameras.map(({ name, imageTopic }) => [name, imageTopic] as const),
  ]);
}

function recorded(topic: IndexedTopic, epochs: RecordedEpochs): RecordedStamp<number>[] {
  const { stamps } = topic;
  const ofRow = epochs.of(topic);
  const messages: RecordedStamp<number>[] = [];
  for (let row = 0; row < stamps.length; row++) {
    const stamp = stamps[row]!;
    if (stamp === UNREADABLE) continue;
    messages.push({ stamp, payload: row, epoch: ofRow[row]!, middle: topic.middle(row) });
  }
  return messages;
}

function sensorMessage({ topic, type, logTime, data }: BagMessage): LoggedMessage {
  // A message whose stamp is impossible is used only where its log time stands in for it.
  const cdr = withPossibleStamp(data, logTime);
  const { frameId } = decodeHeader(cdr);
  return { topic, type, frameId, cdr, logTime };
}
