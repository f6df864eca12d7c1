import type { Hit } from "./Hit.js";
import { Material } from "./Material.js";
import { hash, hashUnit, valueNoise } from "./Random.js";
import { SignFace } from "./streetFurniture.js";
import type { SolidSet } from "./SolidSet.js";
import type { SurfaceSample } from "./SurfaceSample.js";

/** The look of a solid where it was hit; `detail` as for `sampleGround`. */
export function sampleSolid(set: SolidSet, hit: Hit, detail: number, out: SurfaceSample): void {
  const index = hit.solid;
  const seed = set.seed[index]!;
  const { color } = set;
  out.set(color[index * 3]!, color[index * 3 + 1]!, color[index * 3 + 2]!);
  out.reflectance = set.reflectance[index]!;
  out.mirror = 0;
  const x = hit.localX;
  const y = hit.localY;
  const z = hit.localZ;
  switch (set.material[index]! as Material) {
    case Material.PLAIN:
    case Material.LAMP:
      return;
    case Material.VEHICLE_PAINT:
      out.mirror = 0.07;
      return;
    case Material.GLASS:
      out.mirror = 0.45;
      return;
    case Material.FACADE:
      sampleFacade(set, hit, seed, detail, out);
      return;
    case Material.ROOF: {
      const course = Math.floor(z * 4);
      out.scale(0.8 + 0.3 * hashUnit(course, Math.floor(x * 3 + (course & 1) * 0.5), seed, 3) * detail);
      return;
    }
    case Material.BARK:
      out.scale(0.7 + 0.6 * valueNoise(Math.atan2(y, x) * 6, z * 3, seed));
      return;
    case Material.LEAVES: {
      const shade = (hit.leaf & 1023) / 1023;
      out.scale(0.55 + 0.9 * shade);
      out.reflectance *= 0.7 + 0.6 * shade;
      return;
    }
    case Material.PLANKS: {
      const plank = Math.floor(x / set.parameters[index * 2]!);
      out.scale(0.75 + 0.5 * hashUnit(plank, 0, seed, 1));
      if (x / set.parameters[index * 2]! - plank < 0.08) {
        out.scale(0.5);
      }
      return;
    }
    case Material.BARS:
    case Material.MESH:
      return;
    case Material.BRICK:
      brick(hit.axis === 0 ? y : x, z, seed, detail, out);
      return;
    case Material.SIGN:
      sampleSign(set, hit, out);
      return;
    case Material.BOARD:
      sampleBoard(set, hit, out);
      return;
    case Material.CLOTH:
      out.scale(0.85 + 0.3 * valueNoise(x * 8 + y * 8, z * 8, seed));
      return;
  }
}

function brick(u: number, v: number, seed: number, detail: number, out: SurfaceSample): void {
  const row = Math.floor(v / 0.08);
  const along = u / 0.24 + (row & 1) * 0.5;
  const column = Math.floor(along);
  const joint = v - row * 0.08 < 0.012 || (along - column) * 0.24 < 0.012;
  out.scale(1 + detail * (0.3 * (hashUnit(row, column, seed, 4) - 0.5) + (joint ? 0.45 : 0)));
}

/** Walls with rows of windows, a door, and plaster or bricks between. */
function sampleFacade(set: SolidSet, hit: Hit, seed: number, detail: number, out: SurfaceSample): void {
  const index = hit.solid;
  const pitch = set.parameters[index * 2]!;
  const floorHeight = set.parameters[index * 2 + 1]!;
  const height = hit.localZ + set.half[index * 3 + 2]! - 2;
  const u = hit.axis === 0 ? hit.localY : hit.localX;
  const halfWidth = hit.axis === 0 ? set.half[index * 3 + 1]! : set.half[index * 3]!;
  const isBrick = out.red > out.blue * 1.6;
  if (isBrick) {
    brick(u, height, seed, detail, out);
  } else {
    out.scale(0.92 + 0.16 * valueNoise(u * 1.5, height * 1.5, seed));
  }
  if (height < 0.5) {
    out.scale(0.6);
  }
  const floor = Math.floor(height / floorHeight);
  const column = Math.floor((u + halfWidth) / pitch);
  const inFloor = height - floor * floorHeight;
  const inColumn = u + halfWidth - column * pitch;
  const top = set.half[index * 3 + 2]! * 2 - 2;
  if (hit.axis === 2 || (floor + 1) * floorHeight > top + 0.3 || (column + 1) * pitch > 2 * halfWidth) {
    return;
  }
  const door = floor === 0 && hash(column, 7, seed, 0) % 5 === 0;
  const left = pitch * 0.25;
  const right = pitch * 0.75;
  const bottom = door ? 0.05 : 0.95;
  const high = 2.25;
  if (inColumn < left || inColumn > right || inFloor < bottom || inFloor > high) {
    return;
  }
  if (door) {
    const tone = hashUnit(column, 3, seed, 1);
    out.set(0.12 + 0.25 * tone, 0.08 + 0.1 * tone, 0.06);
    return;
  }
  const frame = Math.min(inColumn - left, right - inColumn, inFloor - bottom, high - inFloor);
  if (frame < 0.07 || Math.abs(inColumn - pitch / 2) < 0.03) {
    out.set(0.75, 0.74, 0.7);
    return;
  }
  const curtain = hashUnit(column, floor, seed, 6);
  if (curtain < 0.2 && inFloor > bottom + 0.7) {
    out.set(0.5, 0.48, 0.42);
  } else {
    out.set(0.03, 0.035, 0.045);
  }
  out.reflectance = 0.1;
  out.mirror = 0.5;
}

