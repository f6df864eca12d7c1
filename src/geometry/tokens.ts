import { clampNumber } from "./clampPoints.js";
import { withRoom } from "./scratch.js";
import type { GeometryConfig, ScanGeometry } from "./types.js";

/**
 * Tokens of a stage for a detection graph, as docs/graph-contract.md describes them; Python has the same in
 * `training/ditr_train/geometry/tokens.py`.
 */

const NOWHERE: GeometryConfig["pointRange"] = [-Infinity, -Infinity, -Infinity, Infinity, Infinity, Infinity];

export interface TokenPositionsInput {
  /** [N, 3] metres. */
  readonly xyz: Float32Array;
  readonly geometry: ScanGeometry;
  readonly stage: number;
  /** That points outside of are moved into; absent where they are left out. */
  readonly clampTo?: GeometryConfig["pointRange"];
}

/**
 * The mean of the representative points of stage 0 within each voxel of a stage, metres; summed in float64 in the order of
 * the voxels of stage 0.
 * @param out [V_stage, 3]
 */
export function tokenPositions(
  { xyz, geometry, stage, clampTo = NOWHERE }: TokenPositionsInput,
  out: Float32Array,
): void {
  const { representative, stages } = geometry;
  const low = clampTo.slice(0, 3).map(Math.fround);
  const high = clampTo.slice(3).map(Math.fround);
  const tokens = stages[stage]!.voxelCount;
  const sums = new Float64Array(3 * tokens);
  const counts = new Uint32Array(tokens);
  for (let voxel = 0; voxel < representative.length; voxel++) {
    let token = voxel;
    for (let finer = 0; finer < stage; finer++) token = stages[finer]!.parent![token]!;
    const point = 3 * representative[voxel]!;
    for (let axis = 0; axis < 3; axis++) {
      sums[3 * token + axis]! += clampNumber(xyz[point + axis]!, low[axis]!, high[axis]!);
    }
    counts[token]!++;
  }
  for (let at = 0; at < sums.length; at++) out[at] = sums[at]! / counts[Math.floor(at / 3)]!;
}

let nearest = new Float64Array(0);

/**
 * Farthest point sampling (Eldar et al., 1997): row 0, then again and again the row that is farthest from all that were
 * chosen, the lowest of equals.
 * @param positions [V, 3]
 * @param out [q] rows, q at most V
 */
export function farthestPoints(positions: Float32Array, out: Int32Array): void {
  const rows = positions.length / 3;
  nearest = withRoom(nearest, rows);
  nearest.fill(Infinity, 0, rows);
  let chosen = 0;
  for (let place = 0; place < out.length; place++) {
    out[place] = chosen;
    const x = positions[3 * chosen]!;
    const y = positions[3 * chosen + 1]!;
    const z = positions[3 * chosen + 2]!;
    let farthest = -1;
    for (let row = 0, at = 0; row < rows; row++, at += 3) {
      const dx = positions[at]! - x;
      const dy = positions[at + 1]! - y;
      const dz = positions[at + 2]! - z;
      const distance = Math.min(nearest[row]!, dx * dx + dy * dy + dz * dz);
      nearest[row] = distance;
      if (distance > farthest) {
        farthest = distance;
        chosen = row;
      }
    }
  }
}
