import { Subject, type Observable } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { decodeClock } from "../../messages/time.js";
import type { RosNode, RosSubscription } from "../port/RosNode.js";
import { SUBSCRIBED_TOPICS } from "./nodeTopics.js";

const { clock: CLOCK } = SUBSCRIBED_TOPICS;

/** ROS time: the system's clock, or /clock while `use_sim_time` is set. */
export class RosTime {
  readonly #ros: RosNode;
  readonly #faults: FaultLog;
  readonly #jumps = new Subject<void>();
  #subscription: RosSubscription | undefined;
  #simulated: bigint | undefined;

  constructor(ros: RosNode, faults: FaultLog) {
    this.#ros = ros;
    this.#faults = faults;
  }

  /** Emits when simulated time goes back, and when it is switched on or off, as tf2_ros::Buffer::onTimeJump does. */
  get jumps(): Observable<void> {
    return this.#jumps.asObservable();
  }

  /** Nanoseconds; 0 while `use_sim_time` is set and no /clock has come, as in rclcpp. */
  now(): bigint {
    if (this.#subscription !== undefined) return this.#simulated ?? 0n;
    return BigInt(Date.now()) * 1_000_000n;
  }

  get simulated(): boolean {
    return this.#subscription !== undefined;
  }

  useSimTime(use: boolean): void {
    if (use === this.simulated) return;
    if (use) {
      this.#subscription = this.#ros.subscribe({
        topic: CLOCK.topic,
        type: CLOCK.type,
        qos: CLOCK.qos,
        onMessage: (cdr) => {
          this.#take(cdr);
        },
      });
    } else {
      this.close();
    }
    this.#jumps.next();
  }

  close(): void {
    this.#subscription?.destroy();
    this.#subscription = undefined;
    this.#simulated = undefined;
  }

  #take(cdr: Uint8Array): void {
    let time: bigint;
    try {
      time = decodeClock(cdr).clock;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#faults.record(error.at({ topic: CLOCK.topic }));
      return;
    }
    const back = this.#simulated !== undefined && time < this.#simulated;
    this.#simulated = time;
    if (back) this.#jumps.next();
  }
}
