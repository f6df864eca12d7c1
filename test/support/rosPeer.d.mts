import type { RosProcess, RosProcessOptions } from "./ros.mjs";

export interface PeerQos {
  /** 10 */
  readonly depth?: number;
  /** "reliable" */
  readonly reliability?: "reliable" | "best_effort";
  /** "volatile" */
  readonly durability?: "volatile" | "transient_local";
}

/** A message as a plain object of its fields; integers beyond 2^53 lose precision. */
export type PeerMessage = Readonly<Record<string, unknown>>;

export interface PeerGraph {
  /** [name, namespace] */
  readonly nodes: readonly (readonly [string, string])[];
  /** [fully qualified name, types] */
  readonly topics: readonly (readonly [string, readonly string[]])[];
  readonly services: readonly (readonly [string, readonly string[]])[];
}

/** A rclpy node `/test_peer` in a process of its own that does what the test says (test/ros/peer.py). */
export interface RosPeer {
  readonly process: RosProcess;
  /** Waits for the service. Throws when there is no answer after `seconds` (10). */
  call(type: string, service: string, request?: PeerMessage, seconds?: number): Promise<PeerMessage>;
  advertise(type: string, topic: string, qos?: PeerQos): Promise<void>;
  /** At the first time it advertises, and waits for a subscription (up to 2 s). @param message its fields, or its CDR as it is to be sent */
  publish(type: string, topic: string, message: PeerMessage | Uint8Array, qos?: PeerQos): Promise<void>;
  unadvertise(topic: string): Promise<void>;
  /** From now on every message is in `messages(topic)`. */
  subscribe(type: string, topic: string, qos?: PeerQos): Promise<void>;
  /** As `subscribe`, with the messages as CDR. */
  subscribeRaw(type: string, topic: string, qos?: PeerQos): Promise<void>;
  unsubscribe(topic: string): Promise<void>;
  messages(topic: string): readonly PeerMessage[];
  rawMessages(topic: string): readonly Uint8Array[];
  /** Waits for the first message, also of the past, that `accepts`. Throws after `seconds` (10). */
  waitForMessage(
    topic: string,
    accepts?: (message: PeerMessage) => boolean,
    seconds?: number,
  ): Promise<PeerMessage>;
  counts(topic: string): Promise<{ readonly publishers: number; readonly subscribers: number }>;
  graph(): Promise<PeerGraph>;
  stop(): Promise<void>;
}

export declare function startPeer(options?: RosProcessOptions): Promise<RosPeer>;
