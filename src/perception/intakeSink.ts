import { parentPort } from "node:worker_threads";

/** The receiving thread of benchmarkIntake: it takes what comes, and says so. */
const port = parentPort!;
port.on("message", () => {
  port.postMessage("taken");
});
