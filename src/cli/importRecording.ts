import type { DataSetRecording } from "../bag/importers/dataset/DataSetRecording.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { IMAGE_TYPE } from "../messages/image.js";
import { POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { printFault } from "./printFault.js";
import { Progress } from "./Progress.js";

/** Writes the recording into a bag; warnings and a last line about `source` go to the terminal. */
export async function importRecording(
  recording: DataSetRecording,
  source: string,
  output: string,
): Promise<void> {
  const writer = await McapBagWriter.create(output);
  const progress = new Progress("importing", recording.scanCount, "scans");
  let scans = 0;
  try {
    for await (const message of recording.messages()) {
      await writer.record(message);
      // Raw images are depth images: the scans of a depth camera.
      if (message.type !== POINT_CLOUD2_TYPE && message.type !== IMAGE_TYPE) continue;
      scans++;
      progress.step(recording.warnings.length);
    }
    await writer.close();
  } finally {
    progress.stop();
    await writer.abort();
  }
  for (const { severity, message: text } of recording.warnings) printFault({ severity, text });
  console.log(`${output}: ${scans} scans of ${source}`);
}
