import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { Fault } from "../faults/Fault.js";
import {
  bundleManifestSchema,
  type BundleManifest,
  type GraphName,
  type GraphSpec,
} from "./bundleManifest.js";
import { contractViolation } from "./graphContract.js";
import { weightPrecision } from "./weightPrecision.js";

const MANIFEST_FILE = "bundle.json";
const GRAPHS: readonly GraphName[] = ["image_free", "fused", "image_encoder"];

/** A loaded graph of a bundle: its description and where its checked file lies. */
export interface BundleGraph {
  readonly name: GraphName;
  readonly spec: GraphSpec;
  readonly path: string;
}

/** A model folder whose manifest, graph names, shapes, file hashes and precisions were checked. */
export class ModelBundle {
  readonly folder: string;
  readonly manifest: BundleManifest;
  readonly graphs: readonly BundleGraph[];

  private constructor(folder: string, manifest: BundleManifest, graphs: readonly BundleGraph[]) {
    this.folder = folder;
    this.manifest = manifest;
    this.graphs = graphs;
  }

  /** Throws a Fault("bad-bundle") that names the folder, the file and what does not fit. */
  static async load(folder: string): Promise<ModelBundle> {
    const manifest = await readManifest(folder);
    const graphs: BundleGraph[] = [];
    for (const name of GRAPHS) {
      const spec = manifest.graphs[name];
      if (spec === undefined) continue;
      const violation = contractViolation(manifest, name);
      if (violation !== undefined)
        throw new Fault("bad-bundle", `${path.join(folder, MANIFEST_FILE)}: ${violation}`);
      const file = path.join(folder, spec.file);
      await checkFile(file, spec);
      graphs.push({ name, spec, path: file });
    }
    return new ModelBundle(folder, manifest, graphs);
  }

  /** That of its graphs, e.g. "float32"; of all, where they differ. */
  get precision(): string {
    return [...new Set(this.graphs.map(({ spec }) => spec.precision))].join(" and ");
  }

  get canFuse(): boolean {
    return this.manifest.graphs.fused !== undefined;
  }

  get canRunWithoutImages(): boolean {
    return this.manifest.graphs.image_free !== undefined;
  }

  /** The bundle's class with this name; throws a Fault that lists the names that there are. */
  classId(name: string): number {
    const found = this.manifest.classes.find((entry) => entry.name === name);
    if (found === undefined) {
      const known = this.manifest.classes.map((entry) => entry.name).join(", ");
      throw new Fault(
        "invalid-configuration",
        `the model ${this.manifest.name} has no class "${name}"; it has ${known}`,
      );
    }
    return found.id;
  }
}

async function readManifest(folder: string): Promise<BundleManifest> {
  const file = path.join(folder, MANIFEST_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is not JSON (${error.message})` : "cannot be read";
    throw new Fault(
      "bad-bundle",
      `${file} ${reason}; a model is a folder with bundle.json and its .onnx files`,
      {
        cause: error,
      },
    );
  }
  const parsed = bundleManifestSchema.safeParse(json);
  if (!parsed.success) {
    throw new Fault("bad-bundle", `${file} does not fit the bundle format: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

async function checkFile(file: string, { sha256, precision }: GraphSpec): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new Fault("bad-bundle", `${file} cannot be read, but bundle.json names it`, { cause: error });
  }
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256) {
    throw new Fault("bad-bundle", `${file} has SHA-256 ${actual}, bundle.json says ${sha256}`);
  }
  const weights = weightPrecision(bytes);
  if (weights !== undefined && weights !== precision) {
    throw new Fault("bad-bundle", `${file} holds ${weights} weights, bundle.json says ${precision}`);
  }
}
