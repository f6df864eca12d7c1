// Loaded before `ditr` (node --import): one of its worker threads dies of a defect, at a time of its choosing.
//   DITR_DIES=preparation|inference DITR_DIES_AFTER_MS=800
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";

const { DITR_DIES: which, DITR_DIES_AFTER_MS: afterMs } = process.env;
const VICTIMS = {
  preparation: { file: "preparationThread.js", message: { kind: "compose", id: -1 } },
  inference: { file: "inferenceWorker.js", message: { id: -1, request: null } },
};

if (workerThreads.isMainThread && which !== undefined) {
  const { file, message } = VICTIMS[which];
  const { Worker } = workerThreads;
  let isDone = false;
  workerThreads.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      // The one that takes its place lives.
      if (isDone || !String(url).endsWith(file)) return;
      isDone = true;
      const left = Number(afterMs) - performance.now();
      // What no program without a defect sends.
      setTimeout(() => this.postMessage(message), Math.max(0, left)).unref();
    }
  };
  syncBuiltinESMExports();
}
