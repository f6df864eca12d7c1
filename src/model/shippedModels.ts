import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the model bundles that come with this package. */
export const MODELS_FOLDER = fileURLToPath(new URL("../../models", import.meta.url));

/** What labels a robot's scans when no model is named: it has learned from real streets. */
export const DEFAULT_MODEL = path.join(MODELS_FOLDER, "street-real");

/** What has learned from the simulator alone, whose streets the demo shows. */
export const SIMULATOR_MODEL = path.join(MODELS_FOLDER, "street-tiny");

/** Names of the bundles that come with this package. */
export async function shippedModels(): Promise<string[]> {
  const entries = await readdir(MODELS_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
