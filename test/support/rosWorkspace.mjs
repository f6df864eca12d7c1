// What the tests with ROS 2 need beside it: rclnodejs made ready, and a colcon workspace with this package in it, made
// as a user makes it: a clone in a folder of its own, with packages that its own build fetches.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { letOthersGoFirst } from "./priority.mjs";
import { rosSetup } from "./rosSetup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What a shell in which ROS 2 is sourced is started with, to run a script. */
function rosShell(setup, script) {
  const env = { ...process.env };
  // Another Python in front of the system's, as pyenv's, would be taken by ROS's tools.
  delete env.PYTHONPATH;
  // Packages from elsewhere would hide that one is not installed.
  delete env.NODE_PATH;
  const sourced = `${setup === "" ? "" : `export PATH=/usr/bin:/bin:$PATH; source ${setup} && `}${script}`;
  return ["bash", ["-c", sourced], { cwd: root, env, stdio: "inherit" }];
}

function refuseFailure(status, signal, failure) {
  if (status !== 0) throw new Error(`${failure} (${status ?? signal}); the lines above say why`);
}

/** What a clone of the working tree as it is now would hold: every file that git does not ignore. */
function clonedFiles() {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) return archivedFiles();
  return stdout.split("\0").filter((file) => file !== "" && existsSync(path.join(root, file)));
}

/** The same of an unpacked archive, which has no .git; the patterns of .gitignore are names and endings. */
function archivedFiles() {
  const patterns = readFileSync(path.join(root, ".gitignore"), "utf8").split("\n").filter(Boolean);
  const ignored = (name) =>
    patterns.some((pattern) =>
      pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : pattern.replaceAll("/", "") === name,
    );
  const below = (folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter(({ name }) => !ignored(name))
      .flatMap((entry) => {
        const place = path.join(folder, entry.name);
        return entry.isDirectory() ? below(place) : [place];
      });
  return below("");
}

/** Makes `clone` hold `files` of the root and no others; what did not change is left alone, for the next build. */
function mirror(files, clone) {
  const wanted = new Set(files);
  mkdirSync(clone, { recursive: true });
  for (const entry of readdirSync(clone, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !wanted.has(path.relative(clone, file))) rmSync(file);
  }
  for (const file of files) {
    const [from, to] = [path.join(root, file), path.join(clone, file)];
    const source = lstatSync(from);
    const target = lstatSync(to, { throwIfNoEntry: false });
    // A copied time is exact to a few hundred nanoseconds.
    if (target?.size === source.size && Math.abs(target.mtimeMs - source.mtimeMs) < 1) continue;
    cpSync(from, to, { preserveTimestamps: true, verbatimSymlinks: true });
  }
}

function refuseModulesAbove(folder) {
  for (let above = folder; ; above = path.dirname(above)) {
    const modules = path.join(above, "node_modules");
    if (existsSync(modules))
      throw new Error(`${modules} would hide that a package is not installed: remove it`);
    if (above === path.dirname(above)) return;
  }
}

/**
 * The folder of a workspace in which this package is built as it is now; undefined, said on the console, where there is
 * no ROS 2. The folder is kept, so that the next time only what changed is built. When the promise is returned, rclnodejs
 * is ready and the clone made; only the build goes on, and lets others go first.
 * @throws Error when there is ROS 2 and rclnodejs or the package cannot be built with it: that is a failed test
 */
export async function ensureRosWorkspace() {
  const setup = rosSetup();
  if (setup === undefined) {
    console.log("NO ROS 2 HERE (neither sourced nor in /opt/ros): the tests of the node are skipped.");
    return undefined;
  }
  const given = process.env.DITR_WORKSPACE;
  if (given) {
    if (existsSync(path.join(given, "install", "setup.bash"))) return given;
    throw new Error(`DITR_WORKSPACE is ${given}, which has no install/setup.bash`);
  }
  const node = `"${process.execPath}"`;
  const installed = spawnSync(...rosShell(setup, `${node} dist/ros/rclnodejs/install.js`));
  refuseFailure(installed.status, installed.signal, "rclnodejs could not be made ready for ROS 2");
  const key = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const workspace = path.join(realpathSync(tmpdir()), `ditr-workspace-${key}`);
  mkdirSync(workspace, { recursive: true });
  refuseModulesAbove(workspace);
  mirror(clonedFiles(), path.join(workspace, "src", "ditr_perception"));
  const build =
    `cd "${workspace}" && colcon --log-base log build --event-handlers console_direct- --cmake-args ` +
    // CMake would prefer an older Python of pyenv's.
    "-DPYTHON_EXECUTABLE=/usr/bin/python3 -DPython3_EXECUTABLE=/usr/bin/python3";
  const child = spawn(...rosShell(setup, build));
  letOthersGoFirst(child);
  const [status, signal] = await once(child, "close");
  refuseFailure(status, signal, "colcon build of a clean clone failed");
  return workspace;
}
