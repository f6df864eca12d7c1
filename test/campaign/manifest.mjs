import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleManifestSchema } from "../../dist/model/bundleManifest.js";

/** The smallest model that is shipped. */
export const MODEL_FOLDER = fileURLToPath(new URL("../../models/street-tiny", import.meta.url));

export function readManifest() {
  return bundleManifestSchema.parse(JSON.parse(readFileSync(`${MODEL_FOLDER}/bundle.json`, "utf8")));
}
