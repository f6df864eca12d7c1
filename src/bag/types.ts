/** A recorded drive as a time-ordered stream of CDR messages, whatever file it comes from. */

import type { Fault } from "../faults/Fault.js";
import type { QosProfile } from "./qosProfile.js";

/** The definition of a message type that a bag carries with its messages. */
export interface BagSchema {
  /** Type name, for example `sensor_msgs/msg/PointCloud2`. */
  readonly name: string;
  /** `ros2msg` or `ros2idl` in ROS 2 bags. */
  readonly encoding: string;
  readonly data: Uint8Array;
}

/** A stream of messages as the bag declares it: what a copy of its messages has to keep. A topic can have several. */
export interface BagChannel {
  readonly topic: string;
  /** Empty when the channel has no schema. */
  readonly type: string;
  readonly messageEncoding: string;
  readonly schema?: BagSchema;
  /** `offered_qos_profiles` and `topic_type_hash` in ROS 2 bags, as they were written. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface BagTopic {
  readonly topic: string;
  /** For example `sensor_msgs/msg/PointCloud2`; empty when the channel has no schema. */
  readonly type: string;
  readonly messageCount: number;
  /** `cdr` for everything that `messages()` delivers unless `anyEncoding` is asked for. */
  readonly messageEncoding: string;
  readonly schema?: BagSchema;
  /** What the recorded publishers offered; empty when the bag does not say. */
  readonly offeredQos: readonly QosProfile[];
}

export interface BagMessage {
  readonly topic: string;
  readonly type: string;
  /** Nanoseconds: when the message was recorded. */
  readonly logTime: bigint;
  /** Nanoseconds: when the message was sent. */
  readonly publishTime: bigint;
  readonly channel: BagChannel;
  /** CDR bytes (of another channel: those of its encoding), alone in an ArrayBuffer of exactly their size: theirs to keep and to transfer to a worker. */
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface MessageFilter {
  /** Only these topics; all when absent. */
  readonly topics?: readonly string[];
  /** Nanoseconds of log time, inclusive. */
  readonly startTime?: bigint;
  /** Nanoseconds of log time, inclusive. */
  readonly endTime?: bigint;
  /** Also messages that are not CDR, as they are; false by default. */
  readonly anyEncoding?: boolean;
}

export interface BagReader {
  /** The file or folder that was opened. */
  readonly path: string;
  /** Sorted by topic. */
  readonly topics: readonly BagTopic[];
  /** Log time of the first message in nanoseconds; undefined in an empty bag. */
  readonly startTime: bigint | undefined;
  /** Log time of the last message in nanoseconds; undefined in an empty bag. */
  readonly endTime: bigint | undefined;
  /**
   * What is wrong with the bag although it can be read: damage, a missing index, topics that cannot be
   * decoded. Reading can add to it.
   */
  readonly warnings: readonly Fault[];
  /** Messages (CDR, unless the filter says otherwise) in log-time order, ties in file order. Several iterations may run at the same time. */
  messages(filter?: MessageFilter): AsyncGenerator<BagMessage, void, void>;
  close(): Promise<void>;
}
