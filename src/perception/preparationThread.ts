import { parentPort, workerData } from "node:worker_threads";
import { Fault } from "../faults/Fault.js";
import { KeptMessages } from "./KeptMessages.js";
import { OverlayMaker, type OverlayDrafts } from "./OverlayMaker.js";
import {
  serializeFault,
  type PreparationCommand,
  type PreparationNotice,
  type PreparationReply,
  type PreparationWorkerData,
  type PreparedScan,
} from "./preparationProtocol.js";
import { ScanComposer } from "./ScanComposer.js";
import { ScanPreparer, type HeldScan, type Preparation } from "./ScanPreparer.js";
import type { WantedOutputs } from "./WantedOutputs.js";

/** The thread behind PreparationWorker: decoding, geometry, projection, and the clouds and images that come out. */

/** A scan that the model works on, with the settings that it was prepared under. */
interface WaitingScan {
  readonly held: HeldScan;
  readonly wanted: WantedOutputs;
  readonly composer: ScanComposer;
  readonly overlays: OverlayDrafts;
}

const port = parentPort!;
const { manifest, settings, intensityScale, intensityField, dump } = workerData as PreparationWorkerData;
const messages = new KeptMessages();
const preparer = new ScanPreparer(manifest, settings.fusion, {
  ...(intensityScale !== undefined && { intensityScale }),
  ...(intensityField !== undefined && { intensityField }),
});
const overlayMaker = new OverlayMaker();
let composer = new ScanComposer(manifest, settings);
const waiting = new Map<number, WaitingScan>();

async function answer(command: PreparationCommand | PreparationNotice): Promise<void> {
  switch (command.kind) {
    case "update":
      preparer.configure(command.settings.fusion);
      composer = new ScanComposer(manifest, command.settings);
      break;
    case "prepare": {
      const { id, wanted } = command;
      const preparation = await preparer.prepare(messages.receive(command.frame), wanted);
      const { scan, held } = preparation;
      const coordinates = held.geometry.stages[0]!.coordinates;
      reply(
        { kind: "prepared", id, scan: dump ? { ...scan, voxelCoordinates: coordinates.slice() } : scan },
        buffersOf(scan),
      );
      // Not before the reply: the model need not wait for it.
      waiting.set(id, { held, wanted, composer, overlays: await draftOverlays(preparation, wanted) });
      break;
    }
    case "compose": {
      const { id, labels } = command;
      const { held, wanted, composer: itsComposer, overlays } = take(id);
      const { cloud, geometry } = held;
      const { pointToVoxel } = geometry;
      const composed = itsComposer.compose({ cloud, pointToVoxel, wanted, overlays }, labels);
      preparer.release(held, labels.inputs);
      const { labelledCloud, filteredCloud, boxes } = composed;
      const outputs = [
        labelledCloud,
        filteredCloud,
        boxes?.detections,
        boxes?.markers,
        ...composed.overlays.map(({ cdr }) => cdr),
      ];
      reply(
        { kind: "composed", id, scan: composed },
        outputs.flatMap((output) => (output === undefined ? [] : [output.buffer])),
      );
      break;
    }
    case "discard":
      preparer.release(take(command.id).held, []);
      break;
  }
}

async function draftOverlays(
  { images, imagesReported, xyz, held }: Preparation,
  { overlays: wanted }: WantedOutputs,
): Promise<OverlayDrafts> {
  const { pointToVoxel } = held.geometry;
  const drafts = await overlayMaker.draft(images, wanted, { xyz, pointToVoxel });
  return imagesReported ? { ...drafts, faults: [] } : drafts;
}

function take(id: number): WaitingScan {
  const scan = waiting.get(id)!;
  waiting.delete(id);
  return scan;
}

function buffersOf({ inputs, images, detection = [] }: PreparedScan): ArrayBuffer[] {
  const tensors = [...inputs, ...(images === undefined ? [] : [images]), ...detection];
  return [...new Set(tensors.map(({ data }) => data.buffer))];
}

function reply(message: PreparationReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** `prepare` keeps state from scan to scan, so one command ends before the next begins. */
let previous = Promise.resolve();
port.on("message", (command: PreparationCommand | PreparationNotice) => {
  previous = previous.then(async () => {
    try {
      await answer(command);
    } catch (error) {
      // What is not a Fault is a defect: it ends the worker, and the pipeline with it.
      if (!(error instanceof Fault) || command.kind === "update") throw error;
      reply({ kind: "failed", id: command.id, fault: serializeFault(error) });
    }
  });
});
