import { Worker } from "node:worker_threads";
import { Fault } from "../../faults/Fault.js";
import { CLOCK_TYPE, encodeClock } from "../../messages/time.js";
import { encodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { TransformStamped } from "../../messages/types.js";
import type { RosNode, RosPublisher, RosQos } from "../port/RosNode.js";
import type { DrivePart, DriveTurn } from "./DriveTurn.js";
import { DrivePlayer, type PlayerClock } from "./DrivePlayer.js";
import type { DriveWorkerData, DriveWorkerReply } from "./driveWorker.js";
import { driveOptions, type SimulatorSettings } from "./simulatorParameters.js";

const SENSOR: RosQos = { reliability: "reliable", durability: "volatile", depth: 5 };
const TRANSFORMS: RosQos = { reliability: "reliable", durability: "volatile", depth: 100 };
const LATCHED: RosQos = { reliability: "reliable", durability: "transient_local", depth: 1 };
const CLOCK: RosQos = { reliability: "best_effort", durability: "volatile", depth: 1 };

/** Nanoseconds between two lines about how far the simulation is. */
const PROGRESS_PERIOD = 5_000_000_000n;

export interface SimulatedRobotOptions {
  readonly ros: RosNode;
  readonly settings: SimulatorSettings;
  /** Where drives are kept between starts; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  readonly clock: PlayerClock;
}

/** Publishes what the sensors of a simulated drive send, without end. Topics of sensors are relative to the namespace. */
export class SimulatedRobot {
  readonly #ros: RosNode;
  readonly #settings: SimulatorSettings;
  readonly #clock: PlayerClock;
  readonly #player: DrivePlayer;
  readonly #publishers = new Map<string, RosPublisher>();
  readonly #worker: Worker;
  #progressAt: bigint;
  #cached = false;

  constructor({ ros, settings, cacheFolder, clock }: SimulatedRobotOptions) {
    this.#ros = ros;
    this.#settings = settings;
    this.#clock = clock;
    this.#progressAt = clock.now() + PROGRESS_PERIOD;
    const tf = ros.advertise({ topic: "/tf", type: TF_MESSAGE_TYPE, qos: TRANSFORMS });
    const time = settings.publish_clock
      ? ros.advertise({ topic: "/clock", type: CLOCK_TYPE, qos: CLOCK })
      : undefined;
    this.#player = new DrivePlayer({
      clock,
      period: BigInt(Math.round(1e9 / settings.rate)),
      ownTime: settings.publish_clock,
      outputs: {
        send: (topic, cdr) => {
          const publisher = this.#publishers.get(topic)!;
          if (publisher.subscriberCount > 0) publisher.publish(cdr);
        },
        transform: (transform) => {
          tf.publish(encodeTFMessage({ transforms: [transform] }));
        },
        time: (now) => time?.publish(encodeClock({ clock: now })),
      },
    });
    const data: DriveWorkerData = { options: driveOptions(settings), cacheFolder };
    this.#worker = new Worker(new URL("./driveWorker.js", import.meta.url), { workerData: data });
  }

  /** Resolves when the whole drive is there and only repeats; throws a Fault for settings that cannot be simulated. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on("message", (reply: DriveWorkerReply) => {
        if (reply.kind === "fault") reject(new Fault("invalid-configuration", reply.text));
        else this.#take(reply);
      });
      this.#worker.on("error", reject);
      this.#worker.on("exit", () => {
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    this.#player.stop();
    await this.#worker.terminate();
  }

  #take(reply: Exclude<DriveWorkerReply, { kind: "fault" }>): void {
    switch (reply.kind) {
      case "source":
        this.#cached = reply.cached;
        this.#ros.log(
          "info",
          reply.cached
            ? "reading the simulated drive that an earlier start has kept"
            : `simulating ${this.#scanCount} scans, slower than they will be sent afterwards${this.#settings.use_cache ? "; the next start has them at once" : ""}`,
        );
        break;
      case "warning":
        this.#ros.log("warn", reply.text);
        break;
      case "part":
        this.#takePart(reply.part);
        break;
    }
  }

  #takePart(part: DrivePart): void {
    switch (part.kind) {
      case "static":
        this.#publishStatic(part.transforms);
        break;
      case "turn":
        this.#takeTurn(part.turn);
        break;
      case "end":
        this.#player.complete(part.pose);
        this.#ros.log(
          "info",
          `the drive of ${this.#scanCount} scans is complete and repeats at ${this.#settings.rate} scans per second`,
        );
        break;
    }
  }

  #takeTurn(turn: DriveTurn): void {
    for (const { topic, type } of turn.messages) {
      if (this.#publishers.has(topic)) continue;
      this.#publishers.set(topic, this.#ros.advertise({ topic: topic.slice(1), type, qos: SENSOR }));
    }
    this.#player.add(turn);
    if (this.#cached || this.#clock.now() < this.#progressAt) return;
    this.#progressAt = this.#clock.now() + PROGRESS_PERIOD;
    this.#ros.log("info", `${this.#player.turnCount} of ${this.#scanCount} scans simulated`);
  }

  #publishStatic(transforms: readonly TransformStamped[]): void {
    const stamp = this.#clock.now();
    const stamped = transforms.map((each) => ({ ...each, header: { ...each.header, stamp } }));
    this.#ros
      .advertise({ topic: "/tf_static", type: TF_MESSAGE_TYPE, qos: LATCHED })
      .publish(encodeTFMessage({ transforms: stamped }));
  }

  get #scanCount(): number {
    return driveOptions(this.#settings).scanCount;
  }
}
