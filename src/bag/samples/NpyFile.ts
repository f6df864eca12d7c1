import { OutputFile, type OutputOptions } from "../../files/OutputFile.js";
import { asUnwritable } from "../../files/systemError.js";
import { npyHeader } from "../../report/npy.js";

/** Bytes that are gathered before they are written. */
const BUFFERED = 1 << 20;

export interface RowType {
  /** The dtype of an element as Python writes it: `'<f4'`, or the list of a structured one. */
  readonly descr: string;
  /** Extents of a row behind the first. */
  readonly rowShape?: readonly number[];
}

/** A .npy file that grows row by row; as OutputFile, it has its name when it is whole. */
export class NpyFile {
  readonly #output: OutputFile;
  readonly #type: RowType;
  readonly #headerBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(output: OutputFile, type: RowType, headerBytes: number) {
    this.#output = output;
    this.#type = type;
    this.#headerBytes = headerBytes;
  }

  /** @throws Fault as `OutputFile.create` */
  static async create(file: string, type: RowType, options: OutputOptions): Promise<NpyFile> {
    const output = await OutputFile.create(file, options);
    // Room for any number of rows: how many they are is known at the end.
    const header = headerOf(type, Number.MAX_SAFE_INTEGER);
    const npy = new NpyFile(output, type, header.length);
    npy.#take(header);
    return npy;
  }

  /** The bytes, little-endian, of any number of rows; they must not change any more. */
  async append(rows: Uint8Array): Promise<void> {
    this.#take(rows);
    if (this.#pendingBytes >= BUFFERED) await this.#flush();
  }

  /** @throws Fault as `OutputFile.finish` */
  async finish(rows: number): Promise<void> {
    await this.#flush();
    const header = headerOf(this.#type, rows, this.#headerBytes);
    await asUnwritable(this.#output.path, () => this.#output.handle.write(header, 0, header.length, 0));
    await this.#output.finish();
  }

  /** Gives up: nothing is left on the disk. Does nothing after `finish()`. */
  async discard(): Promise<void> {
    await this.#output.discard();
  }

  #take(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.byteLength;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    // writeFile goes on where the last write ended, until all bytes are written.
    await asUnwritable(this.#output.path, () => this.#output.handle.writeFile(bytes));
  }
}

function headerOf({ descr, rowShape = [] }: RowType, rows: number, bytes?: number): Buffer {
  return npyHeader(descr, [rows, ...rowShape], bytes);
}
