import { PAGE_PLACES } from "../scene/pagePlaces.js";
import { unpackScan } from "../scene/packedScan.js";
import type { SceneIndex } from "../scene/SceneIndex.js";
import { LoadedScan } from "./LoadedScan.js";
import { inflate, readBytes } from "./pageData.js";

/** Scans that stay unpacked; each takes about two megabytes at 120,000 points. */
const KEPT_SCANS = 48;
const KEPT_IMAGES = 64;

/** Unpacks scans and decodes images when they are asked for, and keeps the last ones. */
export class ScanStore {
  readonly index: SceneIndex;
  readonly #scans = new Map<number, Promise<LoadedScan>>();
  readonly #images = new Map<number, Promise<ImageBitmap>>();

  constructor(index: SceneIndex) {
    this.index = index;
  }

  scan(place: number): Promise<LoadedScan> {
    return kept(this.#scans, place, KEPT_SCANS, async () => {
      const { points, layout } = this.index.scans[place]!;
      const bytes = await inflate(readBytes(PAGE_PLACES.scan(place)));
      return new LoadedScan(this.index, place, unpackScan(bytes, points, layout));
    });
  }

  image(image: number): Promise<ImageBitmap> {
    return kept(this.#images, image, KEPT_IMAGES, () =>
      createImageBitmap(new Blob([readBytes(PAGE_PLACES.image(image))], { type: "image/webp" })),
    );
  }
}

/** The last `most` that were asked for. */
function kept<T>(
  made: Map<number, Promise<T>>,
  key: number,
  most: number,
  make: () => Promise<T>,
): Promise<T> {
  const value = made.get(key) ?? make();
  made.delete(key);
  made.set(key, value);
  if (made.size > most) made.delete(made.keys().next().value!);
  return value;
}
