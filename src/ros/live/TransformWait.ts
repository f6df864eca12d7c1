interface Waiter {
  readonly resume: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Lets frames wait for transforms that are still under way, as tf2_ros::MessageFilter does: the pose of the robot at
 * the time of an image is published a little after the image.
 */
export class TransformWait {
  readonly #waiters = new Set<Waiter>();

  /** Resolves when `awaits` returns nothing any more, or after the time-out; checks again at each `transformsCame`. */
  async until(awaits: () => unknown, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (awaits() !== undefined) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#next(left);
    }
  }

  /** Has all that wait look again. */
  transformsCame(): void {
    for (const { resume } of [...this.#waiters]) resume();
  }

  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        resume: () => {
          clearTimeout(waiter.timer);
          this.#waiters.delete(waiter);
          resolve();
        },
        timer: setTimeout(() => {
          waiter.resume();
        }, timeoutMs),
      };
      this.#waiters.add(waiter);
    });
  }
}
