import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const profileEvents = z.array(
  z.object({
    cat: z.string().optional(),
    args: z.object({ provider: z.string().optional() }).loose().optional(),
  }),
);

/** How many executions of graph nodes each execution provider did, by ONNX Runtime's own names. */
export type NodePlacement = Readonly<Record<string, number>>;

/**
 * Reads the profiles that ONNX Runtime wrote into a folder: the only account of where nodes really ran,
 * since a session that was created with a GPU provider may still leave nodes to the CPU.
 */
export async function readNodePlacement(folder: string): Promise<NodePlacement> {
  const counts: Record<string, number> = {};
  for (const file of await readdir(folder)) {
    const events = profileEvents.parse(JSON.parse(await readFile(path.join(folder, file), "utf8")));
    for (const { cat, args } of events) {
      if (cat !== "Node" || args?.provider === undefined || args.provider === "") continue;
      counts[args.provider] = (counts[args.provider] ?? 0) + 1;
    }
  }
  return counts;
}
