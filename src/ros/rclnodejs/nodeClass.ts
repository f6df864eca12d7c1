import type {
  PlainMessage,
  RclHandle,
  RclLifecycleNode,
  RclLifecycleNodeClass,
  RclResponse,
} from "./rclnodejs.js";

/** rclnodejs' node with its ways to end the process closed. */
export interface SafeNode extends RclLifecycleNode {
  /** Gets what a callback threw. */
  onError: ((error: unknown) => void) | undefined;
  /** Answers change_state; set before `startLifecycle`. */
  onChangeState: ((request: PlainMessage, response: RclResponse) => void) | undefined;
  startLifecycle(): void;
}

export type SafeNodeClass = new (...args: ConstructorParameters<RclLifecycleNodeClass>) => SafeNode;

/** The subclass, once rclnodejs could be loaded. */
export function safeNodeClass(base: RclLifecycleNodeClass): SafeNodeClass {
  return class extends base implements SafeNode {
    // The base constructor calls methods of this class before a field of it could have a value.
    declare onError: ((error: unknown) => void) | undefined;
    declare onChangeState: ((request: PlainMessage, response: RclResponse) => void) | undefined;

    /** Each entity on its own: a throw would abort the process, and leave the others waiting. */
    override execute(handles: readonly RclHandle[]): void {
      for (const handle of handles) {
        try {
          super.execute([handle]);
        } catch (error) {
          this.onError?.(error);
        }
      }
    }

    /** The base constructor would start the lifecycle services before anyone can answer them. */
    override init(): void {
      // See startLifecycle.
    }

    startLifecycle(): void {
      super.init(true);
    }

    /** The base class aborts on integer arrays, and does not find fully qualified node names. */
    override _getNativeParameterOverrides(): Map<string, unknown> {
      return new Map();
    }

    /** The base class throws on a transition that the current state has not, and cannot wait. */
    override _onChangeState(request: PlainMessage, response: RclResponse): void {
      this.onChangeState?.(request, response);
    }
  };
}
