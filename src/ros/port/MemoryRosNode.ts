import { LifecycleDriver } from "./LifecycleDriver.js";
import { MemoryStateMachine } from "./MemoryStateMachine.js";
import type { ParameterOverride, ParameterServer } from "./ParameterServer.js";
import type {
  LifecycleCallbacks,
  LifecycleState,
  LifecycleTransition,
  LogSeverity,
  OfferedQos,
  PublishedTopic as PeerTopic,
  PublisherOptions,
  Reliability,
  RosNode,
  RosPublisher,
  RosSubscription,
  SubscriptionOptions,
  TriggerServiceOptions,
} from "./RosNode.js";

export interface MemoryRosNodeOptions {
  readonly name: string;
  /** "/" by default. */
  readonly namespace?: string;
  readonly parameterOverrides?: readonly ParameterOverride[];
}

export interface LogLine {
  readonly severity: LogSeverity;
  readonly text: string;
}

/** What the node published on one topic. */
export interface PublishedTopic {
  readonly options: PublisherOptions;
  readonly messages: Uint8Array[];
}

/** A RosNode without ROS for tests, and the other side of it: what peers do, and what they see. */
export class MemoryRosNode implements RosNode {
  readonly name: string;
  readonly namespace: string;
  readonly parameterOverrides: readonly ParameterOverride[];
  readonly logLines: LogLine[] = [];
  /** By fully qualified topic; stays after the publisher's end. */
  readonly published = new Map<string, PublishedTopic>();
  /** What the last serveParameters got. */
  parameterServer: ParameterServer | undefined;
  readonly #machine = new MemoryStateMachine();
  readonly #subscriptions = new Map<string, Set<SubscriptionOptions>>();
  readonly #peerPublishers = new Map<string, readonly OfferedQos[]>();
  /** Types that peers publish, by topic; a topic that is not there has whatever type is asked for. */
  readonly #peerTypes = new Map<string, ReadonlySet<string>>();
  /** The last message of peers that keep it for late joiners, by topic. */
  readonly #latched = new Map<string, Uint8Array>();
  readonly #listeners = new Map<string, Set<(cdr: Uint8Array) => void>>();
  readonly #services = new Map<string, TriggerServiceOptions>();
  #driver: LifecycleDriver | undefined;
  #callbackErrors = 0;
  #ended = false;

  constructor({ name, namespace = "/", parameterOverrides = [] }: MemoryRosNodeOptions) {
    this.name = name;
    this.namespace = namespace;
    this.parameterOverrides = parameterOverrides;
  }

  get fullyQualifiedName(): string {
    return `${this.namespace === "/" ? "" : this.namespace}/${this.name}`;
  }

  /** A name of a topic or service made fully qualified. */
  resolve(name: string): string {
    if (name.startsWith("/")) return name;
    if (name.startsWith("~/")) return `${this.fullyQualifiedName}/${name.slice(2)}`;
    return `${this.namespace === "/" ? "" : this.namespace}/${name}`;
  }

  resolveTopic(topic: string): string {
    return this.resolve(topic);
  }

