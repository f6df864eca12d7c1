import type { Random } from "./Random.js";
import { Zone } from "./StreetLayout.js";
import type { StreetStyle } from "./StreetStyle.js";

type Color = readonly [number, number, number];

/** How the ground of one world looks, and how it returns a LiDAR's light. Colours are linear albedos. */
export class Palette {
  readonly asphalt: Color;
  readonly parking: Color;
  readonly parkingPattern: "asphalt" | "pavers";
  readonly bayLine: Color;
  readonly slab: Color;
  /** Length and width of a sidewalk's slabs in metres. */
  readonly slabSize: readonly [number, number];
  readonly kerb: Color;
  readonly grass: Color;
  readonly dryGrass: Color;
  readonly gravel: Color;
  readonly markingWear: number;
  /** LiDAR reflectance per zone: nearly the same for all that is paved. */
  readonly reflectance: Readonly<Record<Zone, number>>;
  readonly seed: number;

  constructor(random: Random, style: StreetStyle = "standard") {
    const road = random.uniform(0.07, 0.15);
    this.asphalt = [road, road, road * random.uniform(0.98, 1.08)];
    this.parkingPattern = random.pick(["asphalt", "pavers"]);
    const bay = random.uniform(0.12, 0.24);
    this.parking =
      this.parkingPattern === "pavers"
        ? random.pick([
            [0.34, 0.19, 0.15],
            [0.3, 0.22, 0.16],
            [0.22, 0.16, 0.2],
          ])
        : random.pick([
            [bay * 1.15, bay * 0.85, bay * 0.75],
            [bay * 0.72, bay * 0.85, bay * 1.1],
          ]);
    this.bayLine = random.pick([
      [0.8, 0.8, 0.78],
      [0.75, 0.6, 0.1],
      [0.15, 0.3, 0.7],
    ]);
    const slab = random.uniform(0.28, 0.5);
    this.slab = [slab * random.uniform(1, 1.12), slab, slab * random.uniform(0.8, 1)];
    this.slabSize = random.pick([
      [0.3, 0.3],
      [0.5, 0.5],
      [0.6, 0.4],
      [1.2, 0.9],
    ]);
    const kerb = random.uniform(0.35, 0.55);
    this.kerb = [kerb, kerb, kerb * 0.97];
    this.grass = [random.uniform(0.06, 0.14), random.uniform(0.15, 0.26), random.uniform(0.03, 0.07)];
    this.dryGrass = [random.uniform(0.22, 0.32), random.uniform(0.2, 0.27), random.uniform(0.09, 0.13)];
    this.gravel = random.pick([
      [0.38, 0.3, 0.21],
      [0.42, 0.36, 0.3],
      [0.3, 0.21, 0.13],
    ]);
    this.markingWear = random.uniform(0, 0.5);
    const paved = random.uniform(0.16, 0.3);
    const near = (): number => paved * random.uniform(0.85, 1.18);
    const reflectance = {
      [Zone.ROAD]: near(),
      [Zone.PARKING]: near(),
      [Zone.SIDEWALK]: near(),
      [Zone.KERB]: near(),
      [Zone.GRASS]: random.uniform(0.22, 0.45),
      [Zone.GRAVEL]: paved * random.uniform(0.9, 1.4),
      [Zone.ISLAND]: near(),
    };
    this.seed = random.integer(0, 1 << 30);
    if (style === "green") {
      // In real scans a sidewalk returns 1.2 (KITTI) to 3 times (nuScenes) what the road does.
      reflectance[Zone.SIDEWALK] = reflectance[Zone.ROAD] * random.uniform(0.95, 2.5);
      reflectance[Zone.KERB] = reflectance[Zone.SIDEWALK] * random.uniform(0.9, 1.2);
      reflectance[Zone.PARKING] = reflectance[Zone.ROAD] * random.uniform(0.9, 1.6);
    }
    this.reflectance = reflectance;
  }
}
