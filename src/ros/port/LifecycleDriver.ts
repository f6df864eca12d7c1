import type { LifecycleCallbacks, LifecycleState, LifecycleTransition, TransitionResult } from "./RosNode.js";

/** rcl_lifecycle's state machine, by the labels of its states and transitions. */
export interface StateMachine {
  readonly state: string;
  /** Throws when the state has no such transition. */
  trigger(transition: LifecycleTransition | `transition_${TransitionResult}`): void;
}

const PRIMARY_STATES: readonly string[] = [
  "unconfigured",
  "inactive",
  "active",
  "finalized",
] satisfies LifecycleState[];

/** From which states each transition leaves (design.ros2.org/articles/node_lifecycle.html). */
const ALLOWED_FROM: Readonly<Record<LifecycleTransition, readonly LifecycleState[]>> = {
  configure: ["unconfigured"],
  cleanup: ["inactive"],
  activate: ["inactive"],
  deactivate: ["active"],
  shutdown: ["unconfigured", "inactive", "active"],
};

/**
 * What has not ended after so long has failed, milliseconds: who asked for the transition is told, and can ask for
 * another. Loading a model may take minutes, and ending a thread waits for the run that is under way.
 */
const LIMIT_MS: Readonly<Record<LifecycleTransition | "recovery", number>> = {
  configure: 600_000,
  cleanup: 90_000,
  activate: 30_000,
  deactivate: 90_000,
  shutdown: 90_000,
  recovery: 90_000,
};

export interface LifecycleDriverOptions {
  readonly machine: StateMachine;
  readonly callbacks: LifecycleCallbacks;
  /** Gets what a callback threw. */
  readonly report: (error: unknown) => void;
  /** In place of the usual ones, milliseconds. */
  readonly limitMs?: number;
}

/**
 * Runs transitions whose callbacks take their time. The machine stays in the transition state until the callback has
 * ended, and one transition at a time is accepted, so that no request of a peer can do harm.
 */
export class LifecycleDriver {
  readonly #machine: StateMachine;
  readonly #callbacks: LifecycleCallbacks;
  readonly #report: (error: unknown) => void;
  readonly #limitMs: number | undefined;
  #busy = false;
  #underWay: Promise<boolean> = Promise.resolve(true);
  #closed = false;

  constructor({ machine, callbacks, report, limitMs }: LifecycleDriverOptions) {
    this.#machine = machine;
    this.#callbacks = callbacks;
    this.#report = report;
    this.#limitMs = limitMs;
  }

  /** The primary state now; undefined during a transition. */
  get state(): LifecycleState | undefined {
    if (this.#closed) return "finalized";
    const { state } = this.#machine;
    return PRIMARY_STATES.includes(state) ? (state as LifecycleState) : undefined;
  }

  /** Why the transition would be refused now, in one sentence, or undefined. */
  refusal(transition: LifecycleTransition): string | undefined {
    if (this.#closed) return `${transition} is refused: the node has ended.`;
    const from = this.state;
    if (this.#busy || from === undefined) {
      return `${transition} is refused: the node is ${this.#machine.state}, which has to end first.`;
    }
    if (!ALLOWED_FROM[transition].includes(from)) {
      return `${transition} is refused: the node is ${from}, and must be ${ALLOWED_FROM[transition].join(" or ")}.`;
    }
    return undefined;
  }

  /** @returns true when the transition was allowed and its callback ended in "success" */
  change(transition: LifecycleTransition): Promise<boolean> {
    if (this.refusal(transition) !== undefined) return Promise.resolve(false);
    this.#underWay = this.#transit(transition);
    return this.#underWay;
  }

  /** Resolves when no transition is under way, error processing included. */
  async ended(): Promise<void> {
    while (this.#busy) await Promise.allSettled([this.#underWay]);
  }

  async #transit(transition: LifecycleTransition): Promise<boolean> {
    const from = this.state!;
    this.#busy = true;
    try {
      this.#machine.trigger(transition);
      let thrown: unknown;
      const result = await this.#run(
        transition,
        () => this.#callback(transition, from),
        (error) => (thrown = error),
      );
      if (!this.#end(result)) return false;
      if (result === "error") {
        const recovered = await this.#run("recovery", () => this.#callbacks.onError(thrown));
        this.#end(recovered);
      }
      return result === "success";
    } finally {
      this.#busy = false;
    }
  }

  /** The machine is not touched any more; a transition under way is answered with false. */
  close(): void {
    this.#closed = true;
  }

  #callback(transition: LifecycleTransition, from: LifecycleState): Promise<TransitionResult> {
    switch (transition) {
      case "configure":
        return this.#callbacks.onConfigure();
      case "cleanup":
        return this.#callbacks.onCleanup();
      case "activate":
        return this.#callbacks.onActivate();
      case "deactivate":
        return this.#callbacks.onDeactivate();
      case "shutdown":
        return this.#callbacks.onShutdown(from);
    }
  }

  async #run(
    name: LifecycleTransition | "recovery",
    callback: () => Promise<TransitionResult>,
    onThrow?: (error: unknown) => void,
  ): Promise<TransitionResult> {
    const limitMs = this.#limitMs ?? LIMIT_MS[name];
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${name} has not ended for ${limitMs / 1000} s`));
      }, limitMs);
    });
    try {
      return await Promise.race([callback(), limit]);
    } catch (error) {
      onThrow?.(error);
      this.#report(error);
      return "error";
    } finally {
      clearTimeout(timer);
    }
  }

  #end(result: TransitionResult): boolean {
    if (this.#closed) return false;
    this.#machine.trigger(`transition_${result}`);
    return true;
  }
}