  offeredQos(topic: string, type?: string): readonly OfferedQos[] {
    const name = this.resolve(topic);
    const isOfType = type === undefined || (this.#peerTypes.get(name)?.has(type) ?? true);
    return this.#ended || !isOfType ? [] : (this.#peerPublishers.get(name) ?? []);
  }

  publishedTopics(): readonly PeerTopic[] {
    if (this.#ended) return [];
    return [...this.#peerTypes].flatMap(([topic, types]) => [...types].map((type) => ({ topic, type })));
  }

  subscribe(options: SubscriptionOptions): RosSubscription {
    const topic = this.resolve(options.topic);
    const all = this.#subscriptions.get(topic) ?? new Set();
    this.#subscriptions.set(topic, all.add(options));
    const latched = this.#latched.get(topic);
    if (latched !== undefined && options.qos.durability === "transient_local") {
      setImmediate(() => {
        if (all.has(options)) this.#give(options, latched);
      });
    }
    return {
      topic,
      destroy: () => void all.delete(options),
    };
  }

  advertise(options: PublisherOptions): RosPublisher {
    const topic = this.resolve(options.topic);
    const published = this.published.get(topic) ?? { options, messages: [] };
    this.published.set(topic, published);
    const listeners = (): Set<(cdr: Uint8Array) => void> => this.#listenersOf(topic);
    let alive = true;
    return {
      topic,
      get subscriberCount() {
        return alive ? listeners().size : 0;
      },
      publish: (cdr) => {
        if (!alive || this.#ended) return;
        const copy = cdr.slice();
        published.messages.push(copy);
        for (const listener of listeners()) listener(copy);
      },
      destroy: () => {
        alive = false;
      },
    };
  }

  serveTrigger(options: TriggerServiceOptions): void {
    this.#services.set(this.resolve(options.service), options);
  }

  log(severity: LogSeverity, text: string): void {
    this.logLines.push({ severity, text });
  }

  get state(): LifecycleState | undefined {
    return this.#driver === undefined ? "unconfigured" : this.#driver.state;
  }

  manage(callbacks: LifecycleCallbacks): void {
    const report = (error: unknown): void => {
      this.#count(error);
    };
    this.#driver = new LifecycleDriver({ machine: this.#machine, callbacks, report });
  }

  async changeState(transition: LifecycleTransition): Promise<boolean> {
    if (this.#driver === undefined) throw new Error("manage() comes before changeState()");
    return this.#driver.change(transition);
  }

  async transitionEnded(): Promise<void> {
    await this.#driver?.ended();
  }

  serveParameters(server: ParameterServer): void {
    this.parameterServer = server;
  }

  get callbackErrors(): number {
    return this.#callbackErrors;
  }

  shutdown(): void {
    this.#ended = true;
    this.#driver?.close();
    this.#subscriptions.clear();
    this.#services.clear();
  }

  /** The label of the state now, transition states included. */
  get stateLabel(): string {
    return this.#machine.state;
  }

  /** Says that peers publish a topic, of every type that is asked for, and what each offers. */
  peerPublishes(topic: string, offered: readonly (Reliability | OfferedQos)[] = ["reliable"]): void {
    const qos = offered.map((one) =>
      typeof one === "string" ? { reliability: one, durability: "volatile" as const } : one,
    );
    this.#peerPublishers.set(this.resolve(topic), qos);
  }

  /** Says that a peer publishes messages of a type on a topic, reliably, beside what others publish on it. */
  peerPublishesType(topic: string, type: string): void {
    const name = this.resolve(topic);
    this.#peerTypes.set(name, new Set([...(this.#peerTypes.get(name) ?? []), type]));
    if (!this.#peerPublishers.has(name)) this.peerPublishes(topic);
  }

  /** A peer publishes a message once, and keeps it for who subscribes later and asks for it. */
  peerLatches(topic: string, cdr: Uint8Array): void {
    this.#latched.set(this.resolve(topic), cdr);
    this.peerPublishes(topic, [{ reliability: "reliable", durability: "transient_local" }]);
  }

  /** A peer's message of a type: subscriptions of another type do not get it. */
  deliverTyped(topic: string, type: string, cdr: Uint8Array): void {
    for (const subscription of this.subscriptions(topic)) {
      if (subscription.type === type) this.#give(subscription, cdr);
    }
  }

  /** A peer's message: every subscription gets a copy of its own. A throw is logged and counted. */
  deliver(topic: string, cdr: Uint8Array): void {
    for (const subscription of this.subscriptions(topic)) this.#give(subscription, cdr);
  }

  isSubscribed(topic: string): boolean {
    return this.subscriptions(topic).length > 0;
  }

  /** The node's subscriptions of a topic now. */
  subscriptions(topic: string): readonly SubscriptionOptions[] {
    return [...(this.#subscriptions.get(this.resolve(topic)) ?? [])];
  }

  /** A peer's subscription. @returns its end */
  listen(topic: string, onMessage: (cdr: Uint8Array) => void = () => undefined): () => void {
    const listeners = this.#listenersOf(this.resolve(topic));
    listeners.add(onMessage);
    return () => void listeners.delete(onMessage);
  }

  /** A peer's call of a std_srvs/srv/Trigger service. */
  async call(service: string): Promise<{ readonly success: boolean; readonly message: string }> {
    const options = this.#services.get(this.resolve(service));
    if (options === undefined) throw new Error(`nothing serves ${service}`);
    try {
      return { success: true, message: await options.onCall() };
    } catch (error) {
      return { success: false, message: error instanceof Error ? error.message : String(error) };
    }
  }

  #listenersOf(topic: string): Set<(cdr: Uint8Array) => void> {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    return listeners;
  }

  #give({ onMessage }: SubscriptionOptions, cdr: Uint8Array): void {
    try {
      onMessage(new Uint8Array(cdr));
    } catch (error) {
      this.#count(error);
    }
  }

  #count(error: unknown): void {
    this.#callbackErrors++;
    this.log("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
