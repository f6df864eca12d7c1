import path from "node:path";
import { GROUND_TRUTH_FIELD } from "../bag/importers/dataset/groundTruth.js";
import { labelInfoTopic, readLabelInfo } from "../bag/labelInfos.js";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { SensorPoses } from "../bag/SensorPoses.js";
import type { BagReader } from "../bag/types.js";
import { labelComparison, type LabelComparison } from "../evaluation/labelComparison.js";
import { Fault } from "../faults/Fault.js";
import type { FaultLog } from "../faults/FaultLog.js";
import type { InputOptions } from "../library/InputOptions.js";
import { decodePointCloud2 } from "../messages/pointCloud2.js";
import { hasField } from "../messages/pointColumns.js";
import { remedyOf, type RunRecord } from "../report/scene/RunRecord.js";
import { SceneBoxes } from "../report/scene/SceneBoxes.js";
import { SceneBuilder } from "../report/scene/SceneBuilder.js";
import { fillPage, readPage } from "../report/scene/writePage.js";
import { labelledScans } from "./labelledScans.js";
import { Progress } from "./Progress.js";
import { recordedLabelling } from "./recordedLabelling.js";

export interface ReportOptions {
  readonly inputs: InputOptions;
  /** From 1. */
  readonly firstScan: number;
  readonly maxScans: number;
  /** At most this many of each scan. */
  readonly points: number;
  readonly withImages: boolean;
  /** Pixels. */
  readonly imageWidth: number;
  /** Of the run that made the bag. */
  readonly record?: RunRecord;
}

export interface Report {
  /** HTML. */
  readonly file: Uint8Array;
  /** One line about it. */
  readonly what: string;
}

/**
 * Makes the page of a labelled bag. What is wrong with images is recorded in `faults`.
 * @throws Fault where the bag has no labelled clouds, or the page is not built
 */
export async function buildReport(bag: BagReader, options: ReportOptions, faults: FaultLog): Promise<Report> {
  const page = await readPage();
  const { inputs, firstScan, maxScans, record, withImages } = options;
  const topic = labelInfoTopic(bag);
  const info = topic === undefined ? undefined : await readLabelInfo(bag, topic);
  const comparison = await comparisonOf(bag, inputs, faults);
  const labelling = record?.labelling ?? (await recordedLabelling(bag, faults));
  const poses = await SensorPoses.read(bag, inputs.tfTopics);
  const boxes = await SceneBoxes.open(bag, faults);
  const builder = new SceneBuilder(
    {
      classNames: info?.classMap.map(({ classId, className }) => [classId, className] as const) ?? [],
      points: options.points,
      imageWidth: options.imageWidth,
      ...(comparison && { comparison }),
    },
    faults,
  );
  const last = firstScan + maxScans - 1;
  let progress: Progress | undefined;
  let [total, thinned] = [0, 0];
  try {
    for await (const scan of labelledScans(
      bag,
      { ...inputs, maxScans: last, withImages, withBoxes: false },
      faults,
    )) {
      total = scan.total;
      progress ??= new Progress("reporting", Math.min(total, last), "scans");
      progress.step(faults.total);
      if (scan.number < firstScan) continue;
      const known = labelling.get(scan.stamp);
      const pose = poses.at(scan.frameId, scan.stamp);
      await builder.add({
        ...scan,
        boxes: await boxes.of(scan.stamp, scan.frameId),
        ...(known && { labelling: known }),
        ...(pose && { pose }),
      });
      if (scan.labels.length > options.points) thinned++;
    }
  } finally {
    progress?.stop();
    await boxes.close();
  }
  const count = builder.scanCount;
  if (count === 0) {
    throw new Fault(
      "invalid-configuration",
      total === 0
        ? `${bag.path} has no labelled scan that can be shown`
        : `--scan ${firstScan}: ${bag.path} has only ${total} scans`,
    );
  }
  const left = Math.max(0, total - last);
  const notes = [
    ...(firstScan > 1 ? [`It begins at scan ${firstScan} of the recording.`] : []),
    ...(left > 0 ? [`${left} further scans are left out (--scans).`] : []),
    ...(thinned > 0
      ? [`Of scans with more than ${options.points} points, ${options.points} are shown, evenly (--points).`]
      : []),
    ...(withImages ? [] : ["Images are left out (--no-images)."]),
  ];
  const scene = builder.finish({
    title: path.basename(bag.path),
    source: bag.path,
    madeBy: "ditr report",
    madeAt: new Date().toISOString(),
    scansInBag: total,
    boxTopics: boxes.topics,
    faults: [
      ...(record?.faults ?? []),
      ...faults.summary().map((fault) => ({ ...fault, remedy: remedyOf(fault.code) })),
    ],
    notes,
    ...(record && { run: record.run }),
  });
  const file = fillPage(page, scene);
  const images = scene.images.length === 0 ? "no images" : `${scene.images.length} images`;
  const rest = left > 0 ? `, ${left} further scans are left out (--scans)` : "";
  return {
    file,
    what: `${count} scans of ${total}, ${images}, ${(file.length / 1e6).toFixed(1)} MB${rest}`,
  };
}

/** How labels and truth are compared, of a bag that has both; what stands against it is recorded. */
async function comparisonOf(
  bag: BagReader,
  { cloudTopics }: InputOptions,
  faults: FaultLog,
): Promise<LabelComparison | undefined> {
  if (!(await hasTruth(bag, cloudTopics))) return undefined;
  try {
    return await labelComparison(bag);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    faults.record(error);
    return undefined;
  }
}

/** Does the first cloud that can be read carry true classes? */
async function hasTruth(bag: BagReader, cloudTopics: readonly string[] | undefined): Promise<boolean> {
  for await (const { data } of bag.messages({ topics: cloudTopics ?? [OUTPUT_TOPICS.labelled] })) {
    try {
      return hasField(decodePointCloud2(data), GROUND_TRUTH_FIELD);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  return false;
}
