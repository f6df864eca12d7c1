import { Worker } from "node:worker_threads";
import { Fault } from "../../faults/Fault.js";
import { RequestWorker } from "../../model/RequestWorker.js";
import { BLOCK, type KeptMessage } from "./MessageRing.js";
import { recordedTimes } from "./recordedTimes.js";
import type { RecordingCommand, RecordingReply } from "./recordingProtocol.js";
import type { StandingMessage } from "./StandingMessages.js";

/**
 * Writes an MCAP file in a thread of its own: what stands first, at the time of the first message. This thread only
 * hands over a buffer at a time and takes it back, so that neither the messages are copied nor the event loop blocked.
 *
 * @param kept oldest first; each is released from `held` when it was written
 * @returns the size of the file in bytes
 * @throws Fault `bag-unwritable`; nothing is left on the disk then
 */
export async function writeRecording(
  file: string,
  standing: readonly StandingMessage[],
  kept: KeptMessage[],
): Promise<number> {
  const worker = new RequestWorker<RecordingCommand, RecordingReply>(
    new Worker(new URL("./recordingThread.js", import.meta.url)),
    "recording",
  );
  const times = recordedTimes(kept.map(({ time }) => time));
  let id = 0;
  const ask = async (command: RecordingCommand, transfer: ArrayBuffer[] = []): Promise<RecordingReply> => {
    const reply = await worker.ask(command, transfer);
    if (reply.kind === "failed") throw new RefusedWrite(reply.code, reply.message, reply.cdr);
    return reply;
  };
  try {
    await ask({ kind: "open", id: id++, file });
    for (const { topic, type, cdr } of standing) {
      await ask({ kind: "write", id: id++, topic, type, logTime: times[0] ?? 0n, cdr }, [cdr.buffer]);
    }
    for (const [index, message] of kept.entries()) {
      const { topic, type, cdr } = message;
      const write = { kind: "write", id: id++, topic, type, logTime: times[index]!, cdr } as const;
      try {
        // Small messages are copied: they stay readable for whom they concern when they leave the ring.
        const isLent = message.byteLength >= BLOCK;
        const reply = await ask(write, isLent ? [cdr.buffer] : []);
        if (reply.kind === "written") message.cdr = reply.cdr;
      } catch (error) {
        if (error instanceof RefusedWrite && error.cdr !== undefined) message.cdr = error.cdr;
        throw error;
      }
      message.held = false;
    }
    const closed = await ask({ kind: "close", id: id++ });
    return closed.kind === "closed" ? closed.fileBytes : 0;
  } finally {
    for (const message of kept) message.held = false;
    await worker.close();
  }
}

/** What the disk refused, with the buffer that comes back all the same. */
class RefusedWrite extends Fault {
  readonly cdr: Uint8Array<ArrayBuffer> | undefined;

  constructor(code: Fault["code"], message: string, cdr: Uint8Array<ArrayBuffer> | undefined) {
    super(code, message);
    this.cdr = cdr;
  }
}
