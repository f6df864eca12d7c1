/** How the V voxels of a stage are cut into attention patches. */
export interface PatchLayout {
  readonly patchCount: number;
  /** Slots per patch: the configured patch size, or V when V is not larger. */
  readonly patchSize: number;
  /** patchCount * patchSize */
  readonly slotCount: number;
}

/** Pointcept pads only when there is more than one patch (`mask_pad` in get_padding_and_inverse). */
export function patchLayout(voxelCount: number, configuredPatchSize: number): PatchLayout {
  if (voxelCount <= configuredPatchSize) {
    return { patchCount: 1, patchSize: voxelCount, slotCount: voxelCount };
  }
  const patchCount = Math.ceil(voxelCount / configuredPatchSize);
  return { patchCount, patchSize: configuredPatchSize, slotCount: patchCount * configuredPatchSize };
}

/**
 * Fills the slots that are missing in the last patch with the voxels at the same place of the patch
 * before it, as get_padding_and_inverse of Pointcept's SerializedAttention does.
 * @param slots [slotCount], of which the first voxelCount are set
 */
export function borrowMissingSlots(slots: Int32Array, voxelCount: number, layout: PatchLayout): void {
  for (let slot = voxelCount; slot < layout.slotCount; slot++) slots[slot] = slots[slot - layout.patchSize]!;
}

/** The slot of each voxel: its own, never a borrowed one. */
export function writeInverse(slots: Int32Array, voxelCount: number, inverse: Int32Array): void {
  for (let slot = 0; slot < voxelCount; slot++) inverse[slots[slot]!] = slot;
}
