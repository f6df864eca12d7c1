import { Fault } from "../faults/Fault.js";

/**
 * Runs a program of ROS 2 and ends the process: with code 0, or with a sentence on stderr (the stack of a defect) and 1.
 * @param name in front of the sentence
 */
export async function runProgram(name: string, run: () => Promise<void>): Promise<never> {
  try {
    await run();
  } catch (error) {
    const text =
      error instanceof Fault ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${name}: ${text ?? "unknown error"}\n`);
    process.exit(1);
  }
  // Threads of ROS would keep the process.
  process.exit(0);
}
