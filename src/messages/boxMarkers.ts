import { boxStrokes, type Point3 } from "../geometry/boxOutline.js";
import { boxMessage, type BoxDetection } from "./boxDetections.js";
import type { Rgb } from "./packRgb.js";
import {
  MarkerAction,
  MarkerType,
  type ColorRgba,
  type Detection3DArray,
  type Header,
  type Marker,
  type MarkerArray,
} from "./types.js";

/** Metres. */
const STROKE_WIDTH = 0.06;
const TEXT_HEIGHT = 0.5;

const NO_TURN = [0, 0, 0, 1] as const;

/** Boxes of a scan, the best first, without ids: they are not followed from scan to scan. */
export function detectionArray(boxes: readonly BoxDetection[], header: Header): Detection3DArray {
  return { header, detections: boxes.map((box) => boxMessage(box, header)) };
}

/**
 * Boxes of a scan for RViz and Foxglove in place of those of the scan before: the edges of all as one marker, with a stroke
 * from each centre to its front, and over each its class and score.
 * @param colorOf of a class
 */
export function boxMarkers(
  boxes: readonly BoxDetection[],
  header: Header,
  colorOf: (className: string) => Rgb,
): MarkerArray {
  const strokes = boxes.flatMap(({ box, className }) => {
    const color = markerColor(colorOf(className));
    return boxStrokes(box).flatMap((ends) => ends.map((end) => [end, color] as const));
  });
  const edges = marker(header, {
    namespace: "boxes",
    type: MarkerType.LINE_LIST,
    scale: [STROKE_WIDTH, 0, 0],
    points: strokes.map(([end]) => end),
    colors: strokes.map(([, color]) => color),
  });
  const texts = boxes.map(({ box: { center, size }, className, score }, id) =>
    marker(header, {
      namespace: "classes",
      id,
      type: MarkerType.TEXT_VIEW_FACING,
      position: [center[0], center[1], center[2] + size[2] / 2 + TEXT_HEIGHT],
      scale: [0, 0, TEXT_HEIGHT],
      color: markerColor(colorOf(className)),
      text: `${className} ${score.toFixed(2)}`,
    }),
  );
  return {
    markers: [
      marker(header, { action: MarkerAction.DELETE_ALL, type: MarkerType.LINE_LIST }),
      // RViz complains of a line list without points.
      ...(boxes.length > 0 ? [edges] : []),
      ...texts,
    ],
  };
}

type MarkerParts = Partial<Omit<Marker, "pose">> & Pick<Marker, "type"> & { readonly position?: Point3 };

function marker(header: Header, { position = [0, 0, 0], ...parts }: MarkerParts): Marker {
  return {
    header,
    namespace: "",
    id: 0,
    action: MarkerAction.ADD,
    pose: { position, orientation: NO_TURN },
    scale: [0, 0, 0],
    color: [1, 1, 1, 1],
    lifetime: 0n,
    frameLocked: false,
    points: [],
    colors: [],
    text: "",
    ...parts,
  };
}

function markerColor([red, green, blue]: Rgb): ColorRgba {
  return [red / 255, green / 255, blue / 255, 1];
}
