import { PointFieldType, type PointCloud2, type PointField } from "../messages/types.js";
import type { LidarPreset } from "./beamTables.js";
import { Hit } from "./Hit.js";
import { intensityOf, STANDARD_RESPONSE, type LidarResponse } from "./LidarResponse.js";
import { Random } from "./Random.js";
import type { SeenObjects } from "./SeenObjects.js";
import { SurfaceSample } from "./SurfaceSample.js";
import type { World } from "./World.js";

export interface SpinningLidarOptions {
  readonly preset: LidarPreset;
  /** Firings per turn. */
  readonly columns: number;
  /** Seconds per turn. */
  readonly period: number;
  /** Freeze the world and the sensor at the scan's stamp instead of rolling. */
  readonly frozen: boolean;
  /** Leave out noise and dropouts. */
  readonly ideal: boolean;
  readonly frameId: string;
  /** Default: the standard one. */
  readonly response?: LidarResponse;
}

const POINT_STEP = 24;
const FIELDS: readonly PointField[] = [
  { name: "x", offset: 0, datatype: PointFieldType.FLOAT32, count: 1 },
  { name: "y", offset: 4, datatype: PointFieldType.FLOAT32, count: 1 },
  { name: "z", offset: 8, datatype: PointFieldType.FLOAT32, count: 1 },
  { name: "intensity", offset: 12, datatype: PointFieldType.FLOAT32, count: 1 },
  { name: "time", offset: 16, datatype: PointFieldType.FLOAT32, count: 1 },
  { name: "ring", offset: 20, datatype: PointFieldType.UINT16, count: 1 },
  { name: "ground_truth", offset: 22, datatype: PointFieldType.UINT8, count: 1 },
];

/** A facing surface of this reflectance is seen up to TYPICAL_REACH of the maximum range, give or take. */
const SENSITIVITY_REFLECTANCE = 0.1;
const TYPICAL_REACH = 0.8;
/** Metres between the surfaces of neighbouring beams that make an edge, which one beam may see both sides of. */
const EDGE_GAP = { least: 0.3, most: 4 };

/**
 * A LiDAR that turns clockwise (seen from above) and fires one column of beams after the other, beginning
 * straight behind the vehicle. Each column is measured from where the sensor is, and in the sensor's frame,
 * at the column's own time; the stamp is the time of the first column.
 */
export class SpinningLidar {
  readonly #options: SpinningLidarOptions;
  readonly #response: LidarResponse;
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  readonly #hit = new Hit();
  readonly #sample = new SurfaceSample();

  constructor(options: SpinningLidarOptions) {
    this.#options = options;
    this.#response = options.response ?? STANDARD_RESPONSE;
    this.#cosine = Float64Array.from(options.preset.elevations, Math.cos);
    this.#sine = Float64Array.from(options.preset.elevations, Math.sin);
  }

