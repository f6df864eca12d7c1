// `node --import ./test/load/killOnSignal.mjs PROGRAM`: at each SIGUSR2 one of the threads of the pipeline dies, the one that
// prepares and the one that infers in turn.
import { killThread } from "../support/pipelineThreads.mjs";

let kills = 0;
process.on("SIGUSR2", () => {
  killThread(kills++ % 2 === 0 ? "preparation" : "inference");
});
