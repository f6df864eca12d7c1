// Keeps both worker threads of a pipeline busy, then ends them, or the process, in one of the ways below; prints what it saw.
//
//   node test/ends/threadEnds.mjs WAY [RANDOM-DELAY-MS]
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { encodePointCloud2 } from "../../dist/messages/pointCloud2.js";
import { PointFieldType } from "../../dist/messages/types.js";
import { ModelBundle } from "../../dist/model/ModelBundle.js";
import { PerceptionPipeline } from "../../dist/perception/PerceptionPipeline.js";

const [way, delay = "0"] = process.argv.slice(2);

/** The pipeline's threads: preparation, then inference, of each start. */
const threads = [];
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (...args) {
  if (!threads.includes(this)) threads.push(this);
  post.apply(this, args);
};

const bundle = await ModelBundle.load(fileURLToPath(new URL("../../models/street-tiny", import.meta.url)));
const fusion = { mode: "image-free", minImages: 1, minSeenShare: 0.01, seenShareHysteresis: 0 };
const start = () => PerceptionPipeline.start({ bundle, provider: "cpu", threads: 1, fusion });

function frame(stamp) {
  const count = 20_000;
  const data = Float32Array.from({ length: 4 * count }, (_, i) => ((i * 37) % 4000) / 100 - 20);
  const fields = ["x", "y", "z", "intensity"].map((name, index) => ({
    name,
    offset: 4 * index,
    datatype: PointFieldType.FLOAT32,
    count: 1,
  }));
  const cdr = encodePointCloud2({
    header: { stamp, frameId: "lidar" },
    height: 1,
    width: count,
    fields,
    isBigEndian: false,
    pointStep: 16,
    rowStep: 16 * count,
    data: new Uint8Array(data.buffer),
    isDense: true,
  });
  const source = { kind: "points", index: 0, topic: "/points", frameId: "lidar", cdr: Uint8Array.from(cdr) };
  return { stamp, topic: "/points", sources: [source], images: [], missing: [] };
}

const ONLY_THE_CLOUD = {
  labelled: true,
  filtered: false,
  overlays: new Set(),
  detections: false,
  markers: false,
};

/** Two scans under way at any time, until the pipeline ends. */
async function keepBusy(pipeline) {
  let stamp = 1n;
  const one = async () => {
    for (;;) await pipeline.labelFrame(frame(stamp++), ONLY_THE_CLOUD);
  };
  const ended = await Promise.allSettled([one(), one()]);
  return ended.map(({ reason }) => reason.message);
}

/** Both have got what no defect-free program sends. */
const DIES_OF = { preparation: { kind: "compose", id: -1 }, inference: { id: -1, request: null } };

async function survive(pipeline, busy, which) {
  const victim = threads[which === "preparation" ? 0 : 1];
  victim.postMessage(DIES_OF[which]);
  const reason = await pipeline.failed;
  await pipeline.close();
  await busy;
  const next = await start();
  const { kind } = await next.labelFrame(frame(1n), ONLY_THE_CLOUD);
  await next.close();
  console.log(`${reason.message}; started again: ${kind}`);
}

if (way === "exit while loading") setTimeout(() => process.exit(21), Number(delay));
const pipeline = await start();
const busy = keepBusy(pipeline);
// Into the middle of a run, which takes longer than its preparation.
while (threads.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
await new Promise((resolve) => setTimeout(resolve, 30 + Number(delay)));
switch (way) {
  case "close":
    await pipeline.close();
    console.log((await busy).join());
    break;
  case "process.exit":
    process.exit(21);
    break;
  case "uncaught":
    setImmediate(() => {
      throw new Error("nobody catches this");
    });
    break;
  case "return":
    for (const thread of threads) thread.unref();
    break;
  case "SIGINT":
  case "SIGTERM":
    process.kill(process.pid, way);
    break;
  case "preparation":
  case "inference":
    await survive(pipeline, busy, way);
    break;
}
