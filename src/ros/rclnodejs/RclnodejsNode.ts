import type { Subscription } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import { LifecycleDriver } from "../port/LifecycleDriver.js";
import type { ParameterOverride, ParameterServer } from "../port/ParameterServer.js";
import type {
  LifecycleCallbacks,
  LifecycleState,
  LifecycleTransition,
  LogSeverity,
  OfferedQos,
  PublishedTopic,
  PublisherOptions,
  RosNode,
  RosPublisher,
  RosQos,
  RosSubscription,
  SubscriptionOptions,
  TriggerServiceOptions,
} from "../port/RosNode.js";
import { LIFECYCLE_TRANSITIONS } from "../port/RosNode.js";
import type { SafeNode } from "./nodeClass.js";
import { serveParameters } from "./parameterServices.js";
import { withRawType } from "./rawType.js";
import type {
  LoadedRclnodejs,
  PlainMessage,
  RclContext,
  RclPublisher,
  RclQos,
  RclResponse,
  RclSubscription,
} from "./rclnodejs.js";

/** rcutils/logging.h */
const SEVERITIES = { debug: 10, info: 20, warn: 30, error: 40, fatal: 50 } as const;

/** lifecycle_msgs/msg/Transition: what a peer asks for by number. */
const TRANSITION_IDS: Readonly<Record<number, LifecycleTransition>> = {
  1: "configure",
  2: "cleanup",
  3: "activate",
  4: "deactivate",
  5: "shutdown",
  6: "shutdown",
  7: "shutdown",
};

/** rmw/types.h */
const KEEP_LAST = 1;
const RELIABILITY = { reliable: 1, best_effort: 2 } as const;
const DURABILITY = { transient_local: 1, volatile: 2 } as const;

export interface RclnodejsNodeOptions extends LoadedRclnodejs {
  readonly context: RclContext;
  readonly node: SafeNode;
  readonly overrides: readonly ParameterOverride[];
  readonly onCallbackError: ((error: unknown) => void) | undefined;
}

/** A RosNode in ROS 2, through rclnodejs. */
export class RclnodejsNode implements RosNode {
  readonly name: string;
  readonly namespace: string;
  readonly fullyQualifiedName: string;
  readonly parameterOverrides: readonly ParameterOverride[];
  readonly #options: RclnodejsNodeOptions;
  readonly #node: SafeNode;
  readonly #logger: string;
  #driver: LifecycleDriver | undefined;
  #parameterChanges: Subscription | undefined;
  #callbackErrors = 0;
  /** Handles of rcl must not be touched any more. */
  #ended = false;

  constructor(options: RclnodejsNodeOptions) {
    const { node, native, overrides } = options;
    this.#options = options;
    this.#node = node;
    this.name = node.name();
    this.namespace = node.namespace();
    this.fullyQualifiedName = `${this.namespace === "/" ? "" : this.namespace}/${this.name}`;
    this.parameterOverrides = overrides;
    this.#logger = native.getNodeLoggerName(node.handle);
    node.onError = (error) => {
      this.#report(error);
    };
    node.spin();
  }

  get callbackErrors(): number {
    return this.#callbackErrors;
  }

  resolveTopic(topic: string): string {
    return this.#node.resolveTopicName(topic);
  }

