import type { StateMachine } from "./LifecycleDriver.js";
import type { LifecycleTransition, TransitionResult } from "./RosNode.js";

type Transition = LifecycleTransition | `transition_${TransitionResult}`;

/** A transition state: where it leads on success and on failure; an error leads to errorprocessing. */
function during(success: string, failure: string): Partial<Record<Transition, string>> {
  return {
    transition_success: success,
    transition_failure: failure,
    transition_error: "errorprocessing",
  };
}

/** rcl_lifecycle/src/default_state_machine.c */
const TRANSITIONS: Readonly<Record<string, Partial<Record<Transition, string>>>> = {
  unconfigured: { configure: "configuring", shutdown: "shuttingdown" },
  inactive: { cleanup: "cleaningup", activate: "activating", shutdown: "shuttingdown" },
  active: { deactivate: "deactivating", shutdown: "shuttingdown" },
  finalized: {},
  configuring: during("inactive", "unconfigured"),
  cleaningup: during("unconfigured", "inactive"),
  activating: during("active", "inactive"),
  deactivating: during("inactive", "active"),
  shuttingdown: during("finalized", "finalized"),
  errorprocessing: {
    transition_success: "unconfigured",
    transition_failure: "finalized",
    transition_error: "finalized",
  },
};

/** rcl_lifecycle's default state machine without ROS. */
export class MemoryStateMachine implements StateMachine {
  #state = "unconfigured";

  get state(): string {
    return this.#state;
  }

  trigger(transition: Transition): void {
    const next = TRANSITIONS[this.#state]?.[transition];
    if (next === undefined) throw new Error(`${this.#state} has no transition ${transition}`);
    this.#state = next;
  }
}
