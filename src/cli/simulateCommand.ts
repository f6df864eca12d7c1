import { Command, Option } from "commander";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { LIDAR_PRESETS, type LidarPresetName } from "../simulation/beamTables.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import {
  SENSOR_CHOICES,
  type SensorChoice,
  type SimulatedCamera,
  type SimulateDriveOptions,
} from "../simulation/SimulateDriveOptions.js";
import { STREET_STYLES, type StreetStyle } from "../simulation/StreetStyle.js";
import { numberArgument, wholeNumber } from "./arguments.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { forceOption } from "./forceOption.js";
import { exitCodeOf, Interruption } from "./Interruption.js";
import { Progress } from "./Progress.js";

interface SimulateFlags {
  readonly output: string;
  readonly seed: number;
  readonly scans: number;
  readonly lidar: LidarPresetName;
  readonly sensor: SensorChoice;
  readonly street: StreetStyle;
  readonly columns: number;
  readonly speed: number;
  readonly stride: number;
  readonly cameras: string;
  readonly imageWidth: number;
  readonly imageHeight: number;
  readonly cameraFailure?: number;
  readonly semantic: boolean;
  readonly regions: boolean;
  readonly depth: boolean;
  readonly force: boolean;
}

export function simulateCommand(): Command {
  return new Command("simulate")
    .description("write a bag of a simulated drive: LiDAR with ground truth, true boxes, cameras, transforms")
    .requiredOption("-o, --output <file>", "bag to write (.mcap)")
    .option("--seed <number>", "which street; the same seed gives the same bytes", wholeNumber, 1)
    .option("--scans <count>", "LiDAR scans at 10 Hz", wholeNumber, 30)
    .addOption(
      new Option("--lidar <name>", "beam table").choices(Object.keys(LIDAR_PRESETS)).default("hdl-64e"),
    )
    .addOption(
      new Option(
        "--sensor <kind>",
        "height, tilt, intensities and errors of the LiDAR: random draws them by the seed",
      )
        .choices(SENSOR_CHOICES)
        .default("standard"),
    )
    .addOption(
      new Option("--street <kind>", "green has slopes, gardens, hedges, wide sidewalks")
        .choices(STREET_STYLES)
        .default("standard"),
    )
    .option("--columns <count>", "firings per turn of the LiDAR", wholeNumber, 1024)
    .option("--speed <m/s>", "speed of the vehicle", numberArgument, 8)
    .option("--stride <count>", "keep only every n-th scan and its images", wholeNumber, 1)
    .option(
      "--cameras <names>",
      "comma-separated: front, left, right, rear or names of your own; '' for none",
      "front",
    )
    .option("--image-width <pixels>", "", wholeNumber, 640)
    .option("--image-height <pixels>", "", wholeNumber, 320)
    .option("--camera-failure <seconds>", "all cameras stop sending after this time", numberArgument)
    .option("--semantic", "also write ground-truth class images (mono8)", false)
    .option("--regions", "also write true regions of the images: what is one thing (mono16)", false)
    .option("--depth", "also write depth images (32FC1)", false)
    .addOption(forceOption())
    .action(async (flags: SimulateFlags) => {
      const { output, scans, seed, force } = flags;
      await checkOutputs({ inputs: [], files: [output], force });
      if (await writeSimulation(output, driveOptions(flags), force)) {
        console.log(`${output}: ${scans} scans of street ${seed}`);
      }
    });
}

/**
 * Simulates a drive into a bag, with a progress bar over its scans.
 * @returns false when it was stopped: that was said then, the bag has the scans until then, and the exit code is set
 */
export async function writeSimulation(
  file: string,
  options: SimulateDriveOptions,
  force: boolean,
): Promise<boolean> {
  const interruption = new Interruption("the bag");
  let writer: McapBagWriter | undefined;
  const progress = new Progress("simulating", options.scanCount, "scans");
  let scans = 0;
  try {
    for await (const message of simulateDrive(options)) {
      if (interruption.isAsked()) break;
      // Not before: nothing hears a signal while the street is built.
      interruption.listen();
      writer ??= await McapBagWriter.create(file, { force });
      await writer.record(message);
      if (message.topic !== "/lidar/points") continue;
      scans++;
      progress.step();
    }
    if (interruption.stoppedBy === undefined || scans > 0) await writer?.close();
  } finally {
    interruption.close();
    progress.stop();
    await writer?.abort();
  }
  const { stoppedBy } = interruption;
  if (stoppedBy === undefined) return true;
  console.log(`stopped by ${stoppedBy}: ${file} ${scans === 0 ? "is not written" : `has ${scans} scans`}`);
  process.exitCode = exitCodeOf(stoppedBy);
  return false;
}

function driveOptions(flags: SimulateFlags): SimulateDriveOptions {
  const names = flags.cameras.split(",").filter((name) => name !== "");
  const cameras = names.map((name): SimulatedCamera => ({
    name,
    width: flags.imageWidth,
    height: flags.imageHeight,
    semantic: flags.semantic,
    regions: flags.regions,
    depth: flags.depth,
    ...(flags.cameraFailure !== undefined && { failures: [[flags.cameraFailure, Infinity]] }),
  }));
  return {
    seed: flags.seed,
    scanCount: flags.scans,
    lidar: flags.lidar,
    sensor: flags.sensor,
    street: flags.street,
    columns: flags.columns,
    egoSpeed: flags.speed,
    scanStride: flags.stride,
    boxes: true,
    cameras,
  };
}
