import type { Hit } from "./Hit.js";
import { Material } from "./Material.js";
import { hash } from "./Random.js";
import { Shape, type SolidSet } from "./SolidSet.js";

/** Rays that start on a surface do not hit it again. */
const EPSILON = 1e-7;

/**
 * Tests one solid against a ray of unit direction in the set's frame; when it is hit nearer than
 * `hit.distance`, writes the hit (normal in the set's frame) and returns true.
 */
export function intersectSolid(
  set: SolidSet,
  index: number,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
  hit: Hit,
): boolean {
  const m = set.toUnit;
  const at = index * 12;
  const x = m[at]! * ox + m[at + 1]! * oy + m[at + 2]! * oz + m[at + 3]!;
  const y = m[at + 4]! * ox + m[at + 5]! * oy + m[at + 6]! * oz + m[at + 7]!;
  const z = m[at + 8]! * ox + m[at + 9]! * oy + m[at + 10]! * oz + m[at + 11]!;
  const u = m[at]! * dx + m[at + 1]! * dy + m[at + 2]! * dz;
  const v = m[at + 4]! * dx + m[at + 5]! * dy + m[at + 6]! * dz;
  const w = m[at + 8]! * dx + m[at + 9]! * dy + m[at + 10]! * dz;
  switch (set.shape[index] as Shape) {
    case Shape.BOX:
      return intersectBox(set, index, x, y, z, u, v, w, hit);
    case Shape.ELLIPSOID:
      return intersectSphere(set, index, x, y, z, u, v, w, hit);
    case Shape.CYLINDER:
      return intersectCylinder(set, index, x, y, z, u, v, w, hit);
    case Shape.TAPERED_BOX:
      return intersectTaperedBox(set, index, x, y, z, u, v, w, hit);
    case Shape.LEAF_ELLIPSOID:
    case Shape.LEAF_BOX:
      return intersectLeaves(set, index, x, y, z, u, v, w, hit);
  }
}

function intersectBox(
  set: SolidSet,
  index: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  hit: Hit,
): boolean {
  const iu = 1 / (Math.abs(u) < 1e-12 ? 1e-12 : u);
  const iv = 1 / (Math.abs(v) < 1e-12 ? 1e-12 : v);
  const iw = 1 / (Math.abs(w) < 1e-12 ? 1e-12 : w);
  const nearX = -x * iu - Math.abs(iu);
  const nearY = -y * iv - Math.abs(iv);
  const nearZ = -z * iw - Math.abs(iw);
  const near = Math.max(nearX, nearY, nearZ);
  const far = Math.min(-x * iu + Math.abs(iu), -y * iv + Math.abs(iv), -z * iw + Math.abs(iw));
  if (near > far || near < EPSILON || near >= hit.distance) {
    return false;
  }
  if (near === nearX) {
    return accept(set, index, near, x, y, z, u, v, w, u > 0 ? -1 : 1, 0, 0, 0, hit);
  }
  if (near === nearY) {
    return accept(set, index, near, x, y, z, u, v, w, 0, v > 0 ? -1 : 1, 0, 1, hit);
  }
  return accept(set, index, near, x, y, z, u, v, w, 0, 0, w > 0 ? -1 : 1, 2, hit);
}

function intersectSphere(
  set: SolidSet,
  index: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  hit: Hit,
): boolean {
  const a = u * u + v * v + w * w;
  const b = x * u + y * v + z * w;
  const c = x * x + y * y + z * z - 1;
  const discriminant = b * b - a * c;
  if (discriminant < 0) {
    return false;
  }
  const t = (-b - Math.sqrt(discriminant)) / a;
  if (t < EPSILON || t >= hit.distance) {
    return false;
  }
  return accept(set, index, t, x, y, z, u, v, w, x + u * t, y + v * t, z + w * t, 0, hit);
}

function intersectCylinder(
  set: SolidSet,
  index: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  hit: Hit,
): boolean {
  const a = u * u + v * v;
  const b = x * u + y * v;
  const c = x * x + y * y - 1;
  const discriminant = b * b - a * c;
  if (discriminant < 0) {
    return false;
  }
  if (a > 1e-14) {
    const t = (-b - Math.sqrt(discriminant)) / a;
    if (t >= hit.distance) {
      return false;
    }
    const height = z + w * t;
    if (t > EPSILON && height >= -1 && height <= 1) {
      return accept(set, index, t, x, y, z, u, v, w, x + u * t, y + v * t, 0, 0, hit);
    }
  }
  if (w === 0) {
    return false;
  }
  const t = ((w > 0 ? -1 : 1) - z) / w;
  const px = x + u * t;
  const py = y + v * t;
  if (t < EPSILON || t >= hit.distance || px * px + py * py > 1) {
    return false;
  }
  return accept(set, index, t, x, y, z, u, v, w, 0, 0, w > 0 ? -1 : 1, 2, hit);
}

