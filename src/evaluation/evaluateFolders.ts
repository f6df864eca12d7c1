import path from "node:path";
import { inFile, listFilesBelow, readBytes } from "../bag/importers/dataset/dataSetFiles.js";
import { SkippedFrames } from "../bag/importers/dataset/SkippedFrames.js";
import { Fault } from "../faults/Fault.js";
import { ConfusionMatrix } from "./ConfusionMatrix.js";
import type { LabelFormat } from "./labelFormats.js";

export interface LabelFolders {
  /** Folder of label files, of any depth. */
  readonly predictions: string;
  /** Folder of label files, of any depth. */
  readonly truth: string;
  readonly format: LabelFormat;
  /** Told how many frames there are, before the first. */
  readonly onStart?: (frames: number) => void;
  readonly onFrame?: () => void;
}

export interface FolderScores {
  readonly confusion: ConfusionMatrix;
  /** Frames that were compared. */
  readonly frames: number;
  /** Frames that could not be compared, which makes the scores those of a part. */
  readonly skipped: readonly Fault[];
}

/** Folders of the published layouts that say nothing about which frame it is. */
const LAYOUT_FOLDERS: ReadonlySet<string> = new Set(["dataset", "sequences", "labels", "predictions"]);

/**
 * Compares folders of label files. A frame is known by its path without the folders that the layouts differ in, so
 * that sequences/08/labels/000000.label and sequences/08/predictions/000000.label are the same. Sequences without
 * any prediction are left out (those of other splits); in the others, what lacks its counterpart or cannot be read is
 * skipped and named.
 * @throws Fault `data-set-unreadable` when no frame can be compared
 */
export async function evaluateFolders({
  predictions,
  truth,
  format,
  onStart,
  onFrame,
}: LabelFolders): Promise<FolderScores> {
  const predicted = await labelFiles(predictions, format.extension);
  const sequences = new Set([...predicted.keys()].map((frame) => path.dirname(frame)));
  const truths = new Map(
    [...(await labelFiles(truth, format.extension))].filter(([frame]) => sequences.has(path.dirname(frame))),
  );
  const skipped = new SkippedFrames();
  for (const [frame, file] of predicted) {
    if (!truths.has(frame)) skipped.add(`${file} has no true labels in ${truth}`);
  }
  const unpredicted = [...truths].filter(([frame]) => !predicted.has(frame));
  if (unpredicted.length > 0) {
    skipped.add(
      `${unpredicted.length} of ${truths.size} frames have no predictions in ${predictions}, the first is ${unpredicted[0]![1]}`,
    );
  }
  const confusion = new ConfusionMatrix(format.classNames);
  const frames = [...truths].filter(([frame]) => predicted.has(frame));
  onStart?.(frames.length);
  for (const [frame, truthFile] of frames) {
    const predictedFile = predicted.get(frame)!;
    await skipped.unlessScan(async () => {
      const ids = await readLabels(predictedFile, format);
      const trueIds = await readLabels(truthFile, format);
      return inFile(predictedFile, () => {
        confusion.add(ids, trueIds, format.tables);
        return true;
      });
    });
    onFrame?.();
  }
  skipped.requireSome(predictions);
  return { confusion, frames: skipped.read, skipped: skipped.faults };
}

/** Files by frame, in the order of their names. */
async function labelFiles(folder: string, extension: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const relative of await listFilesBelow(folder)) {
    if (!relative.endsWith(extension)) continue;
    const frame = path.join(...relative.split(path.sep).filter((part) => !LAYOUT_FOLDERS.has(part)));
    const file = path.join(folder, relative);
    const other = files.get(frame);
    if (other !== undefined) {
      throw new Fault("data-set-unreadable", `${file} and ${other} are labels of the same frame`);
    }
    files.set(frame, file);
  }
  if (files.size > 0) return files;
  throw new Fault("data-set-unreadable", `${folder} holds no file that ends with ${extension}`);
}

async function readLabels(file: string, format: LabelFormat): Promise<Uint8Array | Uint16Array> {
  const bytes = await readBytes(file);
  return inFile(file, () => format.parse(bytes));
}
