import { Command, Option } from "commander";
import { GROUND_TRUTH_FIELD } from "../bag/importers/dataset/groundTruth.js";
import { bagFiles } from "../bag/openBag.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { GROUND_TRUTH_BOXES_TOPIC } from "../messages/boxDetections.js";
import { faultLines } from "../report/RunRecorder.js";
import { wholeNumber } from "./arguments.js";
import { EXIT } from "./exitCodes.js";
import { forceOption } from "./forceOption.js";
import { addInputOptions, inputOptions, topicPair, type InputFlags } from "./inputOptions.js";
import { exitCodeOf, Interruption } from "./Interruption.js";
import { printFault } from "./printFault.js";
import { sampleBags, type SampleBagsResult, type SampledBagResult } from "./sampleBags.js";

interface SamplesFlags extends InputFlags {
  readonly output: string;
  readonly labelField?: string;
  readonly semantic?: Readonly<Record<string, string>>;
  readonly regions?: Readonly<Record<string, string>>;
  readonly boxes?: string;
  readonly maxScans?: number;
  readonly force: boolean;
}

export function samplesCommand(): Command {
  const command = new Command("samples")
    .description("make training samples of recorded bags: what `ditr run` would give a model, for ditr-train")
    .argument("<bag...>", "MCAP or .db3 files, also zstd-compressed, or rosbag2 folders")
    .requiredOption("-o, --output <folder>", "folder of the samples");
  return addInputOptions(command)
    .option("--label-field <name>", `field of the clouds with class ids (default: ${GROUND_TRUTH_FIELD})`)
    .addOption(
      new Option(
        "--semantic <image=ids...>",
        "images of class ids that belong to an image topic (default: semantic beside the images)",
      ).argParser(topicPair),
    )
    .addOption(
      new Option(
        "--regions <image=ids...>",
        "images of region ids that belong to an image topic (default: regions beside the images)",
      ).argParser(topicPair),
    )
    .option(
      "--boxes <topic>",
      `true boxes, vision_msgs/msg/Detection3DArray with the stamps of the clouds (default: ${GROUND_TRUTH_BOXES_TOPIC})`,
    )
    .option("--max-scans <count>", "stop after this many scans of each bag", wholeNumber)
    .addOption(forceOption())
    .addHelpText(
      "after",
      `
A bag without the label field gives samples without labels. An option that names an image topic holds for the bags that
have it. Exit code ${EXIT.incomplete} when some scans were lost: what is printed says why. Ctrl-C ends with finished samples of what was
read until then, and exit code ${EXIT.interrupted}. The layout: docs/training-samples.md.`,
    )
    .action(async (bags: readonly string[], flags: SamplesFlags) => {
      const { output, force, labelField, semantic, regions, boxes, maxScans } = flags;
      const files = await Promise.all(bags.map((bag) => bagFiles(bag)));
      await checkOutputs({
        inputs: [...files.flat(), ...bags],
        bagFolders: bags,
        files: [],
        folders: [output],
        force,
      });
      const interruption = new Interruption("the scan at hand");
      try {
        const given = inputOptions(flags);
        const result = await sampleBags(bags, {
          ...given,
          labelField: labelField ?? GROUND_TRUTH_FIELD,
          requireLabels: labelField !== undefined,
          ...(semantic && { semanticTopics: semantic }),
          ...(regions && { regionTopics: regions }),
          ...(boxes !== undefined && { boxesTopic: boxes }),
          ...(maxScans !== undefined && { maxScans }),
          output,
          force,
          given: JSON.parse(JSON.stringify(given, bigintText)),
          announce: printFault,
          interruption,
        });
        console.log(samplesReport(result));
        process.exitCode = exitCode(result);
      } finally {
        interruption.close();
      }
    });
}

/** Nanoseconds as numbers of JSON: offsets and tolerances are small. */
function bigintText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function exitCode({ bags, stoppedBy }: SampleBagsResult): number {
  if (stoppedBy !== undefined) return exitCodeOf(stoppedBy);
  return bags.some(({ scans }) => scans.isIncomplete) ? EXIT.incomplete : EXIT.ok;
}

/** What the command prints. */
export function samplesReport({ output, bags, seconds, stoppedBy }: SampleBagsResult): string {
  const written = sum(bags, ({ scans, empty }) => scans.labelled - empty);
  const stop =
    stoppedBy === undefined
      ? []
      : [
          written === 0
            ? `stopped by ${stoppedBy} before the first scan was read: ${output} is not written`
            : `stopped by ${stoppedBy}: ${output} is complete up to there, and has nothing of the rest`,
        ];
  return [
    ...stop,
    `${output}: ${written} scans of ${bags.length} ${bags.length === 1 ? "bag" : "bags"}, ` +
      `${sum(bags, ({ withLabels }) => withLabels)} with labels, ${sum(bags, ({ withImages }) => withImages)} with images, ` +
      `${sum(bags, ({ withBoxes }) => withBoxes)} with boxes, ` +
      `${(written / seconds).toFixed(2)} scans/s`,
    ...bags.flatMap(bagLines),
  ].join("\n");
}

/** Nothing about a bag that went through as a whole. */
function bagLines({ path, scans: { lost, total }, empty, faults }: SampledBagResult): string[] {
  const lines = [
    ...(lost > 0 ? [`${lost} of ${total} scans are lost; what follows says why`] : []),
    ...(empty > 0 ? [`${empty} of ${total} scans have no measured point and are left out`] : []),
    ...faultLines(faults.summary()),
  ];
  return lines.map((line) => `  ${path}: ${line}`);
}

function sum(bags: readonly SampledBagResult[], count: (bag: SampledBagResult) => number): number {
  return bags.reduce((total, bag) => total + count(bag), 0);
}