function intersectTaperedBox(
  set: SolidSet,
  index: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  hit: Hit,
): boolean {
  const taperX = 1 - set.form[index * 3]!;
  const taperY = 1 - set.form[index * 3 + 1]!;
  const shift = set.form[index * 3 + 2]!;
  let near = -Infinity;
  let far = Infinity;
  let side = 0;
  // A point is inside when n.p <= 1 for six planes; z is measured from the bottom, halved, for the leaning four.
  for (let plane = 0; plane < 6; plane++) {
    let slope: number;
    let value: number;
    let speed: number;
    if (plane < 2) {
      const sign = plane === 0 ? 1 : -1;
      slope = (taperX - sign * shift) / 2;
      value = 1 - sign * x - slope * (z + 1);
      speed = sign * u + slope * w;
    } else if (plane < 4) {
      const sign = plane === 2 ? 1 : -1;
      slope = taperY / 2;
      value = 1 - sign * y - slope * (z + 1);
      speed = sign * v + slope * w;
    } else {
      const sign = plane === 4 ? 1 : -1;
      value = 1 - sign * z;
      speed = sign * w;
    }
    if (speed < 0) {
      const t = value / speed;
      if (t > near) {
        near = t;
        side = plane;
      }
    } else if (speed > 0) {
      far = Math.min(far, value / speed);
    } else if (value < 0) {
      return false;
    }
  }
  if (near > far || near < EPSILON || near >= hit.distance) {
    return false;
  }
  const sign = side % 2 === 0 ? 1 : -1;
  if (side < 2) {
    return accept(set, index, near, x, y, z, u, v, w, sign, 0, (taperX - sign * shift) / 2, 0, hit);
  }
  if (side < 4) {
    return accept(set, index, near, x, y, z, u, v, w, 0, sign, taperY / 2, 1, hit);
  }
  return accept(set, index, near, x, y, z, u, v, w, 0, 0, sign, 2, hit);
}

/**
 * A volume of leaves: a lattice whose cells hold, by the hash of their place, a ball or nothing. What a ray
 * meets depends on the place alone, so that all sensors see the same plant.
 */
