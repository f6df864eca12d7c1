import { prepareEncoderInput } from "../camera/encoderInput.js";
import { PatchAssigner, type CameraView, type PatchAssignment } from "../camera/PatchAssigner.js";
import type { PatchGrid } from "../camera/PatchGrid.js";
import { Fault } from "../faults/Fault.js";
import { ScanGeometryBuilder } from "../geometry/ScanGeometryBuilder.js";
import { TableArenaPool, type TableArena } from "../geometry/TableArena.js";
import type { ScanGeometry } from "../geometry/types.js";
import { pointCount } from "../messages/pointCloud2.js";
import type { PointCloud2 } from "../messages/types.js";
import type { BundleManifest, ImageEncoderSpec } from "../model/bundleManifest.js";
import { geometryConfig, patchesPerVoxel } from "../model/graphContract.js";
import { featureTensor, geometryTensors, hostInputs, selectInputs } from "../model/graphInputs.js";
import { float32Tensor, int32Tensor, type NamedTensor } from "../model/NamedTensor.js";
import { FusionPolicy, type FusionPolicyOptions } from "./FusionPolicy.js";
import { serializeFault, type PreparationWorkerData, type PreparedScan } from "./preparationProtocol.js";
import { detectionTensors } from "../model/detectionTensors.js";
import { FrameImages } from "./FrameImages.js";
import type { FrameImage, ScanFrame } from "./ScanFrame.js";
import type { WantedOutputs } from "./WantedOutputs.js";
import { SaidOnce } from "./SaidOnce.js";
import { scanSense } from "./ScanSense.js";
import { ScanReader, type ScanPoints } from "./ScanReader.js";

/** What stays with the preparer while the model works on a scan. */
export interface HeldScan {
  readonly cloud: PointCloud2;
  readonly geometry: ScanGeometry;
  readonly arena: TableArena;
}

/** A scan that was prepared, and what there is of it until the next one is. */
export interface Preparation {
  readonly scan: PreparedScan;
  readonly held: HeldScan;
  readonly images: FrameImages;
  /** Were images that cannot be used reported with the scan? Otherwise they were not even looked at. */
  readonly imagesReported: boolean;
  /** [N, 3] as ScanPoints.xyz; void when the next scan is prepared. */
  readonly xyz: Float32Array;
}

/** An image that was decoded and fits its CameraInfo. */
interface UsableImage {
  readonly source: FrameImage;
  readonly view: CameraView;
  /** [3, H, W] as the encoder takes it. */
  readonly input: Float32Array;
}

/** Turns a scan and its images into the inputs of the model's graphs. */
export class ScanPreparer {
  readonly #manifest: BundleManifest;
  readonly #policy: FusionPolicy;
  readonly #builder: ScanGeometryBuilder;
  readonly #arenas = new TableArenaPool();
  readonly #assigner = new PatchAssigner();
  readonly #reader: ScanReader;
  readonly #columns = new Map<string, Float32Array>();
  readonly #said = new SaidOnce();

