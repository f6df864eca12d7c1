import { Command } from "commander";
import type { BagSummary } from "../bag/labelling/BagSummary.js";
import { chooseInputs } from "../bag/labelling/chooseInputs.js";
import type { InputOverrides } from "../bag/labelling/InputSelection.js";
import { inspectBag } from "../bag/labelling/inspectBag.js";
import { senseOfScans } from "../bag/labelling/senseOfScans.js";
import { openBag } from "../bag/openBag.js";
import { ofSelectedTypes } from "../bag/labelling/ofSelectedTypes.js";
import { recordedInputs, type RecordedInputs } from "../bag/labelling/RecordedInputs.js";
import { recordedTimes } from "../bag/labelling/recordedTimes.js";
import type { BagReader } from "../bag/types.js";
import { Fault } from "../faults/Fault.js";
import { FaultLog } from "../faults/FaultLog.js";
import { describeIntensity, describeTime, type PointLayout } from "../messages/pointLayout.js";
import { ModelBundle } from "../model/ModelBundle.js";
import { formatTable } from "../report/formatTable.js";
import type { InputOptions } from "../library/InputOptions.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { modelOption } from "./modelOption.js";

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("show what is in a bag, what `ditr run` would use of it, and what is missing")
    .argument("<bag>", "MCAP or .db3 file, also zstd-compressed, or rosbag2 folder");
  return addInputOptions(command)
    .addOption(modelOption())
    .addHelpText(
      "after",
      "\nExit code 0 when the bag was read, also when `ditr run` would not start; what is missing is printed.",
    )
    .action(async (bag: string, flags: InputFlags & { readonly model: string }) => {
      const reader = await openBag(bag);
      try {
        const options = inputOptions(flags);
        const summary = await inspectBag(reader, options);
        console.log(describeBag(summary));
        console.log(describeChoice(summary, options));
        for (const line of await describeRecording(reader, summary, options, flags.model)) console.log(line);
      } finally {
        await reader.close();
      }
    });
}

function describeBag(summary: BagSummary): string {
  const { path, startTime, endTime, topics, clouds, images, cameraInfos, frames, warnings } = summary;
  const seconds = startTime === undefined || endTime === undefined ? 0 : Number(endTime - startTime) / 1e9;
  const details = new Map([
    ...clouds.map(
      ({ topic, frameId, pointCount, fields, layout }) =>
        [topic, `${pointCount} points in ${frameId}: ${fields.join(" ")}${describeLayout(layout)}`] as const,
    ),
    ...images.map(
      ({ topic, frameId, encoding, sizes }) =>
        [topic, `${sizes.length === 0 ? "" : `${sizes[0]!.join("x")} `}${encoding} in ${frameId}`] as const,
    ),
    ...cameraInfos.map(
      ({ topic, first }) => [topic, `${first.width}x${first.height} ${first.distortionModel}`] as const,
    ),
  ]);
  const table = formatTable(
    ["topic", "type", "messages", "Hz", "first message"],
    topics.map(({ topic, type, messageCount, rate }) => [
      topic,
      type,
      String(messageCount),
      rate?.toFixed(1) ?? "-",
      details.get(topic) ?? "",
    ]),
  );
  const tfNamespaces = new Set(frames.map(({ topic }) => topic.slice(0, topic.lastIndexOf("/")))).size;
  const tree = frames.map(
    ({ frame, parent, topic, isStatic, since }) =>
      `  ${parent} -> ${frame}${isStatic ? " (static)" : ""}` +
      (tfNamespaces > 1 ? ` on ${topic}` : "") +
      describeSince(since),
  );
  return [
    `${path}: ${seconds.toFixed(1)} s, ${topics.length} topics`,
    table,
    ...(tree.length > 0 ? ["transforms:", ...tree] : ["transforms: none"]),
    ...warnings.map(({ message }) => `warning: ${message}`),
  ].join("\n");
}

