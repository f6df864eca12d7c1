import type { FileHandle } from "node:fs/promises";
import type { IWritable } from "@mcap/core";
import { LIBRARY_IDENTIFIER, McapWriter } from "@mcap/core";
import { Fault } from "../../faults/Fault.js";
import { OutputFile, type OutputOptions } from "../../files/OutputFile.js";
import { asUnwritable } from "../../files/systemError.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { messageDefinition } from "../../messages/messageDefinition.js";
import type { ChunkCompression } from "./chunkCompression.js";
import { chunkCompressor } from "./chunkCompression.js";
import type { QosProfile } from "../qosProfile.js";
import { formatOfferedQos, inHumblesForm, LATCHED_QOS, RELIABLE_QOS } from "../qosProfile.js";
import type { RecordedMessage } from "../RecordedMessage.js";
import { encodeRecorded } from "../RecordedMessage.js";
import type { BagChannel, BagSchema } from "../types.js";

export interface McapBagWriterOptions extends OutputOptions {
  /** Of chunks of about a megabyte. Default `lz4`. */
  readonly compression?: ChunkCompression;
}

export interface TopicOptions {
  /** Definition of the type; by default that of ROS 2 Humble for a type that this project knows. */
  readonly schema?: BagSchema;
  /** By default latched for /tf_static and LabelInfo, reliable for the rest. */
  readonly qos?: QosProfile;
}

export interface MessageTimes {
  /** Nanoseconds: when the message was recorded. */
  readonly logTime: bigint;
  /** Nanoseconds: when the message was sent; the log time by default. */
  readonly publishTime?: bigint;
}

interface WrittenChannel {
  readonly id: number;
  sequence: number;
}

/**
 * Writes the MCAP files that `ros2 bag play`, Foxglove and RViz read: profile ros2, ros2msg schemas, CDR
 * messages, chunked and indexed. The same calls give the same bytes.
 *
 * The file has the name `<path>.partial` until `close()` gives it its own (see OutputFile); what a run that was killed
 * leaves can still be read, without its last chunk.
 */
export class McapBagWriter {
  readonly path: string;
  readonly #output: OutputFile;
  readonly #mcap: McapWriter;
  /** What this project writes: one channel for each topic. */
  readonly #channels = new Map<string, WrittenChannel & { readonly type: string }>();
  /** Copies of other bags' channels, by all that they are. */
  readonly #copies = new Map<string, WrittenChannel>();
  /** By all that they are. */
  readonly #schemaIds = new Map<string, number>();
  /** McapWriter must not be called before its last call has finished. */
  #last: Promise<void> = Promise.resolve();
  #open = true;
  /** What the disk refused; the file has a hole from then on. */
  #broken: Fault | undefined;

  private constructor(output: OutputFile, mcap: McapWriter) {
    this.path = output.path;
    this.#output = output;
    this.#mcap = mcap;
  }

