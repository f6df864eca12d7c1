import type { Random } from "./Random.js";
import { rigidPose, type RigidPose } from "./RigidPose.js";

/** base_link_T_lidar: as high above the ground as the Velodyne of KITTI's car. */
export const STANDARD_MOUNT: RigidPose = rigidPose([0, 0, 1.73], 0);

const DEGREE = Math.PI / 180;

/** A LiDAR on some roof: 1.5 to 2.1 m above the ground, tilted by about a degree. */
export function randomMount(random: Random): RigidPose {
  return rigidPose(
    [0, 0, random.uniform(1.5, 2.1)],
    0,
    1.2 * DEGREE * random.normal(),
    0.8 * DEGREE * random.normal(),
  );
}
