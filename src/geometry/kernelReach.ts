/** Directions to the 27 voxels of a 3x3x3 block, `((dx + 1) * 3 + (dy + 1)) * 3 + (dz + 1)`. */
export const DIRECTIONS = 27;
/** The direction that stays in the voxel. */
export const NO_DIRECTION = 13;

/**
 * Which children of two adjacent (or the same) coarse voxels a convolution kernel joins. A child is
 * named by its octant, a set of children by a mask of 8 bits.
 */
export interface KernelReach {
  /** Kernel columns: the cube of the kernel's size. Columns c and columns - 1 - c are opposite offsets. */
  readonly columns: number;
  /** [27] the children of the voxel here from which the kernel reaches any child of the one there. */
  readonly hereMask: Uint8Array;
  /** [27, 8] the children there that the kernel reaches from an octant here. */
  readonly thereMask: Uint8Array;
  /** [27, 8, 8] the kernel column that leads from an octant here to one there, where reached. */
  readonly column: Uint8Array;
}

export const KERNEL_REACH: Readonly<Record<3 | 5, KernelReach>> = { 3: kernelReach(3), 5: kernelReach(5) };

function kernelReach(kernelSize: number): KernelReach {
  const radius = (kernelSize - 1) / 2;
  const hereMask = new Uint8Array(DIRECTIONS);
  const thereMask = new Uint8Array(DIRECTIONS * 8);
  const column = new Uint8Array(DIRECTIONS * 64);
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const step = [Math.floor(direction / 9) - 1, (Math.floor(direction / 3) % 3) - 1, (direction % 3) - 1];
    for (let here = 0; here < 8; here++) {
      for (let there = 0; there < 8; there++) {
        const offset = step.map((d, axis) => 2 * d + bitOfAxis(there, axis) - bitOfAxis(here, axis));
        if (offset.some((d) => Math.abs(d) > radius)) continue;
        hereMask[direction]! |= 1 << here;
        thereMask[direction * 8 + here]! |= 1 << there;
        column[(direction * 8 + here) * 8 + there] = offset.reduce((c, d) => c * kernelSize + d + radius, 0);
      }
    }
  }
  return { columns: kernelSize ** 3, hereMask, thereMask, column };
}

function bitOfAxis(octant: number, axis: number): number {
  return (octant >> (2 - axis)) & 1;
}
