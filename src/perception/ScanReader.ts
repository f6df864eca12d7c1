import type { RgbImage } from "../camera/RgbImage.js";
import { decodeDepth } from "../camera/decodeDepth.js";
import { depthCameraModel, DepthUnprojector } from "../camera/depthCloud.js";
import { Fault } from "../faults/Fault.js";
import { decodeHeader } from "../messages/header.js";
import { COMPRESSED_IMAGE_TYPE, decodeCompressedImage, decodeImage } from "../messages/image.js";
import { IntensityReader } from "../messages/IntensityReader.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import { clearNoReturns, hasFineXyz, readFineXyz, readReturns } from "../messages/pointColumns.js";
import { pointLayout } from "../messages/pointLayout.js";
import { readPointTimes } from "../messages/pointTimes.js";
import type { PointCloud2 } from "../messages/types.js";
import { deskew, transformPoints } from "../transforms/ScanMotion.js";
import type { FrameImages } from "./FrameImages.js";
import { mergedCloud, type CloudPart } from "./mergedCloud.js";
import { SaidOnce } from "./SaidOnce.js";
import type { ScanFrame, ScanSource } from "./ScanFrame.js";
import { intensitySense } from "./ScanSense.js";

export interface ScanReaderOptions {
  /** Does the model take intensity? */
  readonly withIntensity: boolean;
  /** The value of the intensity field that stands for 1; without it, the layout tells. */
  readonly intensityScale?: number;
  /** The field that is intensity; without it, the layout tells. */
  readonly intensityField?: string;
}

/** A scan's points; the arrays are valid until the next scan is read. */
export interface ScanPoints {
  /** What is labelled: N points as they came, or merged. */
  readonly cloud: PointCloud2;
  /** [N, 3] metres in the cloud's frame at the scan's stamp: the motion of the sensors is undone where it is known. */
  readonly xyz: Float32Array;
  /** [N] 0..1; when the model takes it, or the scan is merged. */
  readonly intensity: Float32Array | undefined;
  /** Points exactly in the sensor, (0, 0, 0) of its frame: it measured nothing there. They are NaN in `xyz`. */
  readonly noReturnCount: number;
  /** What was left out or made up. */
  readonly faults: readonly Fault[];
  /** The sources that `cloud` is made of, whose points follow one another in it. */
  readonly parts: readonly CloudPart[];
}

/** What is kept of one source from scan to scan. */
interface SourceState {
  readonly intensity: IntensityReader;
  saidWithoutIntensity: boolean;
  xyz: Float32Array;
  offsets: Float64Array;
  /** For depth images of this CameraInfo and size. */
  unprojector?: {
    readonly key: string;
    readonly unprojector: DepthUnprojector;
    readonly oddities?: readonly string[];
  };
}

/** Reads the points of scans: of clouds of every layout, of depth images, of several sources together. */
export class ScanReader {
  readonly #options: ScanReaderOptions;
  readonly #states = new Map<string, SourceState>();
  readonly #said = new SaidOnce();

  constructor(options: ScanReaderOptions) {
    this.#options = options;
  }