  /** @param intensity see PreparationWorkerData */
  constructor(
    manifest: BundleManifest,
    fusion: FusionPolicyOptions,
    intensity: Pick<PreparationWorkerData, "intensityScale" | "intensityField"> = {},
  ) {
    const { fused, image_free } = manifest.graphs;
    this.#manifest = manifest;
    this.#policy = new FusionPolicy(fusion, {
      fused: fused !== undefined,
      imageFree: image_free !== undefined,
    });
    this.#builder = new ScanGeometryBuilder(geometryConfig(manifest));
    this.#reader = new ScanReader({
      withIntensity: manifest.backbone.input_features.some(({ name }) => name === "intensity"),
      ...intensity,
    });
  }

  /** Holds from the next scan on. */
  configure(fusion: FusionPolicyOptions): void {
    this.#policy.configure(fusion);
  }

  /**
   * Call for one scan after the other. The inputs are views of the held arena's memory, which is free again
   * when `release` is called. Throws a Fault when the cloud cannot be used; an image that cannot be used is
   * left out and reported.
   */
  async prepare(frame: ScanFrame, wanted: WantedOutputs): Promise<Preparation> {
    const arena = this.#arenas.acquire();
    try {
      return await this.#prepare(frame, wanted, arena);
    } catch (error) {
      this.#arenas.release(arena);
      throw error;
    }
  }

  /** Takes back the memory of a scan, with the buffers of the inputs that went to the model. */
  release({ arena }: HeldScan, inputs: readonly NamedTensor[]): void {
    this.#arenas.release(
      arena,
      inputs.map(({ name, data }) => [name, data.buffer] as const),
    );
  }

  async #prepare(frame: ScanFrame, wanted: WantedOutputs, arena: TableArena): Promise<Preparation> {
    const start = performance.now();
    const images = new FrameImages(frame.images);
    const points = await this.#reader.read(frame, images);
    const { cloud, xyz } = points;
    const count = pointCount(cloud);
    const columns = this.#columnsOf(points);
    const decoded = performance.now();
    const geometry = this.#builder.build(xyz, count, { arena });
    const built = performance.now();
    const sense = this.#senseOf(points, frame.topic);
    const imagesReported = this.#policy.mayFuse;
    const { usable, faults } = await this.#usableImages(images);
    const imagesReady = performance.now();
    const assignment = this.#assign(xyz, geometry.representative, usable);
    const decision = this.#policy.decide({
      imageCount: usable.length,
      seenShare: assignment?.seenShare ?? 0,
    });
    const fused = decision.mode === "fused";
    const voxelCount = geometry.representative.length;
    const featureCount = this.#manifest.backbone.input_features.length;
    const tensors: NamedTensor[] = [
      ...geometryTensors(geometry),
      featureTensor(
        this.#manifest.backbone,
        columns,
        geometry.representative,
        arena.float32("feat", voxelCount * featureCount),
      ),
    ];
    if (fused) tensors.push(...patchTensors(arena, voxelCount, this.#encoder, assignment));
    const graph = fused ? this.#manifest.graphs.fused! : this.#manifest.graphs.image_free!;
    const inputs = selectInputs(hostInputs(graph), tensors);
    const stacked = fused ? stackImages(usable, this.#encoder) : undefined;
    const ready = performance.now();
    const detection =
      wanted.detections || wanted.markers ? this.#detectionInputs(arena, { xyz, geometry }) : undefined;
    return {
      held: { cloud, geometry, arena },
      images,
      imagesReported,
      xyz,
      scan: {
        ...decision,
        inputs,
        ...(stacked && { images: stacked }),
        ...(detection && { detection }),
        missing: frame.missing,
        imagesUsed: fused
          ? usable.map(({ source: { camera, stamp, delta } }) => ({ camera, stamp, delta }))
          : [],
        faults: [...points.faults, ...sense, ...faults].map(serializeFault),
        seenShare: assignment?.seenShare ?? 0,
        pointCount: count,
        noReturnCount: points.noReturnCount,
        voxelCount,
        decodeMs: decoded - start,
        geometryMs: built - decoded,
        imagesMs: imagesReady - built,
        projectionMs: ready - imagesReady,
        detectionMs: performance.now() - ready,
      },
    };
  }

  /** Undefined where the model finds no boxes. */
  #detectionInputs(
    arena: TableArena,
    scan: { readonly xyz: Float32Array; readonly geometry: ScanGeometry },
  ): NamedTensor[] | undefined {
    const graph = this.#manifest.graphs.detection;
    if (graph === undefined) return undefined;
    const inputs = hostInputs(graph);
    return selectInputs(inputs, detectionTensors(this.#manifest, scan, arena));
  }

  #senseOf({ xyz, cloud, noReturnCount }: ScanPoints, topic: string): Fault[] {
    const { grid_size: gridSize, point_range: pointRange } = this.#manifest.backbone;
    const { frameId } = cloud.header;
    return scanSense({ xyz, noReturnCount, frameId, pointRange, gridSize }).map((fault) =>
      fault.at({ topic }),
    );
  }

  get #encoder(): ImageEncoderSpec {
    const encoder = this.#manifest.image_encoder;
    if (encoder === undefined)
      throw new Error("a fused graph without an image encoder passed the bundle's check");
    return encoder;
  }

  /** One value per point for each input feature. */
  #columnsOf({ xyz, intensity }: ScanPoints): Float32Array[] {
    const count = xyz.length / 3;
    return this.#manifest.backbone.input_features.map(({ name }) => {
      if (name === "intensity") return intensity!;
      const axis = ["x", "y", "z"].indexOf(name);
      let column = this.#columns.get(name);
      if (column === undefined || column.length < count) {
        column = new Float32Array(count);
        this.#columns.set(name, column);
      }
      for (let point = 0, at = axis; point < count; point++, at += 3) column[point] = xyz[at]!;
      return column;
    });
  }

  async #usableImages(images: FrameImages): Promise<{ usable: UsableImage[]; faults: Fault[] }> {
    if (!this.#policy.mayFuse) return { usable: [], faults: [] };
    const usable: UsableImage[] = [];
    const faults: Fault[] = [];
    const results = await Promise.allSettled(images.all.map((image) => this.#readImage(image, images)));
    results.forEach((result, index) => {
      const source = images.all[index]!;
      faults.push(...this.#said.faults(source.topic, images.oddities(source)));
      if (result.status === "fulfilled") {
        usable.push(result.value);
        return;
      }
      if (!(result.reason instanceof Fault)) throw result.reason;
      faults.push(result.reason.at({ topic: source.topic, stamp: source.stamp }));
    });
    return { usable, faults };
  }

  async #readImage(source: FrameImage, images: FrameImages): Promise<UsableImage> {
    const { image, model } = await images.located(source);
    const { input_height, input_width, mean, std, resize } = this.#encoder;
    const { data } = await prepareEncoderInput(image, {
      inputHeight: input_height,
      inputWidth: input_width,
      mean,
      std,
      resize,
    });
    return { source, view: { model, cloudToOptical: source.cloudToCamera }, input: data };
  }

  #assign(
    xyz: Float32Array,
    representative: Int32Array,
    usable: readonly UsableImage[],
  ): PatchAssignment | undefined {
    if (usable.length === 0) return undefined;
    const { sampling, occlusion } = this.#encoder;
    return this.#assigner.assign({
      xyz,
      representative,
      cameras: usable.map(({ view }) => view),
      encoder: patchGrid(this.#encoder),
      sampling,
      occlusion,
    });
  }
}

