import type { Palette } from "./Palette.js";
import { hashUnit, valueNoise } from "./Random.js";
import { Zone, type GroundPlace, type StreetLayout } from "./StreetLayout.js";
import type { SurfaceSample } from "./SurfaceSample.js";

/**
 * The look of the ground at street coordinates s, d (metres).
 * `detail` in 0..1 fades fine grain out with distance, where a pixel covers many grains.
 */
export function sampleGround(
  layout: StreetLayout,
  palette: Palette,
  place: GroundPlace,
  s: number,
  d: number,
  detail: number,
  out: SurfaceSample,
): void {
  const seed = palette.seed;
  out.mirror = 0;
  out.reflectance = palette.reflectance[place.zone];
  const coarse = valueNoise(s / 2.3, d / 2.3, seed);
  const grain =
    detail > 0 ? 1 + detail * (hashUnit(Math.floor(s * 40), Math.floor(d * 40), seed, 1) - 0.5) : 1;
  switch (place.zone) {
    case Zone.ROAD: {
      const { asphalt } = palette;
      out.set(asphalt[0], asphalt[1], asphalt[2]);
      // Patches of newer tar and darker wheel tracks.
      const patch = valueNoise(s / 9, d / 3, seed + 7) > 0.78 ? 0.7 : 1;
      out.scale((0.85 + 0.3 * coarse) * (1 + 0.5 * (grain - 1)) * patch);
      markRoad(layout, palette, s, d, out);
      return;
    }
    case Zone.PARKING: {
      const { parking } = palette;
      out.set(parking[0], parking[1], parking[2]);
      out.scale((0.85 + 0.3 * coarse) * (1 + 0.4 * (grain - 1)));
      if (palette.parkingPattern === "pavers") {
        pave(s, d, 0.2, 0.1, 0.012, seed, detail, out);
      }
      markBays(layout, palette, s, d, out);
      return;
    }
    case Zone.SIDEWALK: {
      const { slab, slabSize } = palette;
      out.set(slab[0], slab[1], slab[2]);
      out.scale((0.9 + 0.2 * coarse) * (1 + 0.2 * (grain - 1)));
      pave(s, d, slabSize[0], slabSize[1], 0.014, seed, detail, out);
      return;
    }
    case Zone.KERB:
      out.set(palette.kerb[0], palette.kerb[1], palette.kerb[2]);
      out.scale(Math.abs(s - Math.round(s)) < 0.012 ? 0.5 : 0.9 + 0.2 * coarse);
      return;
    case Zone.GRASS: {
      const { grass, dryGrass } = palette;
      const dry = Math.min(1, Math.max(0, 2.4 * valueNoise(s / 3.1, d / 3.1, seed + 3) - 1.1));
      out.set(
        grass[0] + (dryGrass[0] - grass[0]) * dry,
        grass[1] + (dryGrass[1] - grass[1]) * dry,
        grass[2] + (dryGrass[2] - grass[2]) * dry,
      );
      const blade = valueNoise(s * 22, d * 22, seed + 4);
      out.scale((0.8 + 0.4 * coarse) * (1 + detail * 1.1 * (blade - 0.5)));
      out.reflectance *= 0.8 + 0.4 * blade;
      return;
    }
    case Zone.GRAVEL: {
      const { gravel } = palette;
      out.set(gravel[0], gravel[1], gravel[2]);
      const stone = hashUnit(Math.floor(s * 18), Math.floor(d * 18), seed, 2);
      out.scale((0.8 + 0.4 * coarse) * (1 + Math.max(0.25, detail) * 1.0 * (stone - 0.5)));
      return;
    }
    case Zone.ISLAND:
      out.set(palette.gravel[0] * 0.8, palette.gravel[1] * 0.85, palette.gravel[2]);
      pave(s, d, 0.13, 0.13, 0.02, seed, Math.max(0.4, detail), out);
      if (layout.islandHalfWidth - Math.abs(d) < 0.12) {
        out.set(palette.kerb[0], palette.kerb[1], palette.kerb[2]);
      }
      return;
  }
}

