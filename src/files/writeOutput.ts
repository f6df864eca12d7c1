import { writeFile } from "node:fs/promises";
import { isDevice } from "./checkOutputs.js";
import { OutputFile, type OutputOptions } from "./OutputFile.js";
import { asUnwritable } from "./systemError.js";

/**
 * Writes a file as a whole: it is there when it is complete (see OutputFile). What a device is given, such as /dev/stdout,
 * it gets at once.
 * @throws Fault `output-refused` or `bag-unwritable`
 */
export async function writeOutput(
  file: string,
  content: string | Uint8Array,
  options: OutputOptions = {},
): Promise<void> {
  if (isDevice(file)) {
    await asUnwritable(file, () => writeFile(file, content));
    return;
  }
  const output = await OutputFile.create(file, options);
  try {
    await asUnwritable(file, () => output.handle.writeFile(content));
    await output.finish();
  } finally {
    await output.discard();
  }
}
