import { InvalidArgumentError, Option, type Command } from "commander";
import { ALL } from "../bag/labelling/recordedClocks.js";
import type { InputOptions } from "../library/InputOptions.js";
import { frameName } from "../messages/frameName.js";
import { DEFAULT_TOLERANCE } from "../sync/SyncOptions.js";
import { milliseconds, positiveNumber } from "./arguments.js";

/** The options of `addInputOptions` as commander reads them. */
export interface InputFlags {
  readonly cloud?: readonly string[];
  readonly targetFrame?: string;
  readonly intensityScale?: number;
  readonly intensityField?: string;
  readonly camera?: readonly string[];
  readonly cameraInfo?: Readonly<Record<string, string>>;
  readonly rectified?: readonly string[];
  readonly raw?: readonly string[];
  readonly cameraOffset?: Readonly<Record<string, bigint | "auto">>;
  readonly tf?: readonly string[];
  readonly tfOffset?: bigint | "auto";
  readonly stampByLog?: readonly string[];
  readonly tolerance: bigint;
  readonly fixedFrame?: string;
  readonly deskew: boolean;
}

/**
 * The options about inputs, for every command that uses a bag as `ditr run` does or says what that would do. An option
 * that changes what is taken from a bag belongs here, in `InputFlags` and in `inputOptions`.
 */
export function addInputOptions(command: Command): Command {
  for (const option of options()) command.addOption(option);
  return command;
}

function options(): Option[] {
  return [
    new Option(
      "--cloud <topic...>",
      "PointCloud2 or depth image to label, where the bag has several; several are merged at the stamps of the first",
    ),
    new Option(
      "--target-frame <frame>",
      "merge the points in this frame, for example base_link (default: the first cloud's, when there are several)",
    ).argParser(frameName),
    new Option(
      "--intensity-scale <value>",
      "intensity that counts as full, for example 255 (default: by the cloud's layout)",
    ).argParser(positiveNumber),
    new Option("--intensity-field <name>", "field of the cloud that is intensity (default: by its name)"),
    new Option("--camera <topic...>", "image topics to use (default: all that have a CameraInfo)"),
    new Option(
      "--camera-info <image=info...>",
      "CameraInfo topic of an image topic, where names do not tell: /front/image=/calibration/front",
    ).argParser(topicPair),
    new Option("--rectified <topic...>", "image topics that are rectified, whatever they are called"),
    new Option("--raw <topic...>", "image topics that are not rectified, whatever they are called"),
    new Option(
      "--camera-offset <ms>",
      "image stamp minus cloud stamp of the same moment, or CAMERA=MS for one camera; auto is what the recording shows " +
        "(default: half of each scan where points have times, else 0)",
    ).argParser(cameraOffset),
    new Option(
      "--tf <topic...>",
      "topics of transforms to use (default: those of the cloud's namespace, where there are several)",
    ),
    new Option(
      "--tf-offset <ms>",
      "stamp of transforms minus cloud stamp of the same moment; auto is what the recording shows (default: 0)",
    ).argParser(millisecondsOrAuto),
    new Option(
      "--stamp-by-log <topic...>",
      "take log times in place of the stamps of these topics (all: of every topic), where drivers send none or wrong ones",
    ),
    new Option("--tolerance <ms>", "largest difference between an image and its scan")
      .argParser(milliseconds)
      .default(DEFAULT_TOLERANCE, "50"),
    new Option(
      "--fixed-frame <frame>",
      "compensate the motion within a scan and between scan and image through this frame, for example odom",
    ).argParser(frameName),
    new Option("--no-deskew", "do not compensate the motion within a scan: the driver has done so"),
  ];
}

export function inputOptions(flags: InputFlags): InputOptions {
  return {
    tolerance: flags.tolerance,
    deskew: flags.deskew,
    ...(flags.cloud && { cloudTopics: flags.cloud }),
    ...(flags.targetFrame !== undefined && { targetFrame: flags.targetFrame }),
    ...(flags.intensityScale !== undefined && { intensityScale: flags.intensityScale }),
    ...(flags.intensityField !== undefined && { intensityField: flags.intensityField }),
    ...(flags.camera && { imageTopics: flags.camera }),
    ...(flags.cameraInfo && { cameraInfoTopics: flags.cameraInfo }),
    ...(flags.rectified && { rectifiedTopics: flags.rectified }),
    ...(flags.raw && { rawTopics: flags.raw }),
    ...(flags.cameraOffset && { cameraOffsets: flags.cameraOffset }),
    ...(flags.tf && { tfTopics: flags.tf }),
    ...(flags.tfOffset !== undefined && { transformOffset: flags.tfOffset }),
    ...(flags.stampByLog && { stampedByLog: flags.stampByLog }),
    ...(flags.fixedFrame !== undefined && { fixedFrame: flags.fixedFrame }),
  };
}

/** Gathers `image=info` by image; of two topics that belong together in another way too. */
export function topicPair(
  value: string,
  others: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [image = "", info = "", ...rest] = value.split("=");
  if (image === "" || info === "" || rest.length > 0) {
    throw new InvalidArgumentError("It must be an image topic, =, and the topic that belongs to it.");
  }
  return { ...others, [image]: info };
}

function millisecondsOrAuto(value: string): bigint | "auto" {
  return value === "auto" ? value : milliseconds(value);
}

/** Gathers `ms` and `camera=ms`. */
function cameraOffset(
  value: string,
  others: Readonly<Record<string, bigint | "auto">> | undefined,
): Readonly<Record<string, bigint | "auto">> {
  const [camera, offset] = value.includes("=")
    ? [value.slice(0, value.lastIndexOf("=")), value.slice(value.lastIndexOf("=") + 1)]
    : [ALL, value];
  return { ...others, [camera]: millisecondsOrAuto(offset) };
}
