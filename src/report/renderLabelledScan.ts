import { sharp } from "../camera/libvips.js";
import type { RgbImage } from "../camera/RgbImage.js";
import { boxesSvg, overSvg, viewProjection, type DrawnBox } from "./drawnBoxes.js";
import { paintClasses, type PaintedClass, type PointLabels } from "./paintedClasses.js";
import {
  formatCount,
  legendSvg,
  PAGE_COLOR,
  QUIET_COLOR,
  TEXT_COLOR,
  textSvg,
  VIEW_COLOR,
} from "./pictureSvg.js";
import { groundSvg, ringSpacing } from "./groundSvg.js";
import { scanExtent } from "./scanExtent.js";
import { rasterizeScan, viewFromAbove, viewFromBehind, type ScanView } from "./scanViews.js";

export interface LabelledScanOptions {
  /** [N, 3] x forward, y left, z up, metres; points that are not finite are left out. */
  readonly xyz: Float32Array;
  /** [N] class ids; those that `classes` does not have are shown as "unlabeled". */
  readonly labels: PointLabels;
  readonly classes: readonly PaintedClass[];
  /** In the frame of the points. */
  readonly boxes?: readonly DrawnBox[];
  /** Heads the picture, for example mode and stamp; the number of points is put beside it. */
  readonly title: string;
  /**
   * Metres from the sensor to the edge of the bird's-eye view; taken from the scan by default. Give it where
   * pictures are to be compared.
   */
  readonly range?: number;
}

export const SCAN_PICTURE = { width: 1600, height: 900 } as const;

const MARGIN = 24;
/** Pixels. */
const BOX_STROKE = 1.6;
const VIEWS_TOP = 100;
const LEGEND = { columns: 2, rows: 10, left: 1152, top: 634, width: 424 } as const;

/** Where the two views are in the picture, pixels. */
export const SCAN_VIEWS = {
  behind: { left: MARGIN, top: VIEWS_TOP, width: 1104, height: SCAN_PICTURE.height - VIEWS_TOP - MARGIN },
  above: { left: LEGEND.left, top: VIEWS_TOP, width: LEGEND.width, height: 510 },
} as const;

/** As `paintLabelledScan`, as a PNG. */
export async function renderLabelledScan(options: LabelledScanOptions): Promise<Uint8Array> {
  return await encodePng(await paintLabelledScan(options));
}

/**
 * One labelled scan in a picture of 1600 x 900: from behind and above, from straight above, and a legend of its
 * classes. Needs no fonts of the system. A RangeError where `xyz` and `labels` do not fit together.
 */
export async function paintLabelledScan(options: LabelledScanOptions): Promise<RgbImage> {
  const { xyz, labels, classes, boxes, title } = options;
  const painted = paintClasses(xyz, labels, classes);
  const { range: reach, ground } = scanExtent(xyz);
  const range = options.range ?? reach;
  const { behind, above } = SCAN_VIEWS;
  const views = [
    { place: behind, view: viewFromBehind(behind.width, behind.height, range) },
    { place: above, view: viewFromAbove(above.width, above.height, range) },
  ];
  const total = labels.length;
  const left = total - painted.count;
  const size = [
    `${formatCount(total)} points`,
    ...(left > 0 ? [`${formatCount(left)} not finite`] : []),
    ...(boxes === undefined ? [] : [`${formatCount(boxes.length)} boxes`]),
  ].join(", ");
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SCAN_PICTURE.width}" height="${SCAN_PICTURE.height}">`,
    `<rect width="100%" height="100%" fill="${PAGE_COLOR}"/>`,
    headSvg(title, size),
    captionSvg("From behind and above", behind.left),
    captionSvg(`From above, rings ${ringSpacing(range)} m apart`, above.left),
    ...views.map(({ place, view }) => viewSvg(place, view, range, ground)),
    legendSvg(painted.present, LEGEND),
    "</svg>",
  ].join("");
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (const { place, view } of views) {
    rasterizeScan(view, xyz, painted.colors).blendInto(data, info.width, place.left, place.top);
  }
  const edges = views.map(({ place, view }) => {
    const drawn = boxesSvg(boxes ?? [], viewProjection(view), BOX_STROKE);
    return drawn === "" ? "" : placedSvg(place, drawn);
  });
  return await overSvg({ width: info.width, height: info.height, data }, edges.join(""));
}

export async function encodePng({ width, height, data }: RgbImage): Promise<Uint8Array> {
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

function headSvg(title: string, size: string): string {
  const baseline = 48;
  const right = SCAN_PICTURE.width - MARGIN;
  const style = { size: 24, weight: 600 } as const;
  return (
    textSvg(title, style, TEXT_COLOR, { x: MARGIN, baseline, maxWidth: SCAN_VIEWS.above.left - 2 * MARGIN }) +
    textSvg(size, style, TEXT_COLOR, { x: right, baseline, anchor: "end" })
  );
}

function captionSvg(text: string, x: number): string {
  return textSvg(text, { size: 14, weight: 400 }, QUIET_COLOR, { x, baseline: VIEWS_TOP - 12 });
}

type ViewPlace = (typeof SCAN_VIEWS)[keyof typeof SCAN_VIEWS];

function viewSvg(place: ViewPlace, view: ScanView, range: number, ground: number): string {
  const page = `<rect width="100%" height="100%" fill="${VIEW_COLOR}"/>`;
  return placedSvg(place, page + groundSvg(view, range, ground));
}

function placedSvg({ left, top, width, height }: ViewPlace, content: string): string {
  return `<svg x="${left}" y="${top}" width="${width}" height="${height}" overflow="hidden">${content}</svg>`;
}
