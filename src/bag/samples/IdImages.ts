import { checkRows } from "../../camera/rawImage.js";
import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { decodeHeader } from "../../messages/header.js";
import { decodeImage, IMAGE_TYPE } from "../../messages/image.js";
import type { Image } from "../../messages/types.js";
import { IndexedTopic, UNREADABLE } from "../labelling/IndexedTopic.js";
import { PlannedReader } from "../labelling/PlannedReader.js";
import { rowsByStamp, typicalLag } from "../labelling/RecordedEpochs.js";
import type { BagReader } from "../types.js";

/** Bytes of an id by encoding. */
const ID_BYTES: ReadonlyMap<string, 1 | 2> = new Map([
  ["mono8", 1],
  ["8UC1", 1],
  ["mono16", 2],
  ["16UC1", 2],
]);

/** Images of ids (classes or regions) that a bag has beside the images of its cameras, found by their stamps. */
export class IdImages {
  readonly #topics: ReadonlyMap<string, string>;
  readonly #rows: ReadonlyMap<string, ReadonlyMap<bigint, number>>;
  readonly #messages: PlannedReader<Uint8Array>;

  private constructor(
    reader: BagReader,
    topics: ReadonlyMap<string, string>,
    indexes: ReadonlyMap<string, IndexedTopic>,
  ) {
    this.#topics = topics;
    this.#rows = new Map(
      [...indexes].map(([topic, { stamps }]) => [
        topic,
        new Map([...stamps].map((stamp, row) => [stamp, row])),
      ]),
    );
    const planned = [...indexes.values()].map((index) => ({
      index,
      order: rowsByStamp(index, new Uint16Array(index.count)),
      lag: typicalLag(index),
    }));
    this.#messages = new PlannedReader(reader, planned, ({ data }) => data);
  }

  /**
   * Reads the headers of all of them.
   * @param topics of sensor_msgs/msg/Image, by the topic of the camera's images
   * @param faults where messages that cannot be read are recorded
   */
  static async index(
    reader: BagReader,
    topics: ReadonlyMap<string, string>,
    faults: FaultLog,
  ): Promise<IdImages> {
    const indexes = new Map([...topics.values()].map((topic) => [topic, new IndexedTopic(topic)]));
    if (indexes.size > 0) {
      for await (const { topic, data, logTime } of reader.messages({ topics: [...indexes.keys()] })) {
        try {
          indexes.get(topic)!.add(decodeHeader(data).stamp, logTime);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          indexes.get(topic)!.add(UNREADABLE, logTime);
          faults.record(error.at({ topic, logTime }));
        }
      }
    }
    return new IdImages(reader, topics, indexes);
  }

  /**
   * The ids of a camera's image, row by row; undefined when there are none of its stamp.
   * @throws Fault when they cannot be read, or are not of the image's size
   */
  async of(
    imageTopic: string,
    stamp: bigint,
    { width, height }: { readonly width: number; readonly height: number },
  ): Promise<Uint16Array | undefined> {
    const topic = this.#topics.get(imageTopic);
    const row = topic === undefined ? undefined : this.#rows.get(topic)!.get(stamp);
    if (topic === undefined || row === undefined) return undefined;
    const image = decodeImage(await this.#messages.get(topic, row));
    if (image.width !== width || image.height !== height) {
      throw new Fault(
        "malformed-message",
        `ids of ${image.width}x${image.height} pixels are not those of an image of ${width}x${height} on ${imageTopic}`,
      ).at({ topic, stamp });
    }
    try {
      return decodeIds(image);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw error.at({ topic, stamp });
    }
  }

  async close(): Promise<void> {
    await this.#messages.close();
  }
}

/** Is this a topic whose messages can hold ids? */
export function holdsIds(reader: BagReader, wanted: string): boolean {
  return reader.topics.some(({ topic, type }) => topic === wanted && type === IMAGE_TYPE);
}

function decodeIds(image: Image): Uint16Array {
  const { width, height, encoding, step, data, isBigEndian } = image;
  const bytes = ID_BYTES.get(encoding);
  if (bytes === undefined) {
    throw new Fault(
      "unsupported-encoding",
      `an image of ids is in ${[...ID_BYTES.keys()].join(", ")}, not in "${encoding}"`,
    );
  }
  checkRows(image, width * bytes, height);
  const ids = new Uint16Array(width * height);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const byte = y * step + x * bytes;
      ids[at] = bytes === 1 ? view.getUint8(byte) : view.getUint16(byte, !isBigEndian);
    }
  }
  return ids;
}
