// Has the threads of a pipeline die as they do of a defect: each gets a message that it cannot stand, and throws. To be
// imported before the pipeline is started, in the process that starts it.
import { Worker } from "node:worker_threads";

const post = Worker.prototype.postMessage;
/** The threads that were asked last, by what they do. */
const threads = new Map();

Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.kind === "prepare") threads.set("preparation", this);
  else if (message?.request !== undefined) threads.set("inference", this);
  return post.call(this, message, ...rest);
};

export function killThread(which) {
  const thread = threads.get(which);
  threads.delete(which);
  if (thread === undefined) return false;
  post.call(thread, { kind: "prepare", id: -1 });
  return true;
}
