import type { Fault } from "../../faults/Fault.js";
import { dropFault } from "../../sync/dropFault.js";
import { SyncLedger } from "../../sync/SyncLedger.js";
import type { BagReader } from "../types.js";
import { RecordedEpochs } from "./RecordedEpochs.js";
import { RecordedFrames } from "./RecordedFrames.js";
import type { RecordedInputs } from "./RecordedInputs.js";

/**
 * What the stamps of a recording do to its scans, a sentence each: clocks that differ, messages that are dropped, cameras
 * without an image for any scan. Joins the inputs without reading them.
 */
export function recordedTimes(
  reader: BagReader,
  { selection, index, clocks, sync }: RecordedInputs,
): string[] {
  const ledger = new SyncLedger();
  const topics = new Map(selection.cameras.map(({ name, imageTopic }) => [name, imageTopic]));
  const drops = new Map<string, { readonly fault: Fault; count: number }>();
  ledger.drops.subscribe((drop) => {
    const topic = drop.camera === undefined ? index.clouds.topic : (topics.get(drop.camera) ?? drop.camera);
    const fault = dropFault(drop, topic);
    if (fault.severity === "info") return;
    const known = drops.get(`${topic} ${drop.cause}`);
    if (known !== undefined) known.count++;
    else drops.set(`${topic} ${drop.cause}`, { fault, count: 1 });
  });
  const epochs = new RecordedEpochs(index.clouds, sync.jumpThreshold);
  const matched = new Map(selection.cameras.map(({ name }) => [name, 0]));
  let scans = 0;
  for (const { images } of new RecordedFrames({ reader, selection, index, epochs, sync }).join(ledger)) {
    scans++;
    for (const { camera } of images) matched.set(camera, (matched.get(camera) ?? 0) + 1);
  }
  return [
    ...clocks.problems.map(({ message }) => message),
    ...[...drops.values()].map(({ fault, count }) => `${fault.message} (${count} in all)`),
    ...[...matched]
      .filter(([, count]) => scans > 0 && count === 0)
      .map(([name]) => `camera ${name}: none of its images belongs to a scan by its stamp`),
  ];
}