  /** Throws a Fault when the first source cannot be read; another that cannot is left out and reported. */
  async read(frame: ScanFrame, images: FrameImages): Promise<ScanPoints> {
    const [first, ...others] = frame.sources;
    if (first === undefined) {
      const reasons = frame.missing.map(({ camera, reason }) => `${camera}: ${reason}`).join("; ");
      throw new Fault("transform-missing", `no source of points has a place in the scan's frame: ${reasons}`);
    }
    const faults: Fault[] = [];
    const parts = [await this.#readSource(first, frame, images, faults)];
    for (const source of others) {
      try {
        parts.push(await this.#readSource(source, frame, images, faults));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(error.at({ topic: source.topic }));
      }
    }
    const noReturnCount = parts.reduce((sum, part) => sum + part.noReturnCount, 0);
    const [{ cloud, xyz, intensity }] = parts as [CloudPart];
    if (frame.mergedFrame === undefined) return { cloud, xyz, intensity, noReturnCount, faults, parts };
    return {
      ...mergedCloud(parts, { stamp: frame.stamp, frameId: frame.mergedFrame }),
      noReturnCount,
      faults,
      parts,
    };
  }

  async #readSource(
    source: ScanSource,
    { mergedFrame }: ScanFrame,
    images: FrameImages,
    faults: Fault[],
  ): Promise<CloudPart> {
    const state = this.#stateOf(source.topic);
    const cloud =
      source.kind === "points"
        ? decodePointCloud2(source.cdr)
        : await depthPoints(source, state, images, faults);
    faults.push(...this.#said.faults(source.topic, cloud.oddities));
    const { xyz, noReturnCount } = readReturns(cloud, state.xyz);
    state.xyz = new Float32Array(xyz.buffer as ArrayBuffer);
    const withIntensity = this.#options.withIntensity || mergedFrame !== undefined;
    const intensity = withIntensity ? this.#readIntensity(source, cloud, state, faults) : undefined;
    const { time } = pointLayout(cloud);
    const { motion, toScan } = source;
    // Coordinates of a map need all their digits until they are moved.
    const moved = (motion !== undefined && time !== undefined) || toScan !== undefined;
    const measured = moved && hasFineXyz(cloud) ? readFineXyz(cloud) : xyz;
    if (measured !== xyz) clearNoReturns(measured);
    // The coordinates that the output shows: where the points came in, not where they were by then.
    const shown = mergedFrame === undefined || motion === undefined ? xyz : xyz.slice();
    if (shown !== xyz && toScan !== undefined) transformPoints(measured, toScan, shown);
    if (motion !== undefined && time !== undefined) {
      const { offsets } = readPointTimes(cloud, time, state.offsets);
      state.offsets = new Float64Array(offsets.buffer as ArrayBuffer);
      deskew(measured, offsets, motion, xyz);
    } else if (toScan !== undefined) {
      transformPoints(measured, toScan, xyz);
    }
    return { index: source.index, cloud, xyz, shown, intensity, noReturnCount };
  }

  /** Zeros where the cloud has none, which is said once per topic. */
  #readIntensity(
    { topic, kind }: ScanSource,
    cloud: PointCloud2,
    state: SourceState,
    faults: Fault[],
  ): Float32Array {
    const intensity = state.intensity.read(cloud);
    if (intensity !== undefined) {
      if (this.#options.withIntensity) {
        const sense = intensitySense(state.intensity.last!);
        // What holds for a whole topic is said once; scans that are cut off are counted.
        const lasting = sense.filter(({ code }) => code !== "implausible-points");
        faults.push(...this.#said.first(topic, lasting));
        for (const fault of sense) if (!lasting.includes(fault)) faults.push(fault.at({ topic }));
      }
      return intensity;
    }
    if (!state.saidWithoutIntensity && this.#options.withIntensity) {
      state.saidWithoutIntensity = true;
      const fields = cloud.fields.map(({ name }) => name).join(", ");
      const { intensityField } = this.#options;
      const what =
        kind === "depth"
          ? "a depth image has no intensity"
          : intensityField === undefined
            ? `no intensity among the fields ${fields}`
            : `no field "${intensityField}", which --intensity-field (parameter intensity_field) names, among the fields ${fields}`;
      const fault = new Fault("feature-missing", `${what}; the model takes 0 instead, which costs quality`);
      faults.push(fault.at({ topic }));
    }
    return state.intensity.zeros(cloud);
  }

  #stateOf(topic: string): SourceState {
    let state = this.#states.get(topic);
    if (state === undefined) {
      const { intensityScale, intensityField } = this.#options;
      state = {
        intensity: new IntensityReader({
          ...(intensityScale !== undefined && { scale: intensityScale }),
          ...(intensityField !== undefined && { field: intensityField }),
        }),
        saidWithoutIntensity: false,
        xyz: new Float32Array(0),
        offsets: new Float64Array(0),
      };
      this.#states.set(topic, state);
    }
    return state;
  }
}

/** The points of a depth image, coloured when a colour image of the same frame and size has come with it. */
async function depthPoints(
  { type, cdr, info, rectified }: ScanSource & { kind: "depth" },
  state: SourceState,
  images: FrameImages,
  faults: Fault[],
): Promise<PointCloud2> {
  const message = type === COMPRESSED_IMAGE_TYPE ? decodeCompressedImage(cdr) : decodeImage(cdr);
  const depth = await decodeDepth(message);
  let color: RgbImage | undefined;
  for (const image of images.all.filter(({ frameId }) => frameId === message.header.frameId)) {
    try {
      const decoded = await images.decoded(image);
      if (decoded.width !== depth.width || decoded.height !== depth.height) continue;
      color = decoded;
      break;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(error.at({ topic: image.topic, stamp: decodeHeader(image.cdr).stamp }));
    }
  }
  const { distortionModel, d, k, r, p, binningX, binningY, roi } = info;
  const key = JSON.stringify([
    depth.width,
    depth.height,
    distortionModel,
    d,
    k,
    r,
    p,
    binningX,
    binningY,
    roi,
  ]);
  if (state.unprojector?.key !== key) {
    const model = depthCameraModel(info, depth, rectified);
    const { oddities } = model;
    state.unprojector = { key, unprojector: new DepthUnprojector(model), ...(oddities && { oddities }) };
  }
  const oddities = [
    ...("oddities" in message ? (message.oddities ?? []) : []),
    ...(state.unprojector.oddities ?? []),
  ];
  const cloud = state.unprojector.unprojector.cloud(depth, message.header, color);
  return oddities.length > 0 ? { ...cloud, oddities } : cloud;
}