/** Nanoseconds into the recording, of what is not there before. */
function describeSince(since: bigint | undefined): string {
  return since === undefined ? "" : `, from ${(Number(since) / 1e9).toFixed(1)} s on`;
}

function describeLayout({ intensity, time }: PointLayout): string {
  return [
    intensity ? `; intensity: ${describeIntensity(intensity)}` : "; no intensity",
    time ? `; time: ${describeTime(time)}` : "",
  ].join("");
}

function describeChoice(summary: BagSummary, overrides: InputOverrides): string {
  try {
    const { clouds, mergedFrame, cameras, problems, oddities } = chooseInputs(summary, overrides);
    return [
      "ditr run would use:",
      ...clouds.map((cloud) =>
        cloud.kind === "points"
          ? `  cloud ${cloud.topic}`
          : `  points of the depth image ${cloud.topic} with ${cloud.cameraInfoTopic}`,
      ),
      ...(mergedFrame !== undefined ? [`  merged in ${mergedFrame}`] : []),
      ...cameras.map(
        ({ name, imageTopic, cameraInfoTopic, placedSince }) =>
          `  camera ${name}: ${imageTopic} with ${cameraInfoTopic}${describeSince(placedSince)}`,
      ),
      ...(cameras.length === 0 ? ["  no camera: every scan would be labelled image-free"] : []),
      ...oddities.map(({ message }) => `  note: ${message}`),
      ...problems.map(
        ({ code, message }) => `  ${code === "transforms-conflict" ? "note" : "not used"}: ${message}`,
      ),
    ].join("\n");
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [`ditr run would not start: ${error.message}`, ...cloudChoice(summary, overrides)].join("\n");
  }
}

/** What the points of the chosen inputs are to the model, and what their stamps would do to a run. */
async function describeRecording(
  reader: BagReader,
  summary: BagSummary,
  options: InputOptions,
  model: string,
): Promise<readonly string[]> {
  try {
    const unread = new Map<string, { readonly fault: Fault; count: number }>();
    const faults = new FaultLog({
      onRecord: (fault) => {
        const key = `${fault.code} ${fault.place?.topic ?? ""}`;
        const known = unread.get(key);
        if (known !== undefined) known.count++;
        else unread.set(key, { fault, count: 1 });
      },
    });
    const selection = chooseInputs(summary, options);
    const selected = ofSelectedTypes(reader, selection);
    const inputs = await recordedInputs(selected, selection, { ...options, faults, impression: true });
    return [
      ...(await senseLines(selected, inputs, options, model)),
      ...[...unread.values()]
        .filter(({ fault }) => !summary.warnings.some(({ message }) => message.startsWith(fault.message)))
        .map(({ fault, count }) => `  ${fault.message}${count > 1 ? ` (${count} in all)` : ""}`),
      ...recordedTimes(reader, inputs).map((line) => `  ${line}`),
    ];
  } catch (error) {
    // Without a choice there is nothing to look at, which was said.
    if (error instanceof Fault) return [];
    throw error;
  }
}

async function senseLines(
  reader: BagReader,
  inputs: RecordedInputs,
  options: InputOptions,
  model: string,
): Promise<readonly string[]> {
  try {
    const { manifest } = await ModelBundle.load(model);
    const faults = await senseOfScans(reader, inputs, manifest, options);
    return faults.map(({ message }) => `warning: ${message}`);
  } catch (error) {
    if (error instanceof Fault) return [`warning: ${error.message}`];
    throw error;
  }
}

/** The option for each cloud, where there are several and none was named. */
function cloudChoice({ clouds }: BagSummary, { cloudTopics }: InputOverrides): readonly string[] {
  if (cloudTopics !== undefined || clouds.length < 2) return [];
  return clouds.map(
    ({ topic, messageCount, pointCount, frameId }) =>
      `  --cloud ${topic}: ${messageCount} clouds, the first of ${pointCount} points in ${frameId}`,
  );
}
