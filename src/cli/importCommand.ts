import { Command } from "commander";
import { KittiRawDrive } from "../bag/importers/kitti/KittiRawDrive.js";
import { NuScenesRecording } from "../bag/importers/nuscenes/NuScenesRecording.js";
import { PcdRecording } from "../bag/importers/pcd/PcdRecording.js";
import { RgbdRecording } from "../bag/importers/rgbd/RgbdRecording.js";
import { SemanticKittiSequence } from "../bag/importers/semantickitti/SemanticKittiSequence.js";
import { numberArgument, wholeNumber } from "./arguments.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { importRecording, type ImportOutput } from "./importRecording.js";

export function importCommand(): Command {
  return new Command("import")
    .description("make a bag of a data set's recording")
    .addHelpText(
      "after",
      `\nWhat cannot be read is named and left out. Exit code ${EXIT.incomplete} when scans were left out, ${EXIT.fault} when all were.`,
    )
    .addCommand(kittiCommand())
    .addCommand(semanticKittiCommand())
    .addCommand(nuScenesCommand())
    .addCommand(rgbdCommand())
    .addCommand(pcdCommand());
}

function kittiCommand(): Command {
  return importer("kitti")
    .description("KITTI raw: scans, rectified images, calibration, and poses where there are oxts packets")
    .argument("<folder>", "a drive (2011_09_26_drive_0001_sync), or a day (2011_09_26) with one drive in it")
    .action(async (folder: string, output: ImportOutput) => {
      await importRecording(
        folder,
        output,
        () => KittiRawDrive.open(folder),
        (drive) => drive.folder,
      );
    });
}

interface SemanticKittiFlags extends ImportOutput {
  readonly sequence?: string;
  readonly scans?: string;
  readonly labels?: string;
  readonly ignoreIds: readonly number[];
}

function semanticKittiCommand(): Command {
  return importer("semantickitti")
    .description(
      "SemanticKITTI: scans with ground truth (19 classes), poses, and images where there are some",
    )
    .argument("<folder>", "a sequence (with velodyne in it), or the data set (with sequences in it)")
    .option("--sequence <number>", "such as 08, where the folder holds several")
    .option("--scans <folder>", "folder of the .bin files, below the sequence (default: velodyne)")
    .option("--labels <folder>", "folder of the .label files, below the sequence (default: labels)")
    .option("--ignore-ids <ids>", "raw label ids beside the learning map that mean: no label", idList, [])
    .action(async (folder: string, { output, force, ignoreIds, ...options }: SemanticKittiFlags) => {
      await importRecording(
        folder,
        { output, force },
        () => SemanticKittiSequence.open(folder, { ...options, ignoredIds: ignoreIds }),
        (sequence) => sequence.folder,
      );
    });
}

interface NuScenesFlags extends ImportOutput {
  readonly scene?: string;
  readonly version?: string;
  readonly sweeps?: true;
}

function nuScenesCommand(): Command {
  return importer("nuscenes")
    .description(
      "nuScenes: scans, six cameras and poses of a scene, with ground truth where there is lidarseg",
    )
    .argument("<folder>", "the data set, with v1.0-mini and samples in it")
    .option("--scene <name>", "such as scene-0061, where the folder holds several")
    .option("--version <name>", "such as v1.0-mini, where the folder holds several")
    .option("--sweeps", "also what lies between key frames")
    .action(async (folder: string, { output, force, ...options }: NuScenesFlags) => {
      await importRecording(
        folder,
        { output, force },
        () => NuScenesRecording.open(folder, options),
        (recording) => `${recording.sceneName} of ${folder}`,
      );
    });
}

function rgbdCommand(): Command {
  return importer("rgbd")
    .description("depth and colour images with poses, as ScanNet or 7-Scenes has them")
    .argument("<folder>", "with depth, color, pose and intrinsic in it, or with frame-*.depth.png")
    .action(async (folder: string, output: ImportOutput) => {
      await importRecording(folder, output, () => RgbdRecording.open(folder));
    });
}

function pcdCommand(): Command {
  return importer("pcd")
    .description("PCD scans with images, calibration and boxes in the layout of SUSTechPOINTS")
    .argument(
      "<folder>",
      "a folder with lidar/*.pcd; camera, calib (or calib.json) and label where there are some",
    )
    .option("--rate <hz>", "frame numbers per second, where points have no times", numberArgument, 10)
    .action(async (folder: string, { rate, ...output }: ImportOutput & { readonly rate: number }) => {
      const framePeriod = BigInt(Math.round(1e9 / rate));
      await importRecording(folder, output, () => PcdRecording.open(folder, { framePeriod }));
    });
}

function importer(name: string): Command {
  return new Command(name)
    .requiredOption("-o, --output <file>", "bag to write (.mcap)")
    .addOption(forceOption());
}

function idList(value: string): readonly number[] {
  return value.split(",").map(wholeNumber);
}
