import type { Hit } from "./Hit.js";

/** Cells along the edge of a tile; tiles keep the lowest and highest corner of their cells. */
const TILE = 8;

export interface HeightFieldOptions {
  /** Metres; the field covers [minX, minX + columns * cell] x [minY, minY + rows * cell]. */
  readonly minX: number;
  readonly minY: number;
  readonly columns: number;
  readonly rows: number;
  /** Edge of a cell in metres. */
  readonly cell: number;
  /** Height in metres at a corner of the grid. */
  readonly heightAt: (x: number, y: number) => number;
}

/**
 * The ground as a grid of heights with two triangles per cell, intersected exactly: first over tiles by
 * their height range, then cell by cell. Outside the grid the ground is the plane z = 0.
 */
export class HeightField {
  readonly #minX: number;
  readonly #minY: number;
  readonly #cell: number;
  /** Cells, padded to whole tiles. */
  readonly #columns: number;
  readonly #rows: number;
  readonly #heights: Float32Array;
  readonly #tileLow: Float32Array;
  readonly #tileHigh: Float32Array;
  readonly #tileColumns: number;
  readonly #low: number;
  readonly #high: number;

  constructor(options: HeightFieldOptions) {
    this.#minX = options.minX;
    this.#minY = options.minY;
    this.#cell = options.cell;
    this.#tileColumns = Math.ceil(options.columns / TILE);
    const tileRows = Math.ceil(options.rows / TILE);
    this.#columns = this.#tileColumns * TILE;
    this.#rows = tileRows * TILE;
    const stride = this.#columns + 1;
    this.#heights = new Float32Array(stride * (this.#rows + 1));
    for (let j = 0; j <= this.#rows; j++) {
      for (let i = 0; i <= this.#columns; i++) {
        this.#heights[j * stride + i] = options.heightAt(
          this.#minX + i * this.#cell,
          this.#minY + j * this.#cell,
        );
      }
    }
    this.#tileLow = new Float32Array(this.#tileColumns * tileRows).fill(Infinity);
    this.#tileHigh = new Float32Array(this.#tileColumns * tileRows).fill(-Infinity);
    let low = 0;
    let high = 0;
    for (let tile = 0; tile < this.#tileLow.length; tile++) {
      const i0 = (tile % this.#tileColumns) * TILE;
      const j0 = Math.floor(tile / this.#tileColumns) * TILE;
      for (let j = j0; j <= j0 + TILE; j++) {
        for (let i = i0; i <= i0 + TILE; i++) {
          const height = this.#heights[j * stride + i]!;
          this.#tileLow[tile] = Math.min(this.#tileLow[tile]!, height);
          this.#tileHigh[tile] = Math.max(this.#tileHigh[tile]!, height);
        }
      }
      low = Math.min(low, this.#tileLow[tile]!);
      high = Math.max(high, this.#tileHigh[tile]!);
    }
    this.#low = low;
    this.#high = high;
  }

  /** Height of the surface at a place. */
  heightAt(x: number, y: number): number {
    const gx = (x - this.#minX) / this.#cell;
    const gy = (y - this.#minY) / this.#cell;
    const i = Math.floor(gx);
    const j = Math.floor(gy);
    if (i < 0 || j < 0 || i >= this.#columns || j >= this.#rows) {
      return 0;
    }
    const stride = this.#columns + 1;
    const at = j * stride + i;
    const h = this.#heights;
    const u = gx - i;
    const v = gy - j;
    const h00 = h[at]!;
    const h11 = h[at + stride + 1]!;
    if (u >= v) {
      const h10 = h[at + 1]!;
      return h00 + (h10 - h00) * u + (h11 - h10) * v;
    }
    const h01 = h[at + stride]!;
    return h00 + (h11 - h01) * u + (h01 - h00) * v;
  }

  /**
   * The first place where the ray (unit direction, metres) goes below the ground nearer than `hit.distance`;
   * writes distance and normal into `hit`.
   */
  intersect(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Hit): boolean {
    // The part of the ray between the lowest and the highest ground.
    let near = 0;
    let far = hit.distance;
    const margin = 1e-6;
    if (Math.abs(dz) > 1e-12) {
      const a = (this.#high + margin - oz) / dz;
      const b = (this.#low - margin - oz) / dz;
      near = Math.max(near, Math.min(a, b));
      far = Math.min(far, Math.max(a, b));
    } else if (oz > this.#high + margin) {
      return false;
    }
    if (near >= far) {
      return false;
    }
    // The part above the grid.
    const width = this.#columns * this.#cell;
    const depth = this.#rows * this.#cell;
    const inverseX = 1 / dx;
    const inverseY = 1 / dy;
    let enter = near;
    let leave = far;
    const x0 = (this.#minX - ox) * inverseX;
    const x1 = (this.#minX + width - ox) * inverseX;
    const y0 = (this.#minY - oy) * inverseY;
    const y1 = (this.#minY + depth - oy) * inverseY;
    if (x0 === x0 && x1 === x1) {
      enter = Math.max(enter, Math.min(x0, x1));
      leave = Math.min(leave, Math.max(x0, x1));
    }
    if (y0 === y0 && y1 === y1) {
      enter = Math.max(enter, Math.min(y0, y1));
      leave = Math.min(leave, Math.max(y0, y1));
    }
    const crosses = enter < leave;
    // Outside: the plane z = 0, before the grid is entered or after it is left.
    const plane = dz < 0 ? -oz / dz : Infinity;
    const planeHit = plane >= near && plane < far && plane > 0;
    if (planeHit && (!crosses || plane < enter)) {
      return accept(hit, plane, 0, 0, 1);
    }
    if (crosses && this.#march(ox, oy, oz, dx, dy, dz, enter, leave, hit)) {
      return true;
    }
    return planeHit && plane >= leave ? accept(hit, plane, 0, 0, 1) : false;
  }

  #march(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    enter: number,
    leave: number,
    hit: Hit,
  ): boolean {
    const size = this.#cell * TILE;
    const inverse = 1 / size;
    const px = (ox + dx * enter - this.#minX) * inverse;
    const py = (oy + dy * enter - this.#minY) * inverse;
    let i = Math.min(this.#tileColumns - 1, Math.max(0, Math.floor(px)));
    let j = Math.min(this.#rows / TILE - 1, Math.max(0, Math.floor(py)));
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? 1 : -1;
    const deltaX = dx === 0 ? Infinity : Math.abs(size / dx);
    const deltaY = dy === 0 ? Infinity : Math.abs(size / dy);
    let nextX = dx === 0 ? Infinity : (this.#minX + (i + (dx > 0 ? 1 : 0)) * size - ox) / dx;
    let nextY = dy === 0 ? Infinity : (this.#minY + (j + (dy > 0 ? 1 : 0)) * size - oy) / dy;
    const tileRows = this.#rows / TILE;
    let t = enter;
    while (t < leave) {
      const end = Math.min(nextX, nextY, leave);
      const lowest = oz + dz * (dz < 0 ? end : t);
      const tile = j * this.#tileColumns + i;
      if (
        lowest <= this.#tileHigh[tile]! + 1e-6 &&
        this.#cells(ox, oy, oz, dx, dy, dz, t, end, i * TILE, j * TILE, hit)
      ) {
        return true;
      }
      t = end;
      if (nextX < nextY) {
        i += stepX;
        nextX += deltaX;
        if (i < 0 || i >= this.#tileColumns) {
          return false;
        }
      } else {
        j += stepY;
        nextY += deltaY;
        if (j < 0 || j >= tileRows) {
          return false;
        }
      }
    }
    return false;
  }

  /** Cell by cell through one tile, over the ray's [enter, leave]. */
  #cells(
    ox: number,
    oy: number,
    oz: number,
    dx: number,
    dy: number,
    dz: number,
    enter: number,
    leave: number,
    firstColumn: number,
    firstRow: number,
    hit: Hit,
  ): boolean {
    const cell = this.#cell;
    const inverse = 1 / cell;
    const h = this.#heights;
    const stride = this.#columns + 1;
    const gx = (ox - this.#minX) * inverse;
    const gy = (oy - this.#minY) * inverse;
    const gdx = dx * inverse;
    const gdy = dy * inverse;
    const lastColumn = firstColumn + TILE - 1;
    const lastRow = firstRow + TILE - 1;
    let i = Math.min(lastColumn, Math.max(firstColumn, Math.floor(gx + gdx * enter)));
    let j = Math.min(lastRow, Math.max(firstRow, Math.floor(gy + gdy * enter)));
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? 1 : -1;
    const deltaX = dx === 0 ? Infinity : Math.abs(cell / dx);
    const deltaY = dy === 0 ? Infinity : Math.abs(cell / dy);
    let nextX = dx === 0 ? Infinity : (i + (dx > 0 ? 1 : 0) - gx) / gdx;
    let nextY = dy === 0 ? Infinity : (j + (dy > 0 ? 1 : 0) - gy) / gdy;
    let t = enter;
    while (t < leave + 1e-9) {
      const end = Math.min(nextX, nextY, leave);
      const at = j * stride + i;
      const h00 = h[at]!;
      const h10 = h[at + 1]!;
      const h01 = h[at + stride]!;
      const h11 = h[at + stride + 1]!;
      // Height of the ray above each triangle's plane is a + b t.
      let found = Infinity;
      let slopeX = 0;
      let slopeY = 0;
      const u0 = gx - i;
      const v0 = gy - j;
      for (let triangle = 0; triangle < 2; triangle++) {
        const hu = triangle === 0 ? h10 - h00 : h11 - h01;
        const hv = triangle === 0 ? h11 - h10 : h01 - h00;
        const b = dz - hu * gdx - hv * gdy;
        if (b === 0) {
          continue;
        }
        const root = -(oz - h00 - hu * u0 - hv * v0) / b;
        if (root < t - 1e-9 || root > end + 1e-9 || root >= found) {
          continue;
        }
        const difference = u0 + gdx * root - (v0 + gdy * root);
        if (triangle === 0 ? difference >= -1e-9 : difference <= 1e-9) {
          found = root;
          slopeX = hu * inverse;
          slopeY = hv * inverse;
        }
      }
      if (found < hit.distance && found > 1e-9) {
        const length = Math.sqrt(slopeX * slopeX + slopeY * slopeY + 1);
        return accept(hit, found, -slopeX / length, -slopeY / length, 1 / length);
      }
      t = end;
      if (nextX < nextY) {
        i += stepX;
        nextX += deltaX;
        if (i < firstColumn || i > lastColumn) {
          return false;
        }
      } else {
        j += stepY;
        nextY += deltaY;
        if (j < firstRow || j > lastRow) {
          return false;
        }
      }
      if (t >= leave) {
        return false;
      }
    }
    return false;
  }
}

function accept(hit: Hit, distance: number, nx: number, ny: number, nz: number): boolean {
  hit.distance = distance;
  hit.normalX = nx;
  hit.normalY = ny;
  hit.normalZ = nz;
  return true;
}
