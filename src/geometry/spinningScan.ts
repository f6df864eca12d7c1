export interface SpinningScanOptions {
  /** Points of the scan; every beam returns. A multiple of `rings`. */
  readonly pointCount: number;
  /** Beams one above the other, evenly spread from -24.8 to 2 degrees as in an HDL-64E. */
  readonly rings: number;
  readonly seed: number;
}

const LOWEST_BEAM = (-24.8 * Math.PI) / 180;
const HIGHEST_BEAM = (2 * Math.PI) / 180;
const SENSOR_HEIGHT = 1.73;
const KERB = { distance: 6, height: 0.15 };
const RANGE_NOISE = 0.02;
/** Half the length and width of the street, closed by walls on all sides. */
const STREET = { halfLength: 80, halfWidth: 18 };

/** An upright box on the ground: minima and maxima in x and y, and the top in metres. */
interface Box {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly top: number;
}

/**
 * A scan of a street canyon with buildings, cars and poles, in firing order (column after column), for
 * benchmarks: the density, the rings on the ground and the surfaces of a real scan, with no world model.
 * @returns [N, 3] metres in the sensor's frame
 */
export function spinningScan({ pointCount, rings, seed }: SpinningScanOptions): Float32Array {
  const random = mulberry32(seed);
  const boxes = streetFurniture(random);
  const columns = pointCount / rings;
  if (!Number.isInteger(columns)) {
    throw new RangeError(`pointCount ${pointCount} is no multiple of rings ${rings}.`);
  }
  const xyz = new Float32Array(3 * pointCount);
  let point = 0;
  for (let column = 0; column < columns; column++) {
    const azimuth = (2 * Math.PI * column) / columns;
    const cos = Math.cos(azimuth);
    const sin = Math.sin(azimuth);
    const nearby = boxes.map((box) => enter(box, cos, sin));
    for (let ring = 0; ring < rings; ring++) {
      const slope = Math.tan(LOWEST_BEAM + ((HIGHEST_BEAM - LOWEST_BEAM) * ring) / Math.max(rings - 1, 1));
      const distance = horizontalDistance(slope, cos, sin, boxes, nearby) + RANGE_NOISE * gaussian(random);
      xyz[point++] = distance * cos;
      xyz[point++] = distance * sin;
      xyz[point++] = distance * slope;
    }
  }
  return xyz;
}

/** Distance in the plane to the first surface along a beam that starts at the origin. */
function horizontalDistance(
  slope: number,
  cos: number,
  sin: number,
  boxes: readonly Box[],
  entries: readonly number[],
): number {
  let nearest = Math.min(STREET.halfLength / Math.abs(cos), STREET.halfWidth / Math.abs(sin));
  if (slope < 0) {
    const ground = SENSOR_HEIGHT / -slope;
    const onPavement = Math.abs(ground * sin) > KERB.distance;
    nearest = Math.min(nearest, onPavement ? (SENSOR_HEIGHT - KERB.height) / -slope : ground);
  }
  for (const [index, entry] of entries.entries()) {
    if (entry < nearest && entry * slope < boxes[index]!.top - SENSOR_HEIGHT) nearest = entry;
  }
  return nearest;
}

/** Distance in the plane at which a ray from the origin enters a box, Infinity when it passes by. */
function enter({ x, y }: Box, cos: number, sin: number): number {
  const alongX = [x[0] / cos, x[1] / cos];
  const alongY = [y[0] / sin, y[1] / sin];
  const entry = Math.max(Math.min(...alongX), Math.min(...alongY));
  const exit = Math.min(Math.max(...alongX), Math.max(...alongY));
  return entry > 0 && entry < exit ? entry : Infinity;
}

function streetFurniture(random: () => number): Box[] {
  const boxes: Box[] = [];
  const add = (x: number, y: number, length: number, width: number, top: number): void => {
    boxes.push({ x: [x - length / 2, x + length / 2], y: [y - width / 2, y + width / 2], top });
  };
  for (const side of [-1, 1]) {
    for (let x = -75; x < 75; x += 12 + 6 * random())
      add(x, side * (13 + 3 * random()), 10, 6, 4 + 8 * random());
    for (let x = -60; x < 60; x += 5 + 8 * random()) add(x, side * (4.6 + 0.4 * random()), 4.2, 1.8, 1.5);
    for (let x = -70; x < 70; x += 8 + 4 * random()) add(x, side * 7, 0.25, 0.25, 6);
  }
  return boxes;
}

/** A small seeded generator of numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box-Muller: a standard normal number. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
