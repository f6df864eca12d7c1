import { Worker } from "node:worker_threads";
import { Fault } from "../../faults/Fault.js";
import { RequestWorker } from "../../model/RequestWorker.js";
import { BLOCK, type KeptMessage } from "./MessageRing.js";
import { recordedTimes } from "./recordedTimes.js";
import type { RecordingCommand, RecordingReply } from "./recordingProtocol.js";
import type { StandingMessage } from "./StandingMessages.js";

/** What was written. */
export interface WrittenRecording {
  readonly fileBytes: number;
  /** Of `kept`: all of them, unless it was enough before. */
  readonly messages: number;
}

/** A disk that takes longer for a megabyte, or for the index, does not work. */
const ANSWER_WITHIN_MS = 20_000;
/** So long is written in any case once the file is open: starting the thread may take its time on a busy machine. */
const LEAST_WRITING_MS = 500;

/**
 * Writes an MCAP file in a thread of its own: what stands first, at the time of the first message. This thread only
 * hands over a buffer at a time and takes it back, so that neither the messages are copied nor the event loop blocked.
 *
 * @param kept oldest first; each is released from `held` when it was written
 * @param enough when aborted, soon nothing more is added and the file is finished with what it has
 * @throws Fault `bag-unwritable`; nothing is left on the disk then, unless it has hung
 */
export async function writeRecording(
  file: string,
  standing: readonly StandingMessage[],
  kept: KeptMessage[],
  enough: AbortSignal,
): Promise<WrittenRecording> {
  const worker = new RequestWorker<RecordingCommand, RecordingReply>(
    new Worker(new URL("./recordingThread.js", import.meta.url)),
    "recording",
  );
  const times = recordedTimes(kept.map(({ time }) => time));
  let id = 0;
  const ask = async (command: RecordingCommand, transfer: ArrayBuffer[] = []): Promise<RecordingReply> => {
    const reply = await answerInTime(file, worker.ask(command, transfer));
    if (reply.kind === "failed") throw new RefusedWrite(reply.code, reply.message, reply.cdr);
    return reply;
  };
  let messages = 0;
  let hangs = false;
  try {
    await ask({ kind: "open", id: id++, file });
    const opened = performance.now();
    for (const { topic, type, cdr } of standing) {
      await ask({ kind: "write", id: id++, topic, type, logTime: times[0] ?? 0n, cdr }, [cdr.buffer]);
    }
    for (const [index, message] of kept.entries()) {
      if (enough.aborted && performance.now() - opened > LEAST_WRITING_MS) break;
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
      messages++;
    }
    const closed = await ask({ kind: "close", id: id++ });
    return { fileBytes: closed.kind === "closed" ? closed.fileBytes : 0, messages };
  } catch (error) {
    hangs = error instanceof SlowDisk;
    throw error;
  } finally {
    for (const message of kept) message.held = false;
    const closed = worker.close();
    // A thread that waits for its disk cannot be ended before that answers.
    if (!hangs) await closed;
  }
}

class SlowDisk extends Fault {}

async function answerInTime<T>(file: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const sentence = `${file} cannot be written: the disk has not answered for ${ANSWER_WITHIN_MS / 1000} s`;
      reject(new SlowDisk("bag-unwritable", sentence));
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
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
