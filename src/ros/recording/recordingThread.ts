import { stat } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { McapBagWriter } from "../../bag/mcap/McapBagWriter.js";
import { LATCHED_QOS } from "../../bag/qosProfile.js";
import { Fault } from "../../faults/Fault.js";
import type { RecordingCommand, RecordingReply } from "./recordingProtocol.js";
import { isStaticTf } from "./StandingMessages.js";

/** The thread behind RecordingWriter: copying into chunks, compression, checksums and the disk. */

/** Each publisher of static transforms has a message of its own that a late joiner needs. */
const STATIC_TF_QOS = { ...LATCHED_QOS, depth: 100 };

// On Linux this is the priority of this thread alone: a machine that is busy labels first, and records then.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const port = parentPort!;
let writer: McapBagWriter | undefined;
const announced = new Set<string>();

async function answer(command: RecordingCommand): Promise<RecordingReply> {
  const { id } = command;
  switch (command.kind) {
    case "open":
      writer = await McapBagWriter.create(command.file);
      return { kind: "opened", id };
    case "write": {
      const { topic, type, logTime, cdr } = command;
      if (!announced.has(topic)) {
        announced.add(topic);
        await writer!.addTopic(topic, type, isStaticTf(topic, type) ? { qos: STATIC_TF_QOS } : {});
      }
      await writer!.write(topic, type, { logTime }, cdr);
      return { kind: "written", id, cdr };
    }
    case "close": {
      await writer!.close();
      const { size } = await stat(writer!.path);
      return { kind: "closed", id, fileBytes: size };
    }
  }
}

function reply(message: RecordingReply): void {
  port.postMessage(message, "cdr" in message ? [message.cdr.buffer] : []);
}

port.on("message", (command: RecordingCommand) => {
  answer(command).then(reply, async (error: unknown) => {
    await writer?.abort();
    // What is not a Fault is a defect: it ends the thread.
    if (!(error instanceof Fault)) throw error;
    const { code, message } = error;
    const cdr = command.kind === "write" ? { cdr: command.cdr } : {};
    reply({ kind: "failed", id: command.id, code, message, ...cdr });
  });
});
