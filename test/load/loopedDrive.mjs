// A simulated drive that repeats without end, as messages and as scans with their images.
import { encodeRecorded } from "../../dist/bag/RecordedMessage.js";
import { encodeTFMessage, TF_MESSAGE_TYPE } from "../../dist/messages/tfMessage.js";
import { ExampleDrive } from "../../dist/simulation/exampleDrive.js";

const SCAN_NS = 100_000_000n;

export async function loopedDrive({ scans, columns }) {
  const cameras = ["front", "rear"].map((name) => ({ name, width: 640, height: 320 }));
  const drive = await ExampleDrive.record({ scanCount: scans, lidar: "vlp-16", columns, cameras });
  const start = drive.messages[0].stamp;
  const length = BigInt(scans) * SCAN_NS;
  const messages = drive.messages.map((message) => ({ message, cdr: encodeRecorded(message) }));
  return { drive, start, length, messages };
}

/** A copy of a message with its stamps `shift` nanoseconds later. */
export function shifted({ message, cdr }, shift) {
  if (message.type === TF_MESSAGE_TYPE) {
    const transforms = message.message.transforms.map((transform) => ({
      ...transform,
      header: { ...transform.header, stamp: transform.header.stamp + shift },
    }));
    return encodeTFMessage({ transforms });
  }
  const copy = Uint8Array.from(cdr);
  const stamp = message.message.header.stamp + shift;
  const view = new DataView(copy.buffer);
  view.setInt32(4, Number(stamp / 1_000_000_000n), true);
  view.setUint32(8, Number(stamp % 1_000_000_000n), true);
  return copy;
}

/**
 * Publishes the drive in its own time, again and again, with the stamps of now.
 * @param publish gets topic, type and CDR
 * @returns its end
 */
export function play({ start, length, messages }, publish) {
  const begin = performance.now();
  const epoch = BigInt(Date.now()) * 1_000_000n;
  let [index, loop] = [0, 0n];
  let timer;
  const step = () => {
    for (;;) {
      const { message } = messages[index];
      const due = message.stamp - start + loop * length;
      const wait = Number(due) / 1e6 - (performance.now() - begin);
      if (wait > 0) {
        timer = setTimeout(step, wait);
        return;
      }
      publish(message.topic, message.type, shifted(messages[index], epoch - start + loop * length));
      index = (index + 1) % messages.length;
      if (index === 0) loop++;
    }
  };
  step();
  return () => clearTimeout(timer);
}