  offeredQos(topic: string, type: string): readonly OfferedQos[] {
    if (this.#ended) return [];
    return this.#node
      .getPublishersInfoByTopic(this.resolveTopic(topic))
      .filter(({ topic_type: published }) => published === type)
      .map(({ qos_profile: { reliability, durability } }) => ({
        reliability: reliability === RELIABILITY.reliable ? "reliable" : "best_effort",
        durability: durability === DURABILITY.transient_local ? "transient_local" : "volatile",
      }));
  }

  publishedTopics(): readonly PublishedTopic[] {
    if (this.#ended) return [];
    const node = this.#node;
    return node.getTopicNamesAndTypes().flatMap(({ name: topic }) => {
      const types = node
        .getPublishersInfoByTopic(topic)
        .filter(
          ({ node_name, node_namespace }) => node_name !== this.name || node_namespace !== this.namespace,
        )
        .map(({ topic_type: type }) => type);
      return [...new Set(types)].map((type) => ({ topic, type }));
    });
  }

  subscribe({ topic, type, qos, onMessage }: SubscriptionOptions): RosSubscription {
    const options = { qos: this.#qos(qos), isRaw: true } as const;
    let subscription: RclSubscription | undefined;
    const receive = (message: Buffer): void => {
      if (subscription !== undefined) onMessage(alone(message));
    };
    subscription = withRawType(type, (raw) => this.#node.createSubscription(raw, topic, options, receive));
    return {
      topic: subscription.topic,
      destroy: () => {
        const last = subscription;
        subscription = undefined;
        if (last !== undefined && !this.#ended) this.#node.destroySubscription(last);
      },
    };
  }

  advertise({ topic, type, qos }: PublisherOptions): RosPublisher {
    let publisher: RclPublisher | undefined = withRawType(type, (raw) =>
      this.#node.createPublisher(raw, topic, { qos: this.#qos(qos) }),
    );
    const alive = (): RclPublisher | undefined => (this.#ended ? undefined : publisher);
    return {
      topic: publisher.topic,
      get subscriberCount() {
        return alive()?.subscriptionCount ?? 0;
      },
      publish: (cdr) => {
        // Only a Buffer is taken as it is.
        alive()?.publish(Buffer.from(cdr.buffer, cdr.byteOffset, cdr.byteLength));
      },
      destroy: () => {
        const last = alive();
        publisher = undefined;
        if (last !== undefined) this.#node.destroyPublisher(last);
      },
    };
  }

  serveTrigger({ service, onCall }: TriggerServiceOptions): void {
    const answer = async (): Promise<PlainMessage> => {
      try {
        return { success: true, message: await onCall() };
      } catch (error) {
        if (!(error instanceof Fault)) this.#report(error);
        return { success: false, message: error instanceof Error ? error.message : String(error) };
      }
    };
    this.#node.createService("std_srvs/srv/Trigger", service, (_request, response) => {
      this.#sendLater(response, answer());
    });
  }

  log(severity: LogSeverity, text: string): void {
    if (!this.#ended) this.#options.native.log(this.#logger, SEVERITIES[severity], text, "", 0, "");
  }

  get state(): LifecycleState | undefined {
    return this.#driver === undefined ? "unconfigured" : this.#driver.state;
  }

  manage(callbacks: LifecycleCallbacks): void {
    const node = this.#node;
    const { native } = this.#options;
    const driver = new LifecycleDriver({
      machine: {
        get state() {
          return node.currentState.label;
        },
        trigger: (transition) => {
          native.triggerLifecycleTransitionByLabel(node._stateMachineHandle, transition);
        },
      },
      callbacks,
      report: (error) => {
        this.#report(error);
      },
    });
    this.#driver = driver;
    node.onChangeState = (request, response) => {
      const asked = request["transition"] as { readonly id: number; readonly label: string };
      this.#sendLater(
        response,
        this.#requestedChange(driver, asked).then((success) => ({ success })),
      );
    };
    node.startLifecycle();
    // rcl makes this service, and rclnodejs leaves it without an answer.
    node.createService(
      "lifecycle_msgs/srv/GetAvailableTransitions",
      "~/get_transition_graph",
      (_, response) => {
        response.send({
          available_transitions: node.transitions.map(({ transition, startState, goalState }) => ({
            transition,
            start_state: startState,
            goal_state: goalState,
          })),
        });
      },
    );
  }

  async changeState(transition: LifecycleTransition): Promise<boolean> {
    if (this.#driver === undefined) throw new Error("manage() comes before changeState()");
    return this.#driver.change(transition);
  }

  async transitionEnded(): Promise<void> {
    await this.#driver?.ended();
  }

  serveParameters(server: ParameterServer): void {
    const { fullyQualifiedName } = this;
    const qos = this.#qos({ reliability: "reliable", durability: "volatile", depth: 1000 });
    this.#parameterChanges = serveParameters({ node: this.#node, fullyQualifiedName, server, qos });
  }

  shutdown(): void {
    if (this.#ended) return;
    this.#driver?.close();
    this.#parameterChanges?.unsubscribe();
    this.#ended = true;
    this.#options.context.shutdown();
  }

  /** As in rclcpp the label counts where there is one. */
  async #requestedChange(
    driver: LifecycleDriver,
    { id, label }: { readonly id: number; readonly label: string },
  ): Promise<boolean> {
    const transition =
      label === "" ? TRANSITION_IDS[id] : LIFECYCLE_TRANSITIONS.find((name) => name === label);
    if (transition === undefined) {
      this.log("warn", `change_state asks for "${label || id.toString()}", which is no transition.`);
      return false;
    }
    const refusal = driver.refusal(transition);
    if (refusal !== undefined) {
      this.log("warn", `change_state: ${refusal}`);
      return false;
    }
    return driver.change(transition);
  }

  #sendLater(response: RclResponse, answer: Promise<PlainMessage>): void {
    answer
      .then((message) => {
        if (!this.#ended) response.send(message);
      })
      .catch((error: unknown) => {
        this.#report(error);
      });
  }

  #qos({ depth, reliability, durability }: RosQos): RclQos {
    const { QoS } = this.#options.rcl;
    return new QoS(KEEP_LAST, depth, RELIABILITY[reliability], DURABILITY[durability]);
  }

  #report(error: unknown): void {
    this.#callbackErrors++;
    this.log("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
    this.#options.onCallbackError?.(error);
  }
}

/** The bytes of a message in an ArrayBuffer of their own; a copy only where they are not. */
function alone({ buffer, byteOffset, byteLength }: Buffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  return byteLength === buffer.byteLength ? bytes : bytes.slice();
}