/** Joints between stones of the given size, and a shade of its own for each stone. */
function pave(
  s: number,
  d: number,
  length: number,
  width: number,
  joint: number,
  seed: number,
  detail: number,
  out: SurfaceSample,
): void {
  const row = Math.floor(d / width);
  const along = s / length + (row & 1) * 0.5;
  const column = Math.floor(along);
  const fromJoint = Math.min(
    (along - column) * length,
    (column + 1 - along) * length,
    d - row * width,
    (row + 1) * width - d,
  );
  const shade = 0.86 + 0.28 * hashUnit(column, row, seed, 5);
  out.scale(1 + detail * (shade - 1));
  if (fromJoint < joint) {
    out.scale(1 - 0.5 * Math.max(0.3, detail));
  }
}

function paintOver(out: SurfaceSample, red: number, green: number, blue: number, cover: number): void {
  out.red += (red - out.red) * cover;
  out.green += (green - out.green) * cover;
  out.blue += (blue - out.blue) * cover;
  out.reflectance += (0.45 - out.reflectance) * cover;
}

function markRoad(layout: StreetLayout, palette: Palette, s: number, d: number, out: SurfaceSample): void {
  const distance = Math.abs(d);
  let painted = false;
  for (const crossing of layout.crossings) {
    const outside = Math.max(crossing.start - s, s - crossing.end);
    if (outside > 0.8 && outside < 3.6 && distance < layout.roadHalfWidth) {
      // A zebra crossing: bars along the street.
      painted = d - Math.floor(d) < 0.5;
    }
    if (outside < 3.6) {
      cover(painted, palette, s, d, out);
      return;
    }
  }
  if (distance > layout.roadHalfWidth) {
    return;
  }
  const dash = s / 9 - Math.floor(s / 9) < 0.4;
  for (let lane = 1; lane < layout.lanesPerSide; lane++) {
    painted ||= dash && Math.abs(distance - layout.islandHalfWidth - lane * layout.laneWidth) < 0.07;
  }
  const middle =
    layout.islandHalfWidth > 0 ? Math.abs(distance - layout.islandHalfWidth) < 0.07 : distance < 0.07;
  painted ||= middle && (dash || layout.islandHalfWidth > 0);
  const lanesEnd = layout.islandHalfWidth + layout.lanesPerSide * layout.laneWidth;
  painted ||= Math.abs(distance - lanesEnd - 0.15) < 0.06;
  cover(painted, palette, s, d, out);
}

function cover(painted: boolean, palette: Palette, s: number, d: number, out: SurfaceSample): void {
  if (painted) {
    const wear = palette.markingWear * valueNoise(s * 6, d * 6, palette.seed + 9);
    paintOver(out, 0.78, 0.78, 0.75, 1 - wear);
  }
}

/** Lines between parking bays, along the road and in lots. */
function markBays(layout: StreetLayout, palette: Palette, s: number, d: number, out: SurfaceSample): void {
  const side = layout.side(d);
  const distance = Math.abs(d);
  const line = palette.bayLine;
  const edge = layout.roadHalfWidth + side.parkingWidth;
  let painted = false;
  if (distance < edge) {
    painted = distance - layout.roadHalfWidth < 0.1;
    for (const bay of side.parking) {
      if (s >= bay.start && s < bay.end) {
        const along = (s - bay.start) % side.parkingBayLength;
        painted ||= Math.min(along, side.parkingBayLength - along, bay.end - s) < 0.06;
      }
    }
  } else {
    const parcel = layout.parcelAt(side, s);
    const depth = distance - side.parcelStart;
    const inRow = ((depth - 1) % 9) + (depth < 1 ? 9 : 0);
    if (parcel !== undefined && inRow < 5) {
      const along = (s - parcel.start - 1.5) % 2.6;
      painted = Math.min(along, 2.6 - along) < 0.06;
    }
  }
  if (painted) {
    paintOver(out, line[0], line[1], line[2], 0.9);
  }
}
