import type { DataSetRecording } from "../bag/importers/dataset/DataSetRecording.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { IMAGE_TYPE } from "../messages/image.js";
import { POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { checkOutputs } from "../files/checkOutputs.js";
import { EXIT } from "./exitCodes.js";
import { exitCodeOf, Interruption } from "./Interruption.js";
import { printFault } from "./printFault.js";
import { Progress } from "./Progress.js";

export interface ImportOutput {
  readonly output: string;
  readonly force: boolean;
}

/**
 * Opens a recording of a data set folder and writes it into a bag; warnings and a last line about it go to the terminal.
 * Exits with the code for an incomplete result when scans of the data set are not in the bag. A run that is stopped ends
 * with a finished bag of what was written until then.
 * @param sourceOf what was imported, for the last line
 */
export async function importRecording<R extends DataSetRecording>(
  folder: string,
  { output, force }: ImportOutput,
  open: () => Promise<R>,
  sourceOf: (recording: R) => string = () => folder,
): Promise<void> {
  await checkOutputs({ inputs: [folder], files: [output], force });
  const recording = await open();
  const interruption = new Interruption("the bag");
  interruption.listen();
  const writer = await McapBagWriter.create(output, { force });
  const progress = new Progress("importing", recording.scanCount, "scans");
  let scans = 0;
  try {
    for await (const message of recording.messages()) {
      if (interruption.isAsked()) break;
      await writer.record(message);
      // Raw images are depth images: the scans of a depth camera.
      if (message.type !== POINT_CLOUD2_TYPE && message.type !== IMAGE_TYPE) continue;
      scans++;
      progress.step(recording.warnings.length);
    }
    if (interruption.stoppedBy === undefined || scans > 0) await writer.close();
  } finally {
    interruption.close();
    progress.stop();
    await writer.abort();
  }
  for (const { severity, message: text } of recording.warnings) printFault({ severity, text });
  const { stoppedBy } = interruption;
  if (stoppedBy === undefined) {
    const isWhole = scans === recording.scanCount;
    const count = isWhole ? `${scans}` : `${scans} of ${recording.scanCount}`;
    console.log(`${output}: ${count} scans of ${sourceOf(recording)}`);
    if (!isWhole || recording.mayLackScans === true) process.exitCode = EXIT.incomplete;
    return;
  }
  const kept = scans === 0 ? "is not written" : `has the first ${scans} of ${recording.scanCount} scans`;
  console.log(`stopped by ${stoppedBy}: ${output} ${kept} of ${sourceOf(recording)}`);
  process.exitCode = exitCodeOf(stoppedBy);
}
