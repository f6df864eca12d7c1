import path from "node:path";
import { Fault } from "../../../faults/Fault.js";
import { listFolder } from "../dataset/dataSetFiles.js";

/**
 * The folder of a sequence: `folder` itself when it holds the scans, else the one in its `sequences` (or
 * `dataset/sequences`, as published) that `sequence` names, or the only one.
 * @param scans folder of the scans below a sequence, such as `velodyne`
 * @throws Fault `data-set-unreadable` when there is none or the choice is open
 */
export async function findSequence(folder: string, scans: string, sequence?: string): Promise<string> {
  if (sequence === undefined && (await listFolder(path.join(folder, scans))).length > 0) return folder;
  for (const below of ["sequences", path.join("dataset", "sequences")]) {
    const names = await listFolder(path.join(folder, below));
    if (names.length === 0) continue;
    const [only, ...others] = sequence === undefined ? names : names.filter((name) => name === sequence);
    if (only !== undefined && others.length === 0) return path.join(folder, below, only);
    throw new Fault(
      "data-set-unreadable",
      sequence === undefined
        ? `${folder} holds ${names.length} sequences, name one of them: ${names.join(", ")}`
        : `${folder} has no sequence ${sequence}; it has ${names.join(", ")}`,
    );
  }
  throw new Fault(
    "data-set-unreadable",
    `${folder} is not a SemanticKITTI folder: it holds neither ${scans} nor sequences`,
  );
}
