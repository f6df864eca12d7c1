import { labelInfoTopic, readLabelInfo } from "../bag/labelInfos.js";
import { assembleFrames } from "../bag/labelling/assembleFrames.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { BoxMessages, holdsBoxes } from "../bag/samples/BoxMessages.js";
import type { BagReader } from "../bag/types.js";
import { paintPoints } from "../camera/OverlayDrawer.js";
import { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import { boxesOf, type BoxDetection } from "../messages/boxDetections.js";
import type { Rgb } from "../messages/packRgb.js";
import { decodePointCloud2, pointCount } from "../messages/pointCloud2.js";
import { hasField, readColumn, readXyz } from "../messages/pointColumns.js";
import type { Header, PointCloud2 } from "../messages/types.js";
import { FrameImages } from "../perception/FrameImages.js";
import { OverlayMaker } from "../perception/OverlayMaker.js";
import type { ScanFrame } from "../perception/ScanFrame.js";
import type { CaptionedImage } from "../report/cameraStrip.js";
import { boxesSvg, cameraProjection, overSvg, type DrawnBox } from "../report/drawnBoxes.js";
import type { PaintedClass } from "../report/paintedClasses.js";
import { drivenInputs, frameOptions, recordedClouds } from "../library/drivenInputs.js";
import type { InputOptions } from "../library/InputOptions.js";

export interface LabelledScansOptions extends InputOptions {
  /** Stop after this many scans. */
  readonly maxScans?: number;
  /** Without it, images are neither read nor drawn. */
  readonly withImages: boolean;
  /** Are the boxes that were found read? */
  readonly withBoxes: boolean;
}

/** A scan of a labelled bag, for pictures. */
export interface DrawableScan {
  /** From 1, and of how many. */
  readonly number: number;
  readonly total: number;
  /** Nanoseconds. */
  readonly stamp: bigint;
  readonly frameId: string;
  readonly cloud: PointCloud2;
  /** What the bag has for it beside the cloud. */
  readonly frame: ScanFrame;
  /** [N, 3] metres in that frame. */
  readonly xyz: Float32Array;
  /** [N] class ids. */
  readonly labels: Uint32Array;
  /** The classes of its points, with names and colours as the bag has them. */
  readonly classes: readonly PaintedClass[];
  /** In that frame; absent where the bag has none of the scan. */
  readonly boxes?: readonly DrawnBox[];
  /** The images that belong to it, with the points and boxes that each shows painted on it. */
  readonly images: () => Promise<readonly CaptionedImage[]>;
}

/**
 * The labelled clouds of a bag, without damaged ones, with the images that belong to them, in the order of their stamps. What is wrong with
 * images is recorded in `faults` when they are asked for.
 *
 * @throws Fault "data-set-unreadable" where the topic has no clouds with labels
 */
export async function* labelledScans(
  bag: BagReader,
  options: LabelledScansOptions,
  faults: FaultLog,
): AsyncGenerator<DrawableScan> {
  const topics = options.cloudTopics ?? [OUTPUT_TOPICS.labelled];
  for (const topic of topics) {
    if (bag.topics.some((candidate) => candidate.topic === topic)) continue;
    throw new Fault(
      "data-set-unreadable",
      `${bag.path} has no labelled clouds on ${topic}; ditr run writes them, --cloud names another topic`,
    );
  }
  const names = await classNames(bag);
  const colors = new ClassColors();
  const maker = new OverlayMaker();
  const own = { ...options, cloudTopics: topics, ...(!options.withImages && { imageTopics: [] }) };
  const driven = await drivenInputs(bag, own, faults);
  const total = recordedClouds(bag, driven.selection);
  const frames = assembleFrames(frameOptions(driven, own, faults));
  const detections =
    options.withBoxes && holdsBoxes(bag, OUTPUT_TOPICS.detections)
      ? await BoxMessages.index(bag, OUTPUT_TOPICS.detections, faults)
      : undefined;
  let number = 0;
  try {
    for await (const { frame } of frames) {
      number++;
      const read = readLabelled(frame, faults);
      if (read === undefined) continue;
      const { cloud, xyz, labels } = read;
      const { stamp, frameId } = cloud.header;
      colors.learn(cloud, labels);
      const classes = [...new Set(labels)].map((id) => ({
        id,
        name: names.get(id) ?? `class ${id}`,
        color: colors.of(id),
      }));
      const found = detections && (await foundBoxes(detections, cloud.header, faults));
      const boxes = found?.map(({ box, className }) => ({ box, color: colors.ofBoxes(className, names) }));
      const images = () => overlays(frame, maker, { xyz, labels, classes, ...(boxes && { boxes }) }, faults);
      yield {
        number,
        total,
        stamp,
        frameId,
        cloud,
        frame,
        xyz,
        labels,
        classes,
        ...(boxes && { boxes }),
        images,
      };
    }
  } finally {
    await detections?.close();
  }
}

/** Undefined where the bag has none of the scan that can be drawn. */
async function foundBoxes(
  detections: BoxMessages,
  { stamp, frameId }: Header,
  faults: FaultLog,
): Promise<readonly BoxDetection[] | undefined> {
  const { topic } = detections;
  try {
    const message = await detections.of(stamp);
    if (message === undefined) return undefined;
    if (message.header.frameId === frameId) return boxesOf(message);
    throw new Fault(
      "malformed-message",
      `boxes are in the frame "${message.header.frameId}", the labelled points in "${frameId}"; these boxes are not drawn`,
    );
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    faults.record(error.at({ topic, stamp }));
    return undefined;
  }
}

/** Undefined for a damaged cloud, which is recorded. */
function readLabelled(
  frame: ScanFrame,
  faults: FaultLog,
): Pick<DrawableScan, "cloud" | "xyz" | "labels"> | undefined {
  try {
    const cloud = cloudOf(frame);
    const labels = readColumn(cloud, "label", new Uint32Array(pointCount(cloud)));
    return { cloud, xyz: readXyz(cloud), labels };
  } catch (error) {
    // Clouds without labels are not damaged: the topic is another than was meant.
    if (!(error instanceof Fault) || error.code === "data-set-unreadable") throw error;
    faults.record(error.at({ topic: frame.topic, stamp: frame.stamp }));
    return undefined;
  }
}

function cloudOf({ sources: [source], topic, stamp }: ScanFrame): PointCloud2 {
  if (source?.kind !== "points") {
    throw new Fault("data-set-unreadable", `${topic} has no point cloud to draw`).at({ topic, stamp });
  }
  const cloud = decodePointCloud2(source.cdr);
  if (!hasField(cloud, "label")) {
    throw new Fault(
      "data-set-unreadable",
      `the clouds of ${topic} have no field "label"; ditr run writes it`,
    );
  }
  return cloud;
}

async function classNames(bag: BagReader): Promise<ReadonlyMap<number, string>> {
  const topic = labelInfoTopic(bag);
  const info = topic === undefined ? undefined : await readLabelInfo(bag, topic);
  return new Map(info?.classMap.map(({ classId, className }) => [classId, className]));
}

const OTHER_BOXES: Rgb = [255, 210, 74];
/** Pixels, in images. */
const BOX_STROKE = 2;

/** The colours that classes have in the clouds: LabelInfo has names only. */
class ClassColors {
  readonly #colors = new Map<number, Rgb>();

  /** `labels` [N] of the cloud's points. */
  learn(cloud: PointCloud2, labels: Uint32Array): void {
    if (!hasField(cloud, "rgb")) return;
    const rgb = readColumn(cloud, "rgb", new Float32Array(labels.length));
    const bits = new Uint32Array(rgb.buffer, rgb.byteOffset, rgb.length);
    let last = -1;
    for (let point = 0; point < labels.length; point++) {
      const id = labels[point]!;
      if (id === last) continue;
      last = id;
      if (this.#colors.has(id)) continue;
      const packed = bits[point]!;
      this.#colors.set(id, [(packed >> 16) & 255, (packed >> 8) & 255, packed & 255]);
    }
  }

  /** That of the points of the class that is called so, where there were any. */
  ofBoxes(className: string, names: ReadonlyMap<number, string>): Rgb {
    const id = [...names].find(([, name]) => name === className)?.[0];
    return id !== undefined && this.#colors.has(id) ? this.of(id) : OTHER_BOXES;
  }

  /** Black, which points without a label have, is no colour on a dark page. */
  of(id: number): Rgb {
    const [red, green, blue] = this.#colors.get(id) ?? [0, 0, 0];
    return red + green + blue === 0 ? [98, 106, 118] : [red, green, blue];
  }
}

async function overlays(
  frame: ScanFrame,
  maker: OverlayMaker,
  { xyz, labels, classes, boxes = [] }: Pick<DrawableScan, "xyz" | "labels" | "classes" | "boxes">,
  faults: FaultLog,
): Promise<CaptionedImage[]> {
  const slots = new Map(classes.map(({ id }, slot) => [id, slot]));
  const slotOf = Int32Array.from(labels, (id) => slots.get(id)!);
  const colors = classes.map(({ color }) => color);
  const points = Int32Array.from(labels, (_, point) =>
    Number.isFinite(xyz[3 * point]! + xyz[3 * point + 1]! + xyz[3 * point + 2]!) ? point : -1,
  );
  const images = new FrameImages(frame.images);
  const cameras = new Set(images.all.map(({ camera }) => camera));
  const { drafts, faults: unusable } = await maker.draft(images, cameras, { xyz, pointToVoxel: points });
  for (const fault of unusable) faults.record(fault);
  return Promise.all(
    drafts.map(async ({ camera, image, voxels }) => {
      const painted = { ...image, data: image.data.slice() };
      paintPoints(painted.data, voxels, slotOf, colors);
      const source = images.all.find((each) => each.camera === camera)!;
      const { model } = await images.located(source);
      const view = { model, cloudToOptical: source.cloudToCamera };
      const edges = boxesSvg(boxes, cameraProjection(view, image.width / model.width), BOX_STROKE);
      return { caption: `camera ${camera}`, image: await overSvg(painted, edges) };
    }),
  );
}
