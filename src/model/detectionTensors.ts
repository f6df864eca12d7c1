import { TableArena } from "../geometry/TableArena.js";
import { farthestPoints, tokenPositions } from "../geometry/tokens.js";
import type { ScanGeometry } from "../geometry/types.js";
import type { BundleManifest } from "./bundleManifest.js";
import { float32Tensor, int32Tensor, type NamedTensor } from "./NamedTensor.js";

/**
 * `token_positions`, and `queries` where the detection graph declares it, of docs/graph-contract.md; none where the
 * bundle finds no boxes.
 * @param scan `xyz` [N, 3] metres, and its geometry
 * @param arena holds their memory
 */
export function detectionTensors(
  { detection, graphs, backbone }: BundleManifest,
  { xyz, geometry }: { readonly xyz: Float32Array; readonly geometry: ScanGeometry },
  arena = new TableArena(),
): NamedTensor[] {
  if (detection === undefined) return [];
  const { stage } = detection;
  const tokens = geometry.stages[stage]!.voxelCount;
  const positions = arena.float32("token_positions", 3 * tokens);
  const clampTo = backbone.clamp === true ? { clampTo: backbone.point_range } : {};
  tokenPositions({ xyz, geometry, stage, ...clampTo }, positions);
  const tensors = [float32Tensor("token_positions", [tokens, 3], positions)];
  if (graphs.detection!.inputs.some(({ name }) => name === "queries")) {
    const queries = arena.int32("queries", Math.min(detection.queries, tokens));
    farthestPoints(positions, queries);
    tensors.push(int32Tensor("queries", [queries.length], queries));
  }
  return tensors;
}
