import { Hit } from "./Hit.js";
import { hash, valueNoise } from "./Random.js";
import type { PinholeCamera } from "./PinholeCamera.js";
import { SurfaceSample } from "./SurfaceSample.js";
import type { World } from "./World.js";

/** Metres to which the camera looks. */
const VIEW_RANGE = 250;
/** Metres to which things cast shadows. */
const SHADOW_RANGE = 60;
/** Metres at which the grain of surfaces has faded out. */
const GRAIN_RANGE = 35;
/** Entries of the table for gamma 2.2. */
const GAMMA_STEPS = 4096;

/** What one exposure gives, row by row from the top left. */
export interface Exposure {
  /** rgb8 */
  readonly color: Uint8Array;
  /** Metres along the optical axis, 0 where nothing was met. */
  readonly depth: Float32Array;
  /** Class ids; 0 for the sky and for what has no class. */
  readonly semantic: Uint8Array;
  /** Ids of what is one thing, from 1 in order of appearance, 0 for the sky: vehicles, people, other solids, ground by class. */
  readonly regions: Uint16Array;
}

/** A camera with a global shutter that looks at a World: sun with shadows, sky light, haze, sensor noise. */
export class StreetCamera {
  readonly model: PinholeCamera;
  readonly #hit = new Hit();
  readonly #shadow = new Hit();
  readonly #sample = new SurfaceSample();
  readonly #sky = new Float64Array(3);
  readonly #gamma = new Uint8Array(GAMMA_STEPS);

  constructor(model: PinholeCamera) {
    this.model = model;
    for (let step = 0; step < GAMMA_STEPS; step++) {
      this.#gamma[step] = Math.round(255 * Math.pow(step / (GAMMA_STEPS - 1), 1 / 2.2));
    }
  }

  /** Renders the world at its current time; `pose` is world_T_optical (column-major 4x4). */
  expose(world: World, pose: Float64Array, frame: number): Exposure {
    const { width, height, directions } = this.model;
    const color = new Uint8Array(width * height * 3);
    const depth = new Float32Array(width * height);
    const semantic = new Uint8Array(width * height);
    const regions = new Uint16Array(width * height);
    const ids = new Map<number, number>();
    const { sun } = world;
    const hit = this.#hit;
    const sample = this.#sample;
    const [sunX, sunY, sunZ] = sun.direction;
    const ox = pose[12]!;
    const oy = pose[13]!;
    const oz = pose[14]!;
    let noise = hash(world.seed, frame, 77, 5);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const x = directions[pixel * 3]!;
      const y = directions[pixel * 3 + 1]!;
      const z = directions[pixel * 3 + 2]!;
      const dx = pose[0]! * x + pose[4]! * y + pose[8]! * z;
      const dy = pose[1]! * x + pose[5]! * y + pose[9]! * z;
      const dz = pose[2]! * x + pose[6]! * y + pose[10]! * z;
      let red: number;
      let green: number;
      let blue: number;
      if (world.cast(ox, oy, oz, dx, dy, dz, VIEW_RANGE, hit)) {
        const t = hit.distance;
        const px = ox + dx * t;
        const py = oy + dy * t;
        const pz = oz + dz * t;
        const detail = Math.max(0, 1 - t / GRAIN_RANGE);
        depth[pixel] = t * z;
        const classId = world.sampleSurface(hit, px, py, detail, sample);
        semantic[pixel] = classId;
        const thing = world.thingOf(hit, classId);
        let id = ids.get(thing);
        if (id === undefined) ids.set(thing, (id = ids.size + 1));
        regions[pixel] = id;
        const { normalX, normalY, normalZ } = hit;
        let sunlit = normalX * sunX + normalY * sunY + normalZ * sunZ;
        if (sunlit > 0 && sun.clearness > 0.1) {
          // Rays to the sun start off the surface by more than rounding moves the point that was hit.
          const lift = 2e-3 + t * 1e-4;
          if (
            world.occluded(
              px + normalX * lift,
              py + normalY * lift,
              pz + normalZ * lift,
              sunX,
              sunY,
              sunZ,
              SHADOW_RANGE,
              this.#shadow,
            )
          ) {
            sunlit = 0;
          }
        }
        sunlit = Math.max(0, sunlit);
        const open = 0.55 + 0.45 * normalZ;
        red = sample.red * (sunlit * sun.sunlight[0] + open * sun.skylight[0]);
        green = sample.green * (sunlit * sun.sunlight[1] + open * sun.skylight[1]);
        blue = sample.blue * (sunlit * sun.sunlight[2] + open * sun.skylight[2]);
        if (sample.mirror > 0) {
          const along = 2 * (dx * normalX + dy * normalY + dz * normalZ);
          this.#lookAtSky(world, dx - along * normalX, dy - along * normalY, Math.abs(dz - along * normalZ));
          red += sample.mirror * (this.#sky[0]! - red);
          green += sample.mirror * (this.#sky[1]! - green);
          blue += sample.mirror * (this.#sky[2]! - blue);
        }
        const haze = 1 - Math.exp(-t / sun.visibility);
        red += haze * (sun.horizon[0] - red);
        green += haze * (sun.horizon[1] - green);
        blue += haze * (sun.horizon[2] - blue);
      } else {
        this.#lookAtSky(world, dx, dy, dz);
        red = this.#sky[0]!;
        green = this.#sky[1]!;
        blue = this.#sky[2]!;
      }
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      // The sum of two even draws is triangular; 2.45 makes its standard deviation of 0.408 one.
      const grain = (((noise & 0xffff) + (noise >>> 16)) / 65535 - 1) * 2.45 * sun.noise;
      color[pixel * 3] = this.#develop(red * sun.exposure) + grain;
      color[pixel * 3 + 1] = this.#develop(green * sun.exposure) + grain;
      color[pixel * 3 + 2] = this.#develop(blue * sun.exposure) + grain;
    }
    return { color, depth, semantic, regions };
  }

  /** Film curve and gamma, kept far enough from 0 and 255 that the noise does not wrap around. */
  #develop(light: number): number {
    const value = this.#gamma[Math.floor((1 - Math.exp(-1.1 * light)) * (GAMMA_STEPS - 1))]!;
    return Math.min(240, Math.max(12, value));
  }

  #lookAtSky(world: World, dx: number, dy: number, dz: number): void {
    const { sun } = world;
    const up = Math.sqrt(Math.max(0, dz));
    const [sunX, sunY, sunZ] = sun.direction;
    const nearSun = Math.max(0, dx * sunX + dy * sunY + dz * sunZ);
    const glow = sun.clearness * (0.35 * nearSun ** 12 + (nearSun > 0.9996 ? 3 : 0));
    // Clouds on a plane high above.
    const spread = 1 / (Math.max(0, dz) + 0.12);
    const cloud = valueNoise(dx * spread * 2.5, dy * spread * 2.5, world.seed);
    const fluff = valueNoise(dx * spread * 7, dy * spread * 7, world.seed + 1);
    const cover = Math.min(1, Math.max(0, (0.7 * cloud + 0.3 * fluff - 0.5 * sun.clearness) * 2.2)) * 0.85;
    for (let channel = 0; channel < 3; channel++) {
      const clear = sun.horizon[channel]! + up * (sun.zenith[channel]! - sun.horizon[channel]!);
      const white = 0.75 + 0.2 * fluff;
      this.#sky[channel] = clear + cover * (white - clear) + glow;
    }
  }
}
