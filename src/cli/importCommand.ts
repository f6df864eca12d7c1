import { Command } from "commander";
import { KittiRawDrive } from "../bag/kitti/KittiRawDrive.js";
import { McapBagWriter } from "../bag/McapBagWriter.js";
import { POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { printFault } from "./printFault.js";
import { Progress } from "./Progress.js";

export function importCommand(): Command {
  return new Command("import").description("make a bag of a data set's recording").addCommand(
    new Command("kitti")
      .description("KITTI raw: scans, rectified images, calibration, and poses where there are oxts packets")
      .argument(
        "<folder>",
        "a drive (2011_09_26_drive_0001_sync), or a day (2011_09_26) with one drive in it",
      )
      .requiredOption("-o, --output <file>", "bag to write (.mcap)")
      .action(async (folder: string, { output }: { output: string }) => {
        const drive = await KittiRawDrive.open(folder);
        const scans = await importDrive(drive, output);
        for (const { severity, message: text } of drive.warnings) printFault({ severity, text });
        console.log(`${output}: ${scans} scans of ${drive.folder}`);
      }),
  );
}

async function importDrive(drive: KittiRawDrive, output: string): Promise<number> {
  const writer = await McapBagWriter.create(output);
  const progress = new Progress("importing", drive.scanCount, "scans");
  let scans = 0;
  try {
    for await (const message of drive.messages()) {
      await writer.record(message);
      if (message.type !== POINT_CLOUD2_TYPE) continue;
      scans++;
      progress.step(drive.warnings.length);
    }
    await writer.close();
    return scans;
  } finally {
    progress.stop();
    await writer.abort();
  }
}
