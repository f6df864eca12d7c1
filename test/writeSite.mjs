// `npm run docs`: a site in site/ of the documents as they are and of the library's reference (TypeDoc); where Python has pdoc
// (`pip install pdoc`), also the reference of the training package, in site/training/.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const typedoc = path.join(path.dirname(require.resolve("typedoc/package.json")), "bin", "typedoc");

function run(command, args) {
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${status ?? signal}`);
}

run(process.execPath, [typedoc]);
const python = process.env.DITR_PYTHON ?? path.join(root, ".venv", "bin", "python");
const has = (module) => spawnSync(python, ["-c", `import ${module}`], { stdio: "ignore" }).status === 0;
if (has("pdoc")) {
  run(python, ["-m", "pdoc", "--output-directory", "site/training", "ditr_train"]);
} else {
  console.error(
    "SKIPPED: the reference of the training package, which pdoc makes of it; Python has none here.",
  );
}
console.log("site/index.html");
