import { parentPort, workerData } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import { appendFields } from "../messages/appendFields.js";
import { filterPoints } from "../messages/filterPoints.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import { keptPoints, labelColumns, PointLabeller } from "./labelledClouds.js";
import type {
  ComposedScan,
  PreparationCommand,
  PreparationReply,
  PreparationWorkerData,
  PreparedScan,
  VoxelLabels,
} from "./preparationProtocol.js";
import { ScanPreparer, type HeldScan } from "./ScanPreparer.js";

/** The thread behind PreparationWorker: decoding, geometry, projection, and the clouds that come out. */

const port = parentPort!;
const { manifest, fusion, filter, intensityScale, dump } = workerData as PreparationWorkerData;
const preparer = new ScanPreparer(manifest, fusion, intensityScale);
const labeller = new PointLabeller(manifest);
const held = new Map<number, HeldScan>();

function compose({ cloud, geometry }: HeldScan, { label, confidence, logits }: VoxelLabels): ComposedScan {
  const start = performance.now();
  const { pointToVoxel } = geometry;
  const points = labeller.label(pointToVoxel, label, confidence);
  const labelledCloud = appendFields(cloud, labelColumns(points));
  const filteredCloud =
    filter &&
    filterPoints(decodePointCloud2(labelledCloud), keptPoints(filter, manifest, pointToVoxel, label, logits));
  return {
    labelledCloud,
    ...(filteredCloud && { filteredCloud }),
    classCounts: points.classCounts,
    unlabeledCount: points.unlabeledCount,
    composeMs: performance.now() - start,
  };
}

function take(id: number): HeldScan {
  const scan = held.get(id)!;
  held.delete(id);
  return scan;
}

async function answer(command: PreparationCommand): Promise<void> {
  const { id } = command;
  switch (command.kind) {
    case "prepare": {
      const { scan, held: kept } = await preparer.prepare(command.frame);
      held.set(id, kept);
      const coordinates = kept.geometry.stages[0]!.coordinates;
      reply(
        { kind: "prepared", id, scan: dump ? { ...scan, voxelCoordinates: coordinates.slice() } : scan },
        buffersOf(scan),
      );
      break;
    }
    case "compose": {
      const scan = take(id);
      const composed = compose(scan, command.labels);
      preparer.release(scan, command.labels.inputs);
      const clouds = [composed.labelledCloud, composed.filteredCloud].filter((cloud) => cloud !== undefined);
      reply(
        { kind: "composed", id, scan: composed },
        clouds.map(({ buffer }) => buffer),
      );
      break;
    }
    case "discard":
      preparer.release(take(id), []);
      break;
  }
}

function buffersOf({ inputs, images }: PreparedScan): ArrayBuffer[] {
  const tensors = images === undefined ? inputs : [...inputs, images];
  return [...new Set(tensors.map(({ data }) => data.buffer))];
}

function reply(message: PreparationReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** `prepare` keeps state from scan to scan, so one command ends before the next begins. */
let previous = Promise.resolve();
port.on("message", (command: PreparationCommand) => {
  previous = previous.then(async () => {
    try {
      await answer(command);
    } catch (error) {
      // What is not a Fault is a defect: it ends the worker, and the pipeline with it.
      if (!(error instanceof Fault)) throw error;
      reply({ kind: "failed", id: command.id, fault: { code: error.code, message: error.message } });
    }
  });
});