function intersectLeaves(
  set: SolidSet,
  index: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  hit: Hit,
): boolean {
  const round = set.shape[index] === Shape.LEAF_ELLIPSOID;
  let enter: number;
  let leave: number;
  if (round) {
    const a = u * u + v * v + w * w;
    const b = x * u + y * v + z * w;
    const c = x * x + y * y + z * z - 1;
    const discriminant = b * b - a * c;
    if (discriminant <= 0) {
      return false;
    }
    const root = Math.sqrt(discriminant);
    enter = (-b - root) / a;
    leave = (-b + root) / a;
  } else {
    const iu = 1 / (Math.abs(u) < 1e-12 ? 1e-12 : u);
    const iv = 1 / (Math.abs(v) < 1e-12 ? 1e-12 : v);
    const iw = 1 / (Math.abs(w) < 1e-12 ? 1e-12 : w);
    enter = Math.max(-x * iu - Math.abs(iu), -y * iv - Math.abs(iv), -z * iw - Math.abs(iw));
    leave = Math.min(-x * iu + Math.abs(iu), -y * iv + Math.abs(iv), -z * iw + Math.abs(iw));
  }
  enter = Math.max(enter, EPSILON);
  leave = Math.min(leave, hit.distance);
  if (enter >= leave) {
    return false;
  }
  const cell = set.form[index * 3 + 1]!;
  const limit = set.form[index * 3]! * 4294967296;
  const seed = set.seed[index]!;
  // Lattice coordinates: metres of the solid's own axes divided by the cell.
  const sx = set.half[index * 3]! / cell;
  const sy = set.half[index * 3 + 1]! / cell;
  const sz = set.half[index * 3 + 2]! / cell;
  const px = x * sx;
  const py = y * sy;
  const pz = z * sz;
  const qx = u * sx;
  const qy = v * sy;
  const qz = w * sz;
  let i = Math.floor(px + qx * enter);
  let j = Math.floor(py + qy * enter);
  let k = Math.floor(pz + qz * enter);
  const stepI = qx > 0 ? 1 : -1;
  const stepJ = qy > 0 ? 1 : -1;
  const stepK = qz > 0 ? 1 : -1;
  const deltaI = qx === 0 ? Infinity : Math.abs(1 / qx);
  const deltaJ = qy === 0 ? Infinity : Math.abs(1 / qy);
  const deltaK = qz === 0 ? Infinity : Math.abs(1 / qz);
  let nextI = qx === 0 ? Infinity : (i + (qx > 0 ? 1 : 0) - px) / qx;
  let nextJ = qy === 0 ? Infinity : (j + (qy > 0 ? 1 : 0) - py) / qy;
  let nextK = qz === 0 ? Infinity : (k + (qz > 0 ? 1 : 0) - pz) / qz;
  const qq = qx * qx + qy * qy + qz * qz;
  let t = enter;
  while (t < leave) {
    const end = Math.min(nextI, nextJ, nextK, leave);
    const bits = hash(i, j, k, seed);
    if (bits < limit) {
      const ball = Math.imul(bits, 0x9e3779b1) >>> 0;
      const radius = 0.38 + 0.14 * ((ball & 255) / 255);
      const cx = px - i - 0.5 - 0.3 * (((ball >>> 8) & 255) / 255 - 0.5);
      const cy = py - j - 0.5 - 0.3 * (((ball >>> 16) & 255) / 255 - 0.5);
      const cz = pz - k - 0.5 - 0.3 * (((ball >>> 24) & 255) / 255 - 0.5);
      const b = cx * qx + cy * qy + cz * qz;
      const discriminant = b * b - qq * (cx * cx + cy * cy + cz * cz - radius * radius);
      if (discriminant > 0) {
        const root = Math.sqrt(discriminant);
        // The part of the ball inside its cell (and the volume) counts.
        const first = Math.max((-b - root) / qq, t);
        if (first < Math.min((-b + root) / qq, end)) {
          const nx = (cx + qx * first) * sx;
          const ny = (cy + qy * first) * sy;
          const nz = (cz + qz * first) * sz;
          hit.leaf = ball;
          return accept(set, index, first, x, y, z, u, v, w, nx, ny, nz, 0, hit);
        }
      }
    }
    t = end;
    if (nextI <= nextJ && nextI <= nextK) {
      i += stepI;
      nextI += deltaI;
    } else if (nextJ <= nextK) {
      j += stepJ;
      nextJ += deltaJ;
    } else {
      k += stepK;
      nextK += deltaK;
    }
  }
  return false;
}

function accept(
  set: SolidSet,
  index: number,
  t: number,
  x: number,
  y: number,
  z: number,
  u: number,
  v: number,
  w: number,
  nx: number,
  ny: number,
  nz: number,
  axis: number,
  hit: Hit,
): boolean {
  const localX = (x + u * t) * set.half[index * 3]!;
  const localY = (y + v * t) * set.half[index * 3 + 1]!;
  const localZ = (z + w * t) * set.half[index * 3 + 2]!;
  if (isHole(set, index, localX, localZ)) {
    return false;
  }
  const m = set.toUnit;
  const at = index * 12;
  const gx = m[at]! * nx + m[at + 4]! * ny + m[at + 8]! * nz;
  const gy = m[at + 1]! * nx + m[at + 5]! * ny + m[at + 9]! * nz;
  const gz = m[at + 2]! * nx + m[at + 6]! * ny + m[at + 10]! * nz;
  const scale = 1 / Math.sqrt(gx * gx + gy * gy + gz * gz);
  hit.distance = t;
  hit.solid = index;
  hit.normalX = gx * scale;
  hit.normalY = gy * scale;
  hit.normalZ = gz * scale;
  hit.localX = localX;
  hit.localY = localY;
  hit.localZ = localZ;
  hit.axis = axis;
  return true;
}

/** Fences let rays through between bars, planks and wires; x runs along the fence and z up, in metres. */
function isHole(set: SolidSet, index: number, x: number, z: number): boolean {
  const material = set.material[index]! as Material;
  if (material !== Material.BARS && material !== Material.PLANKS && material !== Material.MESH) {
    return false;
  }
  const pitch = set.parameters[index * 2]!;
  const filled = set.parameters[index * 2 + 1]!;
  const top = set.half[index * 3 + 2]!;
  const along = x / pitch - Math.floor(x / pitch);
  const rail =
    material !== Material.PLANKS && (Math.abs(z - top * 0.85) < 0.03 || Math.abs(z + top * 0.7) < 0.03);
  if (material === Material.MESH) {
    const up = z / pitch - Math.floor(z / pitch);
    return along > filled && up > filled && !rail;
  }
  return along > filled && !rail;
}