  /**
   * One turn that begins at `time` (seconds after the world's start).
   * `sensorAt` gives world_T_lidar (column-major 4x4) at a time; it is asked once per column.
   * The cloud is unorganized: x, y, z (metres), intensity (0..1), time (seconds after `stamp`), ring, ground_truth (class id).
   * `stamp` is in nanoseconds; `scanIndex` chooses the noise. `seen` is told of every point on a vehicle or person.
   */
  scan(
    world: World,
    time: number,
    stamp: bigint,
    scanIndex: number,
    sensorAt: (time: number) => Float64Array,
    seen?: SeenObjects,
  ): PointCloud2 {
    const { preset, columns, period, frozen, ideal, frameId } = this.#options;
    const beams = preset.elevations.length;
    const data = new Uint8Array(columns * beams * POINT_STEP);
    const view = new DataView(data.buffer);
    const random = new Random(world.seed, 1000 + scanIndex);
    const response = this.#response;
    // Each beam's range in the column before; NaN where it met nothing or was lost.
    const beside = new Float64Array(beams).fill(NaN);
    const hit = this.#hit;
    const sample = this.#sample;
    let count = 0;
    let pose = sensorAt(time);
    world.setTime(time);
    for (let column = 0; column < columns; column++) {
      const offset = (period * column) / columns;
      if (!frozen) {
        world.setTime(time + offset);
        pose = sensorAt(time + offset);
      }
      const azimuth = Math.PI - (2 * Math.PI * column) / columns;
      const cosAzimuth = Math.cos(azimuth);
      const sinAzimuth = Math.sin(azimuth);
      const ox = pose[12]!;
      const oy = pose[13]!;
      const oz = pose[14]!;
      for (let ring = 0; ring < beams; ring++) {
        const before = beside[ring]!;
        beside[ring] = NaN;
        const x = this.#cosine[ring]! * cosAzimuth;
        const y = this.#cosine[ring]! * sinAzimuth;
        const z = this.#sine[ring]!;
        const dx = pose[0]! * x + pose[4]! * y + pose[8]! * z;
        const dy = pose[1]! * x + pose[5]! * y + pose[9]! * z;
        const dz = pose[2]! * x + pose[6]! * y + pose[10]! * z;
        if (!world.cast(ox, oy, oz, dx, dy, dz, preset.maximumRange, hit)) {
          continue;
        }
        const range = hit.distance;
        if (range < preset.minimumRange) {
          continue;
        }
        const px = ox + dx * range;
        const py = oy + dy * range;
        const classId = world.sampleSurface(hit, px, py, 1, sample);
        const facing = Math.abs(dx * hit.normalX + dy * hit.normalY + dz * hit.normalZ);
        let intensity = intensityOf(response, sample.reflectance, facing, range, preset.maximumRange);
        let measured = range;
        if (!ideal) {
          if (this.#isLost(random, range, facing)) {
            continue;
          }
          measured += response.rangeNoise * preset.rangeNoise * random.normal();
          intensity *= 1 + response.noiseShare * random.normal();
          intensity += response.noiseFloor * random.normal();
          if (response.mixed > 0) {
            measured += mixedPart(random, response.mixed, before - range);
            beside[ring] = range;
          }
        }
        const at = count * POINT_STEP;
        view.setFloat32(at, x * measured, true);
        view.setFloat32(at + 4, y * measured, true);
        view.setFloat32(at + 8, z * measured, true);
        view.setFloat32(at + 12, Math.min(1, Math.max(0, intensity)), true);
        view.setFloat32(at + 16, frozen ? 0 : offset, true);
        view.setUint16(at + 20, ring, true);
        view.setUint8(at + 22, classId);
        count++;
        if (seen !== undefined) {
          const object = world.objectOf(hit);
          if (object >= 0) seen.add(object, frozen ? 0 : offset);
        }
      }
    }
    return {
      header: { stamp, frameId },
      height: 1,
      width: count,
      fields: FIELDS,
      isBigEndian: false,
      pointStep: POINT_STEP,
      rowStep: count * POINT_STEP,
      data: data.slice(0, count * POINT_STEP),
      isDense: true,
    };
  }

  /** Does too little light come back? Dark, slanted, far and mirroring surfaces are often lost. */
  #isLost(random: Random, range: number, facing: number): boolean {
    const { maximumRange } = this.#options.preset;
    const light = this.#sample.reflectance * Math.sqrt(facing) * (1 - this.#sample.mirror);
    const reach = TYPICAL_REACH * maximumRange * Math.sqrt(light / SENSITIVITY_REFLECTANCE);
    const draw = random.next();
    return (
      draw < this.#response.loss + 0.5 * this.#sample.mirror ** 0.7 || range > reach * (0.75 + 0.5 * draw)
    );
  }
}

/** Metres that an echo of two surfaces is shifted towards the other one, `gap` metres farther (NaN: there is none); mostly 0. */
function mixedPart(random: Random, share: number, gap: number): number {
  const size = Math.abs(gap);
  // NaN is no edge.
  if (!(size >= EDGE_GAP.least && size <= EDGE_GAP.most) || !random.chance(share)) return 0;
  return gap * random.uniform(0, 0.5);
}
