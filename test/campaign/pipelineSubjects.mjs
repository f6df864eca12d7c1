// Recorded drives with damaged messages, from the bag to the labelled bag: synchronization, transforms, both workers.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { McapBagWriter } from "../../dist/bag/mcap/McapBagWriter.js";
import { openBag } from "../../dist/bag/openBag.js";
import { encodeRecorded } from "../../dist/bag/RecordedMessage.js";
import { runBag } from "../../dist/cli/runBag.js";
import { decodeHeader } from "../../dist/messages/header.js";
import { simulateDrive } from "../../dist/simulation/simulateDrive.js";
import { MODEL_FOLDER } from "./manifest.mjs";
import { mutate } from "./mutate.mjs";

const SCANS = 12;
const CLOUD = "sensor_msgs/msg/PointCloud2";
const NANOSECONDS_PER_SCAN = 100_000_000n;

async function drive() {
  const messages = [];
  const cameras = [{ name: "front", width: 160, height: 80 }];
  const options = { seed: 3, scanCount: SCANS, lidar: "vlp-16", columns: 60, cameras, transformRate: 20 };
  for await (const message of simulateDrive(options)) {
    messages.push({
      topic: message.topic,
      type: message.type,
      logTime: message.stamp,
      cdr: encodeRecorded(message),
    });
  }
  return messages;
}

function stampOf(cdr) {
  try {
    return decodeHeader(cdr).stamp;
  } catch (error) {
    if (error.name === "Fault") return undefined;
    throw error;
  }
}

/** One case is one drive in which a third of the messages are damaged. */
const damagedDrive = {
  async create() {
    const messages = await drive();
    const folder = mkdtempSync(path.join(tmpdir(), "ditr-campaign-"));
    return {
      async run(random) {
        const file = path.join(folder, "drive.mcap");
        const writer = await McapBagWriter.create(file, { force: true });
        const intact = [];
        for (const { topic, type, logTime, cdr } of messages) {
          // A cloud whose stamp lies is told apart by nobody; it is damaged behind its stamp.
          const isDamaged = random.below(3) === 0;
          let data = isDamaged ? mutate(cdr, random).bytes : cdr;
          if (isDamaged && type === CLOUD) {
            const stamp = stampOf(data);
            if (stamp !== undefined && stamp !== stampOf(cdr)) data = cdr.slice(0, random.below(cdr.length));
          }
          if (type === CLOUD && data === cdr) intact.push(stampOf(cdr).toString());
          await writer.write(topic, type, { logTime }, data);
        }
        await writer.close();
        const reader = await openBag(file);
        const labelled = new Set();
        try {
          const { recorder } = await runBag(reader, {
            output: path.join(folder, "labelled.mcap"),
            force: true,
            model: MODEL_FOLDER,
            provider: "cpu",
            threads: 1,
            fusion: { mode: "auto", minImages: 1, minSeenShare: 0.02, seenShareHysteresis: 0.005 },
            tolerance: NANOSECONDS_PER_SCAN / 2n,
            copy: "tf",
            cloudTopics: ["/lidar/points"],
          });
          for (const { stamp, mode } of recorder.scans) if (mode !== "failed") labelled.add(stamp);
        } catch (error) {
          throw new Error(`the run stopped: ${error.message}`, { cause: error });
        } finally {
          await reader.close();
        }
        const lost = intact.filter((stamp) => !labelled.has(stamp));
        if (lost.length > 0)
          throw new Error(`${lost.length} of ${intact.length} intact scans were not labelled: ${lost}`);
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};

export const subjects = { "drive, labelled": damagedDrive };
