import path from "node:path";
import { Command } from "commander";
import { bagFiles, openBag } from "../bag/openBag.js";
import type { BagReader } from "../bag/types.js";
import type { RgbImage } from "../camera/RgbImage.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog } from "../faults/FaultLog.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { writeOutput } from "../files/writeOutput.js";
import { Animation, ANIMATIONS } from "../report/animatePictures.js";
import { encodePng } from "../report/renderLabelledScan.js";
import { scanExtent } from "../report/scanExtent.js";
import { positiveNumber, wholeNumber } from "./arguments.js";
import { drawScan } from "./drawScan.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { labelledScans, type DrawableScan } from "./labelledScans.js";
import { printFault } from "./printFault.js";
import { Progress } from "./Progress.js";

interface DrawFlags extends InputFlags {
  readonly output: string;
  readonly scan?: number;
  readonly scans: number;
  readonly width: number;
  readonly range?: number;
  /** Draw them. */
  readonly images: boolean;
  readonly force: boolean;
}

export function drawCommand(): Command {
  const command = new Command("draw")
    .description("a picture of a labelled scan with its camera images, or an animation of a drive")
    .argument("<bag>", "a bag that `ditr run` wrote, or one with clouds of the live node")
    .requiredOption("-o, --output <file>", "picture (.png) or animation (.webp, .gif)")
    .option("--scan <number>", "which scan is drawn, from 1 (default: the first)", wholeNumber)
    .option("--scans <count>", "at most this many scans in an animation", wholeNumber, 100)
    .option("--width <pixels>", "of an animation", wholeNumber, 960)
    .option(
      "--range <metres>",
      "from the sensor to the edge of the view (default: by the first scan)",
      positiveNumber,
    )
    .option("--no-images", "only the points");
  return addInputOptions(command)
    .addOption(forceOption())
    .action(async (bag: string, flags: DrawFlags) => {
      const animation = ANIMATIONS[path.extname(flags.output).toLowerCase() as keyof typeof ANIMATIONS];
      const isPicture = path.extname(flags.output).toLowerCase() === ".png";
      if (!isPicture && (animation as string | undefined) === undefined) {
        command.error(`error: ${flags.output} is none of .png, ${Object.keys(ANIMATIONS).join(", ")}`);
      }
      if (flags.scan === 0) command.error("error: --scan 0: the first scan is 1");
      if (flags.scans === 0 || flags.width < 16)
        command.error("error: --scans 1 and --width 16 are the least");
      const { output, force } = flags;
      await checkOutputs({
        inputs: [...(await bagFiles(bag)), bag],
        bagFolders: [bag],
        files: [output],
        force,
      });
      const faults = new FaultLog({ announce: printFault });
      const reader = await openBag(bag);
      try {
        const drawn = isPicture
          ? await drawPicture(reader, flags, faults)
          : await drawAnimation(reader, flags, animation, faults);
        await writeOutput(output, drawn.file, { force });
        console.log(`${output}: ${drawn.what}`);
        if (faults.hasErrors || drawn.damaged > 0) process.exitCode = EXIT.incomplete;
      } finally {
        await reader.close();
      }
    });
}

interface Drawn {
  readonly file: Uint8Array;
  readonly what: string;
  /** Scans that would be in it and cannot be read. */
  readonly damaged: number;
}

async function drawPicture(bag: BagReader, flags: DrawFlags, faults: FaultLog): Promise<Drawn> {
  const wanted = flags.scan ?? 1;
  const options = { ...inputOptions(flags), maxScans: wanted, withImages: flags.images, withBoxes: true };
  let scans = 0;
  let total = 0;
  for await (const scan of labelledScans(bag, options, faults)) {
    scans = scan.number;
    total = scan.total;
    if (scan.number < wanted) continue;
    const picture = await drawOne(scan, flags, flags.range);
    return { file: await encodePng(picture), what: `scan ${scan.number} of ${scan.total}`, damaged: 0 };
  }
  if (wanted <= total) {
    throw new Fault("data-set-unreadable", `--scan ${wanted}: this scan of ${bag.path} cannot be read`);
  }
  throw new Fault(
    "invalid-configuration",
    scans === 0
      ? `${bag.path} has no labelled scan that can be drawn`
      : `--scan ${wanted}: ${bag.path} has only ${scans} scans that can be drawn`,
  );
}

async function drawAnimation(
  bag: BagReader,
  flags: DrawFlags,
  format: (typeof ANIMATIONS)[keyof typeof ANIMATIONS],
  faults: FaultLog,
): Promise<Drawn> {
  const first = flags.scan ?? 1;
  const options = {
    ...inputOptions(flags),
    maxScans: first + flags.scans - 1,
    withImages: flags.images,
    withBoxes: true,
  };
  const animation = new Animation(flags.width);
  let progress: Progress | undefined;
  let range = flags.range;
  let [last, total]: [RgbImage | undefined, number] = [undefined, 0];
  let lastStamp = 0n;
  try {
    for await (const scan of labelledScans(bag, options, faults)) {
      total = scan.total;
      progress ??= new Progress("drawing", Math.min(total, options.maxScans), "scans");
      progress.step(faults.total);
      if (scan.number < first) continue;
      // One range for all, so that nothing jumps.
      range ??= scanExtent(scan.xyz).range;
      const picture = await drawOne(scan, flags, range);
      if (last !== undefined) await animation.add(last, Number(scan.stamp - lastStamp) / 1e6);
      [last, lastStamp] = [sameShape(picture, last), scan.stamp];
    }
  } finally {
    progress?.stop();
  }
  if (last === undefined) {
    throw new Fault("invalid-configuration", `${bag.path} has no labelled scan from number ${first} on`);
  }
  await animation.add(last, 1000);
  const damaged = Math.min(total, options.maxScans) - (first - 1) - animation.frames;
  const left = Math.max(0, total - options.maxScans);
  const rest = [
    ...(damaged > 0 ? [`, ${damaged} that cannot be read`] : []),
    ...(left > 0 ? [`, ${left} further scans are left out (--scans)`] : []),
  ].join("");
  return {
    file: await animation.encode(format),
    what: `${animation.frames} scans of ${total}${rest}`,
    damaged,
  };
}

function drawOne(
  scan: DrawableScan,
  { images: withImages }: DrawFlags,
  range: number | undefined,
): Promise<RgbImage> {
  const title = `scan ${scan.number} of ${scan.total}`;
  return drawScan(scan, { title, withImages, ...(range !== undefined && { range }) });
}

/** A scan whose images are missing leaves the strip empty: the picture keeps the shape of those before. */
function sameShape(picture: RgbImage, before: RgbImage | undefined): RgbImage {
  if (before === undefined || before.height === picture.height) return picture;
  const data = new Uint8Array(before.data.length);
  data.set(picture.data.subarray(0, data.length));
  return { width: before.width, height: before.height, data };
}
