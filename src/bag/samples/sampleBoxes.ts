import { Fault } from "../../faults/Fault.js";
import { movedBox, pointsWithin, type OrientedBox } from "../../geometry/OrientedBox.js";
import { boxesOf } from "../../messages/boxDetections.js";
import { readXyz } from "../../messages/pointColumns.js";
import { pointLayout } from "../../messages/pointLayout.js";
import { readPointTimes } from "../../messages/pointTimes.js";
import type { Detection3DArray } from "../../messages/types.js";
import type { CloudPart } from "../../perception/mergedCloud.js";
import type { ScanFrame, ScanSource } from "../../perception/ScanFrame.js";
import type { ScanPoints } from "../../perception/ScanReader.js";

/** A true box of a scan, where the scan's points are. */
export interface SampleBox extends OrientedBox {
  readonly className: string;
  /** Measured points of the scan within it. */
  readonly points: number;
}

/**
 * True boxes of a scan: given around the points of the cloud of their frame as these came, and moved with them where the
 * sensor's motion is undone or clouds are merged.
 * @throws Fault for boxes that cannot be read, or of a frame that is neither the scan's nor one of its clouds'
 */
export function sampleBoxes(message: Detection3DArray, scan: ScanPoints, frame: ScanFrame): SampleBox[] {
  const boxes = boxesOf(message);
  const { frameId } = message.header;
  const place = placeOf(frameId, scan, frame);
  return boxes.map(({ box, className }) => {
    const moved = place(box);
    return { ...moved, className, points: pointsWithin(moved, scan.xyz) };
  });
}

/** How boxes of the frame come to where the scan's points are. */
function placeOf(
  frameId: string,
  { cloud, parts }: ScanPoints,
  { sources, mergedFrame }: ScanFrame,
): (box: OrientedBox) => OrientedBox {
  if (mergedFrame === frameId) return (box) => box;
  const part = parts.find((each) => each.cloud.header.frameId === frameId);
  if (part === undefined) {
    throw new Fault(
      "malformed-message",
      `boxes are in the frame "${frameId}", the scan's points in "${cloud.header.frameId}"; ` +
        "the boxes of this scan are left out",
    );
  }
  return movementOf(
    part,
    sources.find(({ index }) => index === part.index)!,
  );
}

function movementOf({ cloud }: CloudPart, { motion, toScan }: ScanSource): (box: OrientedBox) => OrientedBox {
  const { time } = pointLayout(cloud);
  if (motion === undefined || time === undefined) {
    return (box) => (toScan === undefined ? box : movedBox(box, toScan));
  }
  const { offsets } = readPointTimes(cloud, time);
  const measured = readXyz(cloud);
  const { first, step, poses } = motion;
  const last = poses.length / 16 - 1;
  return (box) => {
    let sum = 0;
    let timed = 0;
    pointsWithin(box, measured, (point) => {
      const offset = offsets[point]!;
      if (Number.isNaN(offset)) return;
      sum += offset;
      timed++;
    });
    // Without a point, as at the stamp. A pose is a millisecond from the next: the nearest is near enough for a box.
    const at = timed === 0 ? 0 : sum / timed;
    const pose = Math.min(last, Math.max(0, Math.round((at - first) / step)));
    return movedBox(box, poses.subarray(16 * pose, 16 * pose + 16));
  };
}
