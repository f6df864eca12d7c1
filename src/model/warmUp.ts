import { ScanGeometryBuilder } from "../geometry/ScanGeometryBuilder.js";
import type { BundleManifest } from "./bundleManifest.js";
import { detectionTensors } from "./detectionTensors.js";
import { geometryConfig, patchesPerVoxel } from "./graphContract.js";
import { featureTensor, geometryTensors } from "./graphInputs.js";
import { float32Tensor, int32Tensor, type NamedTensor } from "./NamedTensor.js";

const POINTS = 2000;

/**
 * Inputs of every graph of a bundle for a made-up scan: points on a spiral over flat ground in the middle of the
 * model's range, and one grey image that sees all of them.
 */
export function warmUpTensors(manifest: BundleManifest): NamedTensor[] {
  const { backbone, image_encoder } = manifest;
  const [x0, y0, z0, x1, y1, z1] = backbone.point_range;
  const xyz = new Float32Array(3 * POINTS);
  for (let point = 0; point < POINTS; point++) {
    const radius = (0.4 * point) / POINTS;
    xyz[3 * point] = (x0 + x1) / 2 + radius * (x1 - x0) * Math.cos(point);
    xyz[3 * point + 1] = (y0 + y1) / 2 + radius * (y1 - y0) * Math.sin(point);
    xyz[3 * point + 2] = (z0 + z1) / 2;
  }
  const geometry = new ScanGeometryBuilder(geometryConfig(manifest)).build(xyz, POINTS);
  const voxels = geometry.representative.length;
  const zeros = new Float32Array(POINTS);
  const columns = backbone.input_features.map(() => zeros);
  const tensors = [
    ...geometryTensors(geometry),
    featureTensor(backbone, columns, geometry.representative),
    ...detectionTensors(manifest, { xyz, geometry }),
  ];
  if (image_encoder !== undefined) {
    const { input_height, input_width, sampling } = image_encoder;
    const patches = patchesPerVoxel(sampling);
    tensors.push(
      int32Tensor("voxel_patch", [voxels, patches], new Int32Array(voxels * patches)),
      float32Tensor(
        "voxel_patch_weight",
        [voxels, patches],
        new Float32Array(voxels * patches).fill(1 / patches),
      ),
      float32Tensor(
        "image",
        [1, 3, input_height, input_width],
        new Float32Array(3 * input_height * input_width),
      ),
    );
  }
  return tensors;
}