function patchGrid({ input_width, input_height, patch_size, resize }: ImageEncoderSpec): PatchGrid {
  return { inputWidth: input_width, inputHeight: input_height, patchSize: patch_size, resize };
}

/** Without any image every voxel is one that no camera sees. */
function patchTensors(
  arena: TableArena,
  voxelCount: number,
  encoder: ImageEncoderSpec,
  assignment: PatchAssignment | undefined,
): NamedTensor[] {
  const columns = patchesPerVoxel(encoder.sampling);
  const patch = arena.int32("voxel_patch", voxelCount * columns);
  const weight = arena.float32("voxel_patch_weight", voxelCount * columns);
  if (assignment === undefined) {
    patch.fill(0);
    weight.fill(0);
  } else {
    patch.set(assignment.patch);
    weight.set(assignment.weight);
  }
  return [
    int32Tensor("voxel_patch", [voxelCount, columns], patch),
    float32Tensor("voxel_patch_weight", [voxelCount, columns], weight),
  ];
}

/** [B, 3, H, W]; one black image when fusion is forced without any, since the gathered table must have a row. */
function stackImages(
  usable: readonly UsableImage[],
  { input_height, input_width }: ImageEncoderSpec,
): NamedTensor {
  const size = 3 * input_height * input_width;
  const count = Math.max(1, usable.length);
  const data = new Float32Array(count * size);
  usable.forEach(({ input }, index) => {
    data.set(input, index * size);
  });
  return float32Tensor("image", [count, 3, input_height, input_width], data);
}