/** The painted face looks along the solid's -x (boxes) or its axis (discs); the back is bare metal. */
function sampleSign(set: SolidSet, hit: Hit, out: SurfaceSample): void {
  const index = hit.solid;
  const face = set.parameters[index * 2]! as SignFace;
  const disc = face === SignFace.RED_RING || face === SignFace.BLUE_DISC;
  const front = disc ? hit.axis === 2 && hit.localZ > 0 : hit.axis === 0 && hit.localX < 0;
  if (!front) {
    out.set(0.4, 0.4, 0.42);
    out.reflectance = 0.3;
    return;
  }
  // u to the side, v up, both -1..1; a disc's own x points up.
  const u = hit.localY / set.half[index * 3 + 1]!;
  const v = disc ? hit.localX / set.half[index * 3]! : hit.localZ / set.half[index * 3 + 2]!;
  const radius = Math.sqrt(u * u + v * v);
  const inner = Math.max(Math.abs(u), Math.abs(v));
  switch (face) {
    case SignFace.RED_RING:
      if (radius > 0.72) {
        out.set(0.65, 0.02, 0.03);
      } else if (Math.abs(u) < 0.4 && Math.abs(v) < 0.3 && Math.abs(Math.abs(u) - 0.22) < 0.14) {
        out.set(0.04, 0.04, 0.04);
      }
      return;
    case SignFace.BLUE_DISC:
      out.set(0.02, 0.12, 0.55);
      if (Math.abs(u) < 0.14 && Math.abs(v) < 0.6) {
        out.set(0.8, 0.8, 0.8);
      }
      return;
    case SignFace.YELLOW_DIAMOND:
      if (inner < 0.75) {
        out.set(0.85, 0.6, 0.02);
      }
      return;
    case SignFace.WARNING:
      // The board's corners beyond the red triangle are grey.
      if (v > 1 - 2 * Math.abs(u)) {
        out.set(0.35, 0.35, 0.36);
      } else if (v > 0.6 - 2 * Math.abs(u) || v < -0.75) {
        out.set(0.65, 0.02, 0.03);
      }
      return;
    case SignFace.STOP:
      out.set(0.65, 0.02, 0.03);
      if (Math.abs(v) < 0.22 && Math.abs(u) < 0.75 && Math.abs(u * 4 - Math.round(u * 4)) > 0.15) {
        out.set(0.85, 0.85, 0.85);
      }
      return;
    case SignFace.DIRECTION:
      if (inner < 0.92) {
        out.set(0.75, 0.6, 0.03);
        if (Math.abs(v) < 0.3 && Math.abs(u) < 0.75 && Math.abs(u * 6 - Math.round(u * 6)) > 0.2) {
          out.set(0.04, 0.04, 0.04);
        }
      }
      return;
    case SignFace.PARKING:
      out.set(0.02, 0.12, 0.55);
      if (
        inner > 0.9 ||
        (u > -0.35 && u < -0.1 && Math.abs(v) < 0.6) ||
        (radius < 0.5 && v > 0 && u > -0.2)
      ) {
        out.set(0.85, 0.85, 0.85);
      }
      return;
  }
}

/** Advertisements: a muted picture of blocks and lines of text, the same on both sides. */
function sampleBoard(set: SolidSet, hit: Hit, out: SurfaceSample): void {
  const index = hit.solid;
  const seed = set.seed[index]!;
  const u = hit.localY / set.half[index * 3 + 1]!;
  const v = hit.localZ / set.half[index * 3 + 2]!;
  if (hit.axis !== 0 || Math.max(Math.abs(u), Math.abs(v)) > 0.93) {
    out.set(0.15, 0.15, 0.15);
    return;
  }
  const block = hash(Math.floor(u * 1.5 + 9), Math.floor(v * 2 + 9), seed, 2);
  const share = 0.6;
  out.red += share * ((block & 255) / 255 - out.red);
  out.green += share * (((block >>> 8) & 255) / 255 - out.green);
  out.blue += share * (((block >>> 16) & 255) / 255 - out.blue);
  out.scale(0.75);
  if (v < 0 && Math.abs(v * 4 - Math.round(v * 4)) < 0.2 && Math.abs(u) < 0.8) {
    out.scale(0.35);
  }
}
