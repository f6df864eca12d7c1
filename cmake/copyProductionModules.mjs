// Copies what the node needs at run time out of node_modules: every package of package-lock.json that is not for
// development only, in exactly its locked version, and of onnxruntime-node this platform's libraries alone.
// Usage: node copyProductionModules.mjs PACKAGE_LOCK FROM_NODE_MODULES TO_NODE_MODULES [ONNX_RUNTIME_FOLDER]
// The last folder's files take the place of onnxruntime-node's own libraries.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

const [lockFile, from, to, onnxRuntime] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));
const root = "node_modules/";
const problems = [];

rmSync(to, { recursive: true, force: true });
for (const [place, locked] of Object.entries(packages)) {
  if (!place.startsWith(root) || locked.dev === true || locked.devOptional === true) continue;
  const name = place.slice(root.length);
  const folder = path.join(from, name);
  const manifest = path.join(folder, "package.json");
  if (!existsSync(manifest)) {
    // npm leaves out optional packages of other platforms.
    if (locked.optional !== true || name === "rclnodejs") problems.push(`${name} is missing`);
    continue;
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  if (version !== locked.version) {
    problems.push(`${name} is ${version} instead of ${locked.version}`);
    continue;
  }
  const target = path.join(to, name);
  mkdirSync(target, { recursive: true });
  // Packages inside packages have entries of their own in the lock file.
  cpSync(folder, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !(path.basename(source) === "node_modules" && path.dirname(source) === folder),
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
for (const napi of readdirSync(libraries)) {
  for (const platform of readdirSync(path.join(libraries, napi))) {
    for (const architecture of readdirSync(path.join(libraries, napi, platform))) {
      const folder = path.join(libraries, napi, platform, architecture);
      const ours = platform === process.platform && architecture === process.arch;
      if (!ours || onnxRuntime !== undefined) rmSync(folder, { recursive: true });
      // Without the links, as a library's versions are: each name becomes a file.
      if (ours && onnxRuntime !== undefined)
        cpSync(onnxRuntime, folder, { recursive: true, dereference: true });
    }
  }
}
