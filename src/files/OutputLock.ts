import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import path from "node:path";

/**
 * Says to all processes of this machine that an output is being written. It is a local socket with a name that is made of
 * the file's place and is no file itself, so that it is gone with its process, however that ends. Where the system has no
 * such sockets (macOS) the lock holds nobody off, and a partial file alone tells of another run.
 */
export class OutputLock {
  readonly #server: Server | undefined;

  private constructor(server: Server | undefined) {
    this.#server = server;
  }

  /**
   * @param file in a folder that exists
   * @returns undefined while another process, or another output of this one, holds it
   */
  static async acquire(file: string): Promise<OutputLock | undefined> {
    const name = await socketName(file);
    if (name === undefined) return new OutputLock(undefined);
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ path: name, exclusive: true }, resolve);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
      return new OutputLock(undefined);
    }
    server.unref();
    return new OutputLock(server);
  }

  async release(): Promise<void> {
    const server = this.#server;
    if (server?.listening !== true) return;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  }
}

/** Is another process, or another output of this one, writing the file now? */
export async function isBeingWritten(file: string): Promise<boolean> {
  const lock = await OutputLock.acquire(file);
  await lock?.release();
  return lock === undefined;
}

async function socketName(file: string): Promise<string | undefined> {
  const { dev, ino } = await stat(path.dirname(path.resolve(file)), { bigint: true });
  const place = createHash("sha256")
    .update(`${dev.toString()}:${ino.toString()}/${path.basename(file)}`)
    .digest("hex")
    .slice(0, 32);
  if (process.platform === "linux") return `\0ditr-output-${place}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\ditr-output-${place}` : undefined;
}