  /**
   * Creates the file and the folders above it.
   * @throws Fault as `OutputFile.create`
   */
  static async create(
    file: string,
    { compression = "lz4", ...options }: McapBagWriterOptions = {},
  ): Promise<McapBagWriter> {
    const compressChunk = await chunkCompressor(compression);
    const output = await OutputFile.create(file, options);
    const mcap = new McapWriter({
      writable: new FileWritable(output.handle),
      ...(compressChunk && { compressChunk }),
    });
    const writer = new McapBagWriter(output, mcap);
    await writer.#run(async () => {
      await mcap.start({ profile: "ros2", library: `ditr_perception ${LIBRARY_IDENTIFIER}` });
      // rosbag2 takes this record for the sign that the QoS profiles of the channels have Humble's form.
      await mcap.addMetadata({ name: "rosbag2", metadata: new Map([["ROS_DISTRO", "humble"]]) });
    });
    return writer;
  }

  /**
   * Announces a topic; needed only for options, since `write` announces what is new.
   * @throws RangeError when the type is not known and no schema is given, or the topic has another type already
   */
  async addTopic(topic: string, type: string, options: TopicOptions = {}): Promise<void> {
    await this.#run(async () => {
      await this.#channel(topic, type, options);
    });
  }

  /**
   * Appends a CDR message. Await it: what it returns is the back-pressure of the disk. `cdr` is copied
   * before it returns. Messages may come in any order of time; readers sort them.
   *
   * @throws Fault `bag-unwritable` when the disk refuses
   * @throws RangeError as `addTopic`
   */
  async write(
    topic: string,
    type: string,
    { logTime, publishTime = logTime }: MessageTimes,
    cdr: Uint8Array,
  ): Promise<void> {
    await this.#run(async () => {
      await this.#add(await this.#channel(topic, type, {}), logTime, publishTime, cdr);
    });
  }

  /**
   * Appends a message of another bag to a channel that is the same as its own: topic, encoding, schema (or none) and
   * metadata. Otherwise as `write`. Only the names of QoS policies become numbers, which are what this file is for.
   */
  async copy(
    channel: BagChannel,
    { logTime, publishTime = logTime }: MessageTimes,
    data: Uint8Array,
  ): Promise<void> {
    await this.#run(async () => {
      await this.#add(await this.#copyOf(channel), logTime, publishTime, data);
    });
  }

  /** Encodes a message and writes it with its stamp as log time. Otherwise as `write`. */
  async record(message: RecordedMessage): Promise<void> {
    const { topic, type, stamp } = message;
    await this.write(topic, type, { logTime: stamp }, encodeRecorded(message));
  }

  /** Writes the index, and gives the file its final name. */
  async close(): Promise<void> {
    await this.#run(async () => {
      await this.#mcap.end();
      await this.#output.finish();
    });
    this.#open = false;
  }

  /** Gives up: nothing is left on the disk. Does nothing after `close()`. */
  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#last;
    await this.#output.discard();
  }

  async #channel(topic: string, type: string, { schema, qos }: TopicOptions): Promise<WrittenChannel> {
    const known = this.#channels.get(topic);
    if (known !== undefined) {
      if (known.type === type) return known;
      throw new RangeError(
        `${topic} carries ${known.type} in ${this.path}, so that it cannot carry ${type} too`,
      );
    }
    const id = await this.#mcap.registerChannel({
      topic,
      schemaId: await this.#schema(type, schema),
      messageEncoding: "cdr",
      metadata: new Map([["offered_qos_profiles", formatOfferedQos(qos ?? defaultQos(topic, type))]]),
    });
    const channel = { id, type, sequence: 0 };
    this.#channels.set(topic, channel);
    return channel;
  }

  async #copyOf(channel: BagChannel): Promise<WrittenChannel> {
    const { topic, messageEncoding, schema, metadata } = channel;
    // Writers may name a schema that they do not define; a channel of this file has one or none.
    const schemaId = schema === undefined ? 0 : await this.#schemaId(schema);
    const key = JSON.stringify([topic, messageEncoding, schemaId, [...metadata].sort()]);
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const copied = new Map(metadata);
    const qos = copied.get("offered_qos_profiles");
    if (qos !== undefined) copied.set("offered_qos_profiles", inHumblesForm(qos));
    const id = await this.#mcap.registerChannel({ topic, schemaId, messageEncoding, metadata: copied });
    const copy = { id, sequence: 0 };
    this.#copies.set(key, copy);
    return copy;
  }

  async #schema(type: string, given: BagSchema | undefined): Promise<number> {
    return this.#schemaId(
      given ?? {
        name: type,
        encoding: "ros2msg",
        data: new TextEncoder().encode(messageDefinition(type)),
      },
    );
  }

  async #schemaId(schema: BagSchema): Promise<number> {
    const key = JSON.stringify([schema.name, schema.encoding, Buffer.from(schema.data).toString("latin1")]);
    const known = this.#schemaIds.get(key);
    if (known !== undefined) return known;
    const id = await this.#mcap.registerSchema(schema);
    this.#schemaIds.set(key, id);
    return id;
  }

  async #add(channel: WrittenChannel, logTime: bigint, publishTime: bigint, data: Uint8Array): Promise<void> {
    const { id: channelId } = channel;
    await this.#mcap.addMessage({ channelId, sequence: channel.sequence++, logTime, publishTime, data });
  }

  async #run(action: () => Promise<void>): Promise<void> {
    if (!this.#open) throw new Error(`${this.path} has been closed`);
    const done = this.#last.then(async () => {
      if (this.#broken !== undefined) throw this.#broken;
      try {
        await asUnwritable(this.path, action);
      } catch (error) {
        if (error instanceof Fault) this.#broken = error;
        throw error;
      }
    });
    // The caller of each action hears of its failure; the one after it starts all the same.
    this.#last = done.catch(() => undefined);
    await done;
  }
}

function defaultQos(topic: string, type: string): QosProfile {
  return /(^|\/)tf_static$/.test(topic) || type === LABEL_INFO_TYPE ? LATCHED_QOS : RELIABLE_QOS;
}

/** Writes all bytes of each call: a single write may take fewer, on a full disk for one. */
class FileWritable implements IWritable {
  readonly #handle: FileHandle;
  #position = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, this.#position);
      done += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  position(): bigint {
    return BigInt(this.#position);
  }
}
