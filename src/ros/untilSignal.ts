const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** When ending takes longer than this, the process ends at once. */
const PATIENCE_MS = 4500;
/** A second signal within this time is the same Ctrl-C, handed on by `ros2 launch`. */
const SAME_SIGNAL_MS = 500;

/** Resolves when the process is asked to end: by Ctrl-C, or by `ros2 launch`. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const onSignal = (): void => {
      if (asked !== undefined) {
        if (performance.now() - asked > SAME_SIGNAL_MS) process.exit(1);
        return;
      }
      asked = performance.now();
      setTimeout(() => process.exit(1), PATIENCE_MS).unref();
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
  });
}
