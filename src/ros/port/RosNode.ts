import type { ParameterOverride, ParameterServer } from "./ParameterServer.js";

export type Reliability = "reliable" | "best_effort";

/** The part of a QoS profile that decides who can talk to whom; history is always "keep last `depth`". */
export interface RosQos {
  readonly reliability: Reliability;
  readonly durability: "volatile" | "transient_local";
  readonly depth: number;
}

/** What a publisher offers to its subscribers. */
export type OfferedQos = Pick<RosQos, "reliability" | "durability">;

/** A topic with publishers of a type; one with publishers of several types is there once for each. */
export interface PublishedTopic {
  /** Fully qualified. */
  readonly topic: string;
  /** As ROS 2 spells it: sensor_msgs/msg/PointCloud2. */
  readonly type: string;
}

export const SEVERITY_NAMES = ["debug", "info", "warn", "error", "fatal"] as const;
export type LogSeverity = (typeof SEVERITY_NAMES)[number];

export interface SubscriptionOptions {
  /** Relative to the node's namespace, "~/" for the node's own, or absolute; remapped as ROS does. */
  readonly topic: string;
  /** sensor_msgs/msg/PointCloud2 and so on. */
  readonly type: string;
  readonly qos: RosQos;
  /** Gets each message as CDR, alone in its buffer, which may be transferred. A throw is reported and ends nothing. */
  readonly onMessage: (cdr: Uint8Array<ArrayBuffer>) => void;
}

export interface RosSubscription {
  /** Fully qualified, after remapping. */
  readonly topic: string;
  /** No message comes after it. */
  destroy(): void;
}

export interface PublisherOptions {
  readonly topic: string;
  readonly type: string;
  readonly qos: RosQos;
}

export interface RosPublisher {
  /** Fully qualified, after remapping. */
  readonly topic: string;
  readonly subscriberCount: number;
  /**
   * Does nothing after the end of the publisher or the node.
   *
   * @param cdr a message of the publisher's type, as CDR with its encapsulation header
   */
  publish(cdr: Uint8Array): void;
  destroy(): void;
}

/** std_srvs/srv/Trigger */
export interface TriggerServiceOptions {
  readonly service: string;
  /**
   * Its answer is `success: true` with this message; a throw answers `success: false` with the error's, and is reported
   * unless it is a Fault.
   */
  readonly onCall: () => Promise<string>;
}

/** The primary states of a managed node (lifecycle_msgs/msg/State). */
export type LifecycleState = "unconfigured" | "inactive" | "active" | "finalized";

/** The transitions that a peer may ask for; those named transition_* belong to the node itself. */
export const LIFECYCLE_TRANSITIONS = ["configure", "cleanup", "activate", "deactivate", "shutdown"] as const;
export type LifecycleTransition = (typeof LIFECYCLE_TRANSITIONS)[number];

/** How a transition ended (lifecycle_msgs/msg/Transition, TRANSITION_CALLBACK_*). */
export type TransitionResult = "success" | "failure" | "error";

/**
 * What a managed node does in its transitions. Each may take its time: the node is then in the transition state
 * (configuring, ...), ROS goes on, other transitions are refused, and the caller of change_state gets its answer at
 * the end. A throw counts as "error", and so does a callback that has not ended after minutes; what it still does then
 * must not matter any more.
 */
export interface LifecycleCallbacks {
  onConfigure(): Promise<TransitionResult>;
  onActivate(): Promise<TransitionResult>;
  onDeactivate(): Promise<TransitionResult>;
  onCleanup(): Promise<TransitionResult>;
  onShutdown(from: LifecycleState): Promise<TransitionResult>;
  /** After an "error": "success" leads to unconfigured, everything else to finalized. */
  onError(error: unknown): Promise<TransitionResult>;
}

/**
 * What the perception node needs of a ROS 2 client library: raw messages, logging, time and a managed node. The only
 * implementation that talks to ROS is in src/ros/rclnodejs; tests use one in memory.
 */
export interface RosNode {
  readonly name: string;
  readonly namespace: string;
  /** Namespace and name, for example /robot/ditr_perception. */
  readonly fullyQualifiedName: string;
  /** Fully qualified, after remapping: what a subscription or publisher with this name would be on. */
  resolveTopic(topic: string): string;
  /**
   * What each publisher of the type on the topic offers, whether or not a subscription matches it. After shutdown: [].
   *
   * @param topic as for subscribe: not yet remapped
   */
  offeredQos(topic: string, type: string): readonly OfferedQos[];
  /**
   * What other nodes publish now, whether or not this one subscribes to it. It asks for each topic that is known, so that
   * it is for when something is missing. After shutdown: [].
   */
  publishedTopics(): readonly PublishedTopic[];
  /** Throws a Fault "ros-unavailable" when ROS does not know the type. */
  subscribe(options: SubscriptionOptions): RosSubscription;
  /** Throws a Fault "ros-unavailable" when ROS does not know the type. */
  advertise(options: PublisherOptions): RosPublisher;
  serveTrigger(options: TriggerServiceOptions): void;
  /** To the console, the log file and /rosout. */
  log(severity: LogSeverity, text: string): void;
  /** The lifecycle state now; undefined during a transition. */
  readonly state: LifecycleState | undefined;
  /** Starts the lifecycle services; call once. */
  manage(callbacks: LifecycleCallbacks): void;
  /** What a change_state request does, for autostart. */
  changeState(transition: LifecycleTransition): Promise<boolean>;
  /** Resolves when no transition is under way. */
  transitionEnded(): Promise<void>;
  /** What parameter files and -p say, for every node name; in the order in which later ones win. */
  readonly parameterOverrides: readonly ParameterOverride[];
  /** Starts the parameter services, and publishes changes on /parameter_events; call once. */
  serveParameters(server: ParameterServer): void;
  /** How many callbacks threw. Each was logged as an error. */
  readonly callbackErrors: number;
  /** Ends the node and the ROS context; everything that was made by it is destroyed. May be called again. */
  shutdown(): void;
}
