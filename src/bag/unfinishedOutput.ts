import { Fault } from "../faults/Fault.js";
import { PARTIAL_SUFFIX } from "../files/OutputFile.js";
import { isBeingWritten } from "../files/OutputLock.js";

/** What to say of a bag that has the name of an output before it is finished; undefined of any other. */
export async function unfinishedOutput(bag: string): Promise<Fault | undefined> {
  if (!bag.endsWith(PARTIAL_SUFFIX)) return undefined;
  const output = bag.slice(0, -PARTIAL_SUFFIX.length);
  const sentence = (await isBeingWritten(output))
    ? `${bag} is an unfinished output: the command that writes it is still at work, and will name it ${output}`
    : `${bag} is an unfinished output: the command that wrote ${output} was killed before its end. What it has can be read; for all of it run that command again, with --force`;
  return new Fault("bag-unfinished", sentence);
}
