import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { McapBagWriter } from "../../bag/mcap/McapBagWriter.js";
import { openBag } from "../../bag/openBag.js";
import { encodeRecorded } from "../../bag/RecordedMessage.js";
import type { BagMessage } from "../../bag/types.js";
import { Fault } from "../../faults/Fault.js";
import { simulateDrive } from "../../simulation/simulateDrive.js";
import type { SimulateDriveOptions } from "../../simulation/SimulateDriveOptions.js";
import { cacheFile, tidyCache } from "./driveCache.js";
import { cutIntoTurns, type DrivePart } from "./DriveTurn.js";

/** The thread that simulates the drive, or reads it from the cache, and ends. */

export interface DriveWorkerData {
  readonly options: SimulateDriveOptions;
  /** Undefined: simulate, and keep nothing. */
  readonly cacheFolder: string | undefined;
}

export type DriveWorkerReply =
  | { readonly kind: "part"; readonly part: DrivePart }
  /** Comes first. */
  | { readonly kind: "source"; readonly cached: boolean }
  /** The cache cannot be used; the drive comes nevertheless. */
  | { readonly kind: "warning"; readonly text: string }
  /** Options that cannot be simulated. */
  | { readonly kind: "fault"; readonly text: string };

type Recorded = Pick<BagMessage, "topic" | "type" | "logTime" | "data">;

const port = parentPort!;
const { options, cacheFolder } = workerData as DriveWorkerData;

function reply(message: DriveWorkerReply): void {
  const turn = message.kind === "part" && message.part.kind === "turn" ? message.part.turn : undefined;
  port.postMessage(
    message,
    turn?.messages.map(({ cdr }) => cdr.buffer),
  );
}

/** Writes the drive into the cache as far as the disk allows; the drive goes on in any case. */
class DriveKeeper {
  readonly #file: string;
  #writer: McapBagWriter | undefined;

  private constructor(file: string) {
    this.#file = file;
  }

  static async create(file: string): Promise<DriveKeeper> {
    const keeper = new DriveKeeper(file);
    await keeper.#unlessRefused(async () => {
      // What a simulator that was killed left is of no use to anybody.
      keeper.#writer = await McapBagWriter.create(file, { force: true });
    });
    return keeper;
  }

  async write({ topic, type, logTime, data }: Recorded): Promise<void> {
    await this.#unlessRefused(() => this.#writer?.write(topic, type, { logTime }, data));
  }

  async close(): Promise<void> {
    await this.#unlessRefused(async () => {
      if (this.#writer === undefined) return;
      await this.#writer.close();
      await tidyCache(this.#file);
    });
  }

  async #unlessRefused(action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await this.#writer?.abort();
      this.#writer = undefined;
      reply({ kind: "warning", text: `the drive is not kept for the next start: ${error.message}` });
    }
  }
}

async function* simulated(keeper: DriveKeeper | undefined): AsyncGenerator<Recorded> {
  for await (const message of simulateDrive(options)) {
    const { topic, type, stamp: logTime } = message;
    const recorded = { topic, type, logTime, data: encodeRecorded(message) };
    await keeper?.write(recorded);
    yield recorded;
  }
}

async function simulate(file: string | undefined): Promise<void> {
  reply({ kind: "source", cached: false });
  const keeper = file === undefined ? undefined : await DriveKeeper.create(file);
  for await (const part of cutIntoTurns(simulated(keeper), options.scanCount)) reply({ kind: "part", part });
  await keeper?.close();
}

/** Whatever is wrong with the file, it is deleted, so that the next start simulates. */
async function read(file: string): Promise<void> {
  try {
    const bag = await openBag(file);
    try {
      reply({ kind: "source", cached: true });
      for await (const part of cutIntoTurns(bag.messages(), options.scanCount)) reply({ kind: "part", part });
    } finally {
      await bag.close();
    }
  } catch (error) {
    await rm(file, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(
      "bag-damaged",
      `the drive that was kept is damaged and now deleted; start again (${reason})`,
    );
  }
  await tidyCache(file);
}

try {
  const file = cacheFolder === undefined ? undefined : await cacheFile(cacheFolder, options);
  if (file !== undefined && existsSync(file)) await read(file);
  else await simulate(file);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  reply({ kind: "fault", text: error.message });
}
