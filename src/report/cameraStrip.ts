import { sharp } from "../camera/libvips.js";
import type { RgbImage } from "../camera/RgbImage.js";
import { PAGE_COLOR, QUIET_COLOR, textSvg } from "./pictureSvg.js";

/** An image under a picture, and what is written over it. */
export interface CaptionedImage {
  readonly caption: string;
  readonly image: RgbImage;
}

const MARGIN = 24;
const CAPTION_HEIGHT = 28;
const LARGEST_COLUMNS = 3;
/** A single camera is not shown wider than this share of the picture, nor higher than this. */
const LARGEST_WIDTH = 0.75;
const LARGEST_HEIGHT = 480;

/** The picture with images below it, in rows of at most three, each row as high as its highest. */
export async function addCameraStrip(
  picture: RgbImage,
  images: readonly CaptionedImage[],
): Promise<RgbImage> {
  if (images.length === 0) return picture;
  const { width } = picture;
  const columns = Math.min(LARGEST_COLUMNS, images.length);
  const column = Math.floor((width - MARGIN * (columns + 1)) / columns);
  const tiles: { readonly image: RgbImage; readonly caption: string; left: number; top: number }[] = [];
  let top = picture.height;
  for (let first = 0; first < images.length; first += columns) {
    const row = await Promise.all(
      images.slice(first, first + columns).map(async ({ caption, image }) => ({
        caption,
        image: await fit(image, Math.min(column, Math.floor(width * LARGEST_WIDTH)), LARGEST_HEIGHT),
      })),
    );
    row.forEach((tile, place) => {
      tiles.push({ ...tile, left: MARGIN + place * (column + MARGIN), top: top + CAPTION_HEIGHT });
    });
    top += CAPTION_HEIGHT + Math.max(...row.map(({ image }) => image.height)) + MARGIN;
  }
  const captions = tiles.map(({ caption, left, top: edge, image }) =>
    textSvg(caption, { size: 14, weight: 400 }, QUIET_COLOR, {
      x: left,
      baseline: edge - picture.height - 10,
      maxWidth: image.width,
    }),
  );
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top - picture.height}">` +
    `<rect width="100%" height="100%" fill="${PAGE_COLOR}"/>${captions.join("")}</svg>`;
  const raw = ({ width: w, height, data }: RgbImage) => ({
    input: Buffer.from(data.buffer, data.byteOffset, data.length),
    raw: { width: w, height, channels: 3 as const },
  });
  const data = await sharp({ create: { width, height: top, channels: 3, background: PAGE_COLOR } })
    .composite([
      { ...raw(picture), left: 0, top: 0 },
      { input: Buffer.from(svg), left: 0, top: picture.height },
      ...tiles.map(({ image, left, top: edge }) => ({ ...raw(image), left, top: edge })),
    ])
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height: top, data };
}

/** As large as the box allows, larger or smaller than it is. */
async function fit(
  { width, height, data }: RgbImage,
  maxWidth: number,
  maxHeight: number,
): Promise<RgbImage> {
  const scale = Math.min(maxWidth / width, maxHeight / height);
  const size = {
    width: Math.max(1, Math.floor(width * scale)),
    height: Math.max(1, Math.floor(height * scale)),
  };
  const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ ...size, fit: "fill" })
    .raw()
    .toBuffer();
  return { ...size, data: pixels };
}
