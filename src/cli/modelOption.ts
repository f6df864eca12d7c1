import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import { PROVIDER_CHOICES } from "../model/providers.js";

/** The bundles that come with this package. */
export const MODELS_FOLDER = fileURLToPath(new URL("../../models", import.meta.url));
export const DEFAULT_MODEL = fileURLToPath(new URL("../../models/street-tiny", import.meta.url));

/** `--model DIR` of every command that runs a model. */
export function modelOption(): Option {
  return new Option("-m, --model <folder>", "model bundle (a folder with bundle.json)").default(
    DEFAULT_MODEL,
    "models/street-tiny",
  );
}

/** `--provider NAME` of every command that runs a model. */
export function providerOption(): Option {
  return new Option(
    "-p, --provider <name>",
    "where the model runs; auto takes CUDA if a session can be created on it, else the CPU",
  )
    .choices(PROVIDER_CHOICES)
    .default("auto");
}

/** Names of the bundles that come with this package. */
export async function shippedModels(): Promise<string[]> {
  const entries = await readdir(MODELS_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
