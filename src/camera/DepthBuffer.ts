import type { CameraModel } from "./CameraModel.js";
import type { ProjectedPoints } from "./projection.js";

/** Edge of a cell in radians at the image centre: cell = CELL_ANGLE * fx pixels. */
const CELL_ANGLE = 0.003;
/** Cells on each side of a point's cell in which nearer points are looked for. */
const WINDOW = 4;
const RELATIVE_TOLERANCE = 0.1;
/** Metres. */
const ABSOLUTE_TOLERANCE = 0.3;

/**
 * Tells which points of a scan a camera cannot see because nearer points of the scan surround them: the rule
 * and its reasons are in docs/graph-contract.md, "Projection". A slanted surface never hides itself, because
 * one of the four quadrants around a point has only farther points.
 */
export class DepthBuffer {
  /** Least depth per cell, row-major, with a margin of WINDOW empty cells on all sides. */
  #nearest = new Float64Array(0);
  #stride = 0;
  #rows = 0;
  #columns = 0;
  #cell = 1;

  /** Takes the visible points of a scan in one image. */
  fill(model: CameraModel, { u, v, depth, visible }: ProjectedPoints, count: number): void {
    this.#cell = Math.max(1, model.fx * CELL_ANGLE);
    this.#columns = Math.ceil(model.width / this.#cell);
    this.#rows = Math.ceil(model.height / this.#cell);
    this.#stride = this.#columns + 2 * WINDOW;
    const size = this.#stride * (this.#rows + 2 * WINDOW);
    if (this.#nearest.length < size) this.#nearest = new Float64Array(size);
    const nearest = this.#nearest.fill(Infinity, 0, size);
    for (let i = 0; i < count; i++) {
      if (visible[i] === 0) continue;
      const index = this.#cellOf(u[i]!, v[i]!);
      if (depth[i]! < nearest[index]!) nearest[index] = depth[i]!;
    }
  }

  /** Is a point with this pixel and depth behind nearer points in all four quadrants around its cell? */
  occludes(u: number, v: number, depth: number): boolean {
    const cell = this.#cellOf(u, v);
    return (
      this.#hasNearer(cell, -WINDOW, -1, -WINDOW, 0, depth) &&
      this.#hasNearer(cell, -WINDOW, 0, 1, WINDOW, depth) &&
      this.#hasNearer(cell, 1, WINDOW, 0, WINDOW, depth) &&
      this.#hasNearer(cell, 0, WINDOW, -WINDOW, -1, depth)
    );
  }

  #cellOf(u: number, v: number): number {
    const column = Math.min(Math.floor((u + 0.5) / this.#cell), this.#columns - 1);
    const row = Math.min(Math.floor((v + 0.5) / this.#cell), this.#rows - 1);
    return (row + WINDOW) * this.#stride + column + WINDOW;
  }

  #hasNearer(cell: number, top: number, bottom: number, left: number, right: number, depth: number): boolean {
    const nearest = this.#nearest;
    for (let row = top; row <= bottom; row++) {
      const middle = cell + row * this.#stride;
      for (let index = middle + left; index <= middle + right; index++) {
        if (depth > nearest[index]! * (1 + RELATIVE_TOLERANCE) + ABSOLUTE_TOLERANCE) return true;
      }
    }
    return false;
  }
}
