/** How the V voxels of a stage are cut into attention patches. */
export interface PatchLayout {
  readonly patchCount: number;
  /** Slots per patch: the configured patch size, or V when V is not larger. */
  readonly patchSize: number;
}

/** Pointcept pads only when there is more than one patch (`mask_pad` in get_padding_and_inverse). */
export function patchLayout(voxelCount: number, configuredPatchSize: number): PatchLayout {
  return voxelCount <= configuredPatchSize
    ? { patchCount: 1, patchSize: voxelCount }
    : { patchCount: Math.ceil(voxelCount / configuredPatchSize), patchSize: configuredPatchSize };
}

/**
 * Fills the slots that are missing in the last patch with the voxels at the same place of the patch
 * before it, as get_padding_and_inverse of Pointcept's SerializedAttention does.
 * @param slots [patchCount * patchSize], of which the first voxelCount are set
 */
export function borrowMissingSlots(slots: Int32Array, voxelCount: number, patchSize: number): void {
  for (let slot = voxelCount; slot < slots.length; slot++) slots[slot] = slots[slot - patchSize]!;
}

/** The slot of each voxel: its own, never a borrowed one. */
export function writeInverse(slots: Int32Array, voxelCount: number, inverse: Int32Array): void {
  for (let slot = 0; slot < voxelCount; slot++) inverse[slots[slot]!] = slot;
}
