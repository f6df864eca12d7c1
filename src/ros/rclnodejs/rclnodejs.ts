import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import { Fault } from "../../faults/Fault.js";
import { checkRclnodejs, checkRosEnvironment } from "./environment.js";

// What is used of rclnodejs 2.2.0, so that this folder compiles where the package is absent. rclnodejs.live.test.ts
// checks that the real module has it all.

/** A message, request or response as a plain object. */
export type PlainMessage = Readonly<Record<string, unknown>>;

/** Points to an object of rcl; every use after its release is a crash. */
export type RclHandle = object;

export interface RclPublisher {
  readonly topic: string;
  /** A getter, whatever the published types say. */
  readonly subscriptionCount: number;
  publish(message: PlainMessage | Buffer): void;
}

export interface RclSubscription {
  readonly topic: string;
}

export interface RclEndpointInfo {
  readonly node_name: string;
  readonly node_namespace: string;
  readonly topic_type: string;
  /** As in rmw/types.h. */
  readonly qos_profile: { readonly reliability: number; readonly durability: number };
}

export interface RclResponse {
  /** May be called long after the request's callback has returned. */
  send(response: PlainMessage): void;
}

/** What of a message class is used where messages go in and out as CDR. */
export interface RclRawType {
  (): void;
  type(): { readonly pkgName: string; readonly subFolder: string; readonly interfaceName: string };
}

export interface RclQos {
  readonly depth: number;
}

export interface RclContext {
  readonly handle: RclHandle;
  shutdown(): void;
}

export interface RclNodeOptions {
  readonly startParameterServices: boolean;
  readonly startTypeDescriptionService: boolean;
  readonly enableRosout: boolean;
}

/** rclnodejs' LifecycleNode, with the members of it that are overridden or read here. */
export interface RclLifecycleNode {
  readonly handle: RclHandle;
  readonly _stateMachineHandle: RclHandle;
  readonly _parameterEventPublisher: RclPublisher;
  readonly currentState: { readonly id: number; readonly label: string };
  readonly transitions: readonly PlainMessage[];
  name(): string;
  namespace(): string;
  resolveTopicName(topic: string): string;
  /** Of publishers and subscriptions of every node, this one too. */
  getTopicNamesAndTypes(): readonly { readonly name: string; readonly types: readonly string[] }[];
  /** Of every type. @param topic it is not remapped */
  getPublishersInfoByTopic(topic: string): readonly RclEndpointInfo[];
  createPublisher(type: string | RclRawType, topic: string, options: { readonly qos: RclQos }): RclPublisher;
  createSubscription(
    type: RclRawType,
    topic: string,
    options: { readonly qos: RclQos; readonly isRaw: true },
    callback: (message: Buffer) => void,
  ): RclSubscription;
  createService(
    type: string,
    name: string,
    callback: (request: PlainMessage, response: RclResponse) => void,
  ): unknown;
  destroyPublisher(publisher: RclPublisher): void;
  destroySubscription(subscription: RclSubscription): void;
  spin(): void;
  /** Runs what is ready: called by the native executor, where a throw aborts the process. */
  execute(handles: readonly RclHandle[]): void;
  /** Called by the constructor: makes the state machine and its services. */
  init(withServices: boolean): void;
  _getNativeParameterOverrides(): Map<string, unknown>;
  _onChangeState(request: PlainMessage, response: RclResponse): void;
}

export type RclLifecycleNodeClass = new (
  name: string,
  namespace: string,
  context: RclContext,
  options: RclNodeOptions,
) => RclLifecycleNode;

export interface Rclnodejs {
  readonly Context: new () => RclContext;
  readonly QoS: new (history: number, depth: number, reliability: number, durability: number) => RclQos;
  readonly lifecycle: { readonly LifecycleNode: RclLifecycleNodeClass };
  init(context: RclContext, args: readonly string[]): Promise<void>;
  removeSignalHandlers(): void;
}

/** One entry per node name of the parameter files; the types are rcl_interfaces/msg/ParameterType. */
export interface NativeOverrides {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: number; readonly value: unknown }[];
}

/** The binary under rclnodejs. */
export interface RclNative {
  getParameterOverrides(context: RclHandle): readonly NativeOverrides[] | undefined;
  /** Publishes the transition's event too; throws when there is no such transition from the current state. */
  triggerLifecycleTransitionByLabel(machine: RclHandle, label: string): unknown;
  log(
    logger: string,
    severity: number,
    text: string,
    functionName: string,
    line: number,
    fileName: string,
  ): boolean;
  getNodeLoggerName(node: RclHandle): string;
}

export interface LoadedRclnodejs {
  readonly rcl: Rclnodejs;
  readonly native: RclNative;
}

/**
 * Imports rclnodejs after everything was checked that its import would break on.
 *
 * @throws Fault ros-unavailable, whose sentence says what to do
 */
export async function loadRclnodejs(): Promise<LoadedRclnodejs> {
  // In a worker thread V8 ends the process: the native executor uses the main thread's event loop.
  if (!isMainThread) throw new Error("rclnodejs works on the main thread only");
  checkRosEnvironment();
  const binary = checkRclnodejs();
  let native: RclNative;
  try {
    // Where this fails, rclnodejs' own import would delete the binary and try to build another one.
    native = createRequire(import.meta.url)(binary) as RclNative;
  } catch (error) {
    throw new Fault(
      "ros-unavailable",
      `rclnodejs' binary does not fit this ROS 2 (${(error as Error).message}): run \`npm run ros:install\` with ROS sourced.`,
      { cause: error },
    );
  }
  const specifier = "rclnodejs";
  const { default: rcl } = (await import(specifier)) as { default: Rclnodejs };
  // It would end the context at SIGINT, under a node that is at work.
  rcl.removeSignalHandlers();
  return { rcl, native };
}
