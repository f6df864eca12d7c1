import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
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
import { readGraphWeights } from "./graphWeights.js";

const MANIFEST_FILE = "bundle.json";
const GRAPHS: readonly GraphName[] = ["image_free", "fused", "image_encoder", "detection"];

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
      await checkFiles(folder, spec);
      graphs.push({ name, spec, path: path.join(folder, spec.file) });
    }
    return new ModelBundle(folder, manifest, graphs);
  }

  /** That of its graphs, e.g. "float32"; of all, where they differ. The detection graph, float32 in any bundle, does not count. */
  get precision(): string {
    const graphs = this.graphs.filter(({ name }) => name !== "detection");
    return [...new Set(graphs.map(({ spec }) => spec.precision))].join(" and ");
  }

  get canFuse(): boolean {
    return this.manifest.graphs.fused !== undefined;
  }

  get canRunWithoutImages(): boolean {
    return this.manifest.graphs.image_free !== undefined;
  }

  get findsBoxes(): boolean {
    return this.manifest.detection !== undefined;
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

/** Checks a graph's file and those of its weights; `folder` is the bundle's. */
async function checkFiles(folder: string, spec: GraphSpec): Promise<void> {
  const file = path.join(folder, spec.file);
  const bytes = await bytesOf(file);
  requireHash(file, createHash("sha256").update(bytes).digest("hex"), spec.sha256);
  const { precision, files } = readGraphWeights(bytes);
  if (precision !== undefined && precision !== spec.precision) {
    throw new Fault("bad-bundle", `${file} holds ${precision} weights, bundle.json says ${spec.precision}`);
  }
  const listed = spec.external_data ?? [];
  for (const name of files) {
    if (listed.some((other) => other.file === name)) continue;
    throw new Fault("bad-bundle", `${file} has weights in ${name}, which external_data does not list`);
  }
  for (const { file: name, sha256 } of listed) {
    const other = path.join(folder, name);
    requireHash(other, await hashOf(other), sha256);
  }
}

function requireHash(file: string, actual: string, expected: string): void {
  if (actual === expected) return;
  throw new Fault("bad-bundle", `${file} has SHA-256 ${actual}, bundle.json says ${expected}`);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Of a file that may be larger than memory holds at once. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw unreadable(file, error);
  }
  return hash.digest("hex");
}

function unreadable(file: string, cause: unknown): Fault {
  return new Fault("bad-bundle", `${file} cannot be read, but bundle.json names it`, { cause });
}
