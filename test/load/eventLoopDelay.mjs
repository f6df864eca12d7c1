// `node --import ./test/load/eventLoopDelay.mjs PROGRAM`: when the program ends, a line of JSON on stderr with the event-loop
// delay of its main thread, in milliseconds, since SIGUSR2. /diagnostics has it of the last second.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** Milliseconds, as in /diagnostics; Node counts it as part of the delay. */
const RESOLUTION = 10;

if (isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  process.on("SIGUSR2", () => histogram.enable());
  const milliseconds = (nanoseconds) => Number((nanoseconds / 1e6 - RESOLUTION).toFixed(1));
  process.on("exit", () => {
    const delay = Object.fromEntries(
      [50, 90, 99, 99.9, 100].map((p) => [`p${p}`, milliseconds(histogram.percentile(p))]),
    );
    process.stderr.write(`event-loop delay, ms, ${histogram.count} turns: ${JSON.stringify(delay)}\n`);
  });
}
