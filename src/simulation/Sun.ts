import type { Random } from "./Random.js";

type Color = readonly [number, number, number];

/** Sunlight, sky light and haze of one drive; world frame, linear colours. */
export class Sun {
  /** Unit vector from the ground to the sun. */
  readonly direction: readonly [x: number, y: number, z: number];
  /** 0 under a closed cover of clouds, 1 under a clear sky. */
  readonly clearness: number;
  readonly sunlight: Color;
  readonly skylight: Color;
  readonly zenith: Color;
  readonly horizon: Color;
  /** Metres after which haze hides 63 % of a colour. */
  readonly visibility: number;
  readonly exposure: number;
  /** Standard deviation of the pixel noise, in steps of 8-bit colour. */
  readonly noise: number;

  constructor(random: Random) {
    const azimuth = random.uniform(0, 2 * Math.PI);
    const elevation = random.uniform(0.25, 1.15);
    this.direction = [
      Math.cos(azimuth) * Math.cos(elevation),
      Math.sin(azimuth) * Math.cos(elevation),
      Math.sin(elevation),
    ];
    this.clearness = random.chance(0.3) ? random.uniform(0, 0.25) : random.uniform(0.6, 1);
    const warm = 1 - Math.min(1, elevation / 0.7);
    const strength = 2.6 * this.clearness;
    this.sunlight = [strength, strength * (0.95 - 0.2 * warm), strength * (0.88 - 0.42 * warm)];
    const grey = 1 - this.clearness;
    this.skylight = [0.55 + 0.55 * grey, 0.65 + 0.47 * grey, 0.85 + 0.3 * grey];
    this.zenith = [0.22 + 0.6 * grey, 0.42 + 0.43 * grey, 0.85 + 0.05 * grey];
    this.horizon = [0.75 + 0.2 * warm, 0.8, 0.88 - 0.15 * warm];
    this.visibility = random.chance(0.15) ? random.uniform(80, 250) : random.uniform(300, 1500);
    this.exposure = random.uniform(0.75, 1.3);
    this.noise = random.uniform(0.8, 4);
  }
}
