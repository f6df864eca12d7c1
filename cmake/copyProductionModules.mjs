// Copies what the node needs at run time out of node_modules: the packages that productionPackages.mjs finds in
// package-lock.json, in exactly their locked versions, and of onnxruntime-node this platform's libraries alone.
// Usage: node copyProductionModules.mjs PACKAGE_LOCK FROM_NODE_MODULES TO_NODE_MODULES [ONNX_RUNTIME_FOLDER]
// The last folder's files take the place of onnxruntime-node's own libraries.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { productionPackages } from "./productionPackages.mjs";

const [lockFile, from, to, onnxRuntime] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));
const root = "node_modules/";
const { places, problems } = productionPackages(packages);

/** @param inside the path of a file or folder in the package, by its parts */
function isOurs(name, inside) {
  // Packages inside packages have places of their own.
  if (inside.length === 1 && inside[0] === "node_modules") return false;
  // bin/napi-v6/linux/x64
  const [bin, , platform, architecture] = inside;
  if (name !== "onnxruntime-node" || bin !== "bin") return true;
  return [undefined, process.platform].includes(platform) && [undefined, process.arch].includes(architecture);
}

rmSync(to, { recursive: true, force: true });
for (const place of places) {
  const name = place.slice(root.length);
  const folder = path.join(from, name);
  const manifest = path.join(folder, "package.json");
  if (!existsSync(manifest)) {
    problems.push(`${name} is missing`);
    continue;
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  if (version !== packages[place].version) {
    problems.push(`${name} is ${version} instead of ${packages[place].version}`);
    continue;
  }
  const target = path.join(to, name);
  mkdirSync(target, { recursive: true });
  cpSync(folder, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => isOurs(name, path.relative(folder, source).split(path.sep)),
  });
}
if (problems.length > 0) {
  console.error(`${from} does not fit ${lockFile}:\n  ${problems.join("\n  ")}\nRun \`npm ci\` there again.`);
  process.exit(1);
}

const libraries = path.join(to, "onnxruntime-node", "bin");
const binding = "onnxruntime_binding.node";
if (onnxRuntime !== undefined && !existsSync(path.join(onnxRuntime, binding))) {
  console.error(
    `DITR_ONNXRUNTIME is ${onnxRuntime}, which has no ${binding}; docs/jetson.md says what it needs.`,
  );
  process.exit(1);
}
if (onnxRuntime !== undefined) {
  for (const napi of readdirSync(libraries)) {
    const folder = path.join(libraries, napi, process.platform, process.arch);
    if (!existsSync(folder)) continue;
    rmSync(folder, { recursive: true });
    // Without the links, as a library's versions are: each name becomes a file.
    cpSync(onnxRuntime, folder, { recursive: true, dereference: true });
  }
}
