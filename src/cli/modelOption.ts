import path from "node:path";
import { Option } from "commander";
import { PROVIDER_CHOICES } from "../model/providers.js";
import { DEFAULT_MODEL, MODELS_FOLDER } from "../model/shippedModels.js";

/** `--model DIR` of every command that runs a model. */
export function modelOption(folder = DEFAULT_MODEL): Option {
  return new Option("-m, --model <folder>", "model bundle (a folder with bundle.json)").default(
    folder,
    path.relative(path.dirname(MODELS_FOLDER), folder),
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
