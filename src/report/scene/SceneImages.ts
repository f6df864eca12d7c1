import { PointSighter } from "../../camera/PointSighter.js";
import { Fault } from "../../faults/Fault.js";
import { FrameImages } from "../../perception/FrameImages.js";
import type { FrameImage } from "../../perception/ScanFrame.js";
import type { Sightings } from "../../scene/packedScan.js";
import type { SceneBox, SceneImage } from "../../scene/SceneIndex.js";
import { boxOutline } from "./boxOutline.js";
import { encodeSceneImage, type SceneImageFile } from "./encodeSceneImage.js";

export interface ScanImages {
  readonly images: readonly SceneImage[];
  /** Of each of them. */
  readonly sightings: readonly Sightings[];
  /** Files that no scan before had, by their numbers. */
  readonly files: readonly (readonly [image: number, file: Uint8Array])[];
  /** Why some images are not shown. */
  readonly faults: readonly Fault[];
}

/** The images of a page: each file once, however many scans it belongs to. */
export class SceneImages {
  readonly cameras: string[] = [];
  readonly #width: number;
  readonly #sighter = new PointSighter();
  /** By camera, the last one: later scans may use it again. */
  readonly #last = new Map<
    string,
    { readonly stamp: bigint; readonly number: number; file: SceneImageFile }
  >();
  #count = 0;

  /** `width`: pixels of the widest image in the page. */
  constructor(width: number) {
    this.#width = width;
  }

  cameraNumber(name: string): number {
    const known = this.cameras.indexOf(name);
    return known >= 0 ? known : this.cameras.push(name) - 1;
  }

  /**
   * @param xyz [N, 3] of the whole cloud: what the page leaves out hides other points too
   * @param kept points of it that are in the page
   * @param boxes of the scan, in the frame of the points
   */
  async of(
    frameImages: readonly FrameImage[],
    xyz: Float32Array,
    kept: Uint32Array,
    boxes: readonly SceneBox[],
  ): Promise<ScanImages> {
    const images: SceneImage[] = [];
    const sightings: Sightings[] = [];
    const files: (readonly [number, Uint8Array])[] = [];
    const faults: Fault[] = [];
    const decoded = new FrameImages(frameImages);
    const places = placesOf(kept, xyz.length / 3);
    for (const source of frameImages) {
      try {
        const { image, model } = await decoded.located(source);
        const { number, file, isNew } = await this.#file(source, () => encodeSceneImage(image, this.#width));
        if (isNew) files.push([number, file.file]);
        const { points, u, v, seen } = this.#sighter.sight(model, source.cloudToCamera, xyz);
        sightings.push(keptSightings({ points, u, v, seen }, places, model));
        const seenCount = seen.reduce((sum, value) => sum + value, 0);
        images.push({
          camera: this.cameraNumber(source.camera),
          image: number,
          width: file.width,
          height: file.height,
          deltaMs: Number(source.delta) / 1e6,
          seen: seenCount,
          hidden: points.length - seenCount,
          boxes: boxes.map((box) => boxOutline(box, model, source.cloudToCamera)),
        });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        faults.push(error.at({ topic: source.topic, stamp: source.stamp }));
      }
    }
    return { images, sightings, files, faults };
  }

  async #file(
    { camera, stamp }: FrameImage,
    encode: () => Promise<SceneImageFile>,
  ): Promise<{ number: number; file: SceneImageFile; isNew: boolean }> {
    const last = this.#last.get(camera);
    if (last?.stamp === stamp) return { ...last, isNew: false };
    const made = { stamp, number: this.#count++, file: await encode() };
    this.#last.set(camera, made);
    return { ...made, isNew: true };
  }
}

/** [N] where in `kept` a point is; -1 for those that are not. */
function placesOf(kept: Uint32Array, count: number): Int32Array {
  const places = new Int32Array(count).fill(-1);
  kept.forEach((point, place) => (places[point] = place));
  return places;
}

function keptSightings(
  { points, u, v, seen }: { points: Uint32Array; u: Float32Array; v: Float32Array; seen: Uint8Array },
  places: Int32Array,
  { width, height }: { readonly width: number; readonly height: number },
): Sightings {
  let count = 0;
  for (const point of points) if (places[point]! >= 0) count++;
  const kept = {
    points: new Uint32Array(count),
    u: new Uint16Array(count),
    v: new Uint16Array(count),
    seen: new Uint8Array(count),
  };
  for (let i = 0, at = 0; i < points.length; i++) {
    const place = places[points[i]!]!;
    if (place < 0) continue;
    kept.points[at] = place;
    kept.u[at] = share((u[i]! + 0.5) / width);
    kept.v[at] = share((v[i]! + 0.5) / height);
    kept.seen[at] = seen[i]!;
    at++;
  }
  return kept;
}

function share(value: number): number {
  return Math.round(65535 * Math.min(1, Math.max(0, value)));
}
