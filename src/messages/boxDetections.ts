import { Fault } from "../faults/Fault.js";
import type { OrientedBox } from "../geometry/OrientedBox.js";
import { DETECTION3D_ARRAY_TYPE } from "./detection3DArray.js";
import type { Detection3D, Detection3DArray, Header, PoseMessage } from "./types.js";

/** Where the true boxes of simulated and imported scans are. */
export const GROUND_TRUTH_BOXES_TOPIC = "/ground_truth/boxes";

/** A box with its class, as vision_msgs/Detection3D says it. */
export interface BoxDetection {
  readonly box: OrientedBox;
  readonly className: string;
  /** 0 to 1. */
  readonly score: number;
}

const NO_COVARIANCE: readonly number[] = new Array<number>(36).fill(0);

/** @param id what the sender calls the object; empty where it does not follow objects */
export function boxMessage({ box, className, score }: BoxDetection, header: Header, id = ""): Detection3D {
  const pose = boxPose(box);
  return {
    header,
    results: [{ classId: className, score, pose, covariance: NO_COVARIANCE }],
    center: pose,
    size: box.size,
    id,
  };
}

/** Pose of the box's centre. */
export function boxPose({ center, yaw }: OrientedBox): PoseMessage {
  return { position: center, orientation: [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)] };
}

/**
 * The boxes of a message, each with its most probable class; tilts are left out.
 * @throws Fault("malformed-message") for a box without a class, of no size, or with numbers that are not finite
 */
export function boxesOf({ detections }: Detection3DArray): BoxDetection[] {
  return detections.map(({ results, center: { position, orientation }, size }, index) => {
    const [first, ...others] = results;
    if (first === undefined) throw malformed(index, "has no result, so that its class is not known");
    const best = others.reduce((best, other) => (other.score > best.score ? other : best), first);
    const [x, y, z, w] = orientation;
    const numbers = [...position, ...orientation, ...size, best.score];
    if (!numbers.every(Number.isFinite))
      throw malformed(index, `has [${numbers.join(", ")}], not all finite`);
    if (size.some((extent) => extent <= 0)) {
      throw malformed(index, `has the size ${size.join(" x ")} m, which must be more than 0`);
    }
    // A quaternion of all zeros is what senders leave that set none: no rotation.
    const norm = x * x + y * y + z * z + w * w || 1;
    const yaw = Math.atan2((2 * (w * z + x * y)) / norm, 1 - (2 * (y * y + z * z)) / norm);
    return { box: { center: position, size, yaw }, className: best.classId, score: best.score };
  });
}

function malformed(index: number, problem: string): Fault {
  return new Fault("malformed-message", `${DETECTION3D_ARRAY_TYPE} detections[${index}] ${problem}`);
}
