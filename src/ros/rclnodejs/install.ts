// `npm run ros:install`: makes rclnodejs ready for the ROS 2 that is sourced. npm itself only unpacks it, because its
// own install script fails where there is no ROS. Run again after a change of ROS distribution.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";
import type { BuildNote } from "./environment.js";
import {
  buildNoteFile,
  builtBinary,
  checkRclnodejs,
  checkRosEnvironment,
  findPrebuiltBinary,
  findRclnodejs,
  ubuntuCodename,
} from "./environment.js";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function install(): void {
  checkRosEnvironment();
  const distribution = process.env["ROS_DISTRO"]!;
  const folder = findRclnodejs();
  if (folder === undefined) {
    throw fail("rclnodejs is not in node_modules: run `npm ci` without --omit=optional first.");
  }
  const prebuilt = findPrebuiltBinary(folder, distribution);
  if (prebuilt !== undefined) {
    // A binary of another distribution here would be taken where no prebuilt one fits.
    rmSync(path.join(folder, "build"), { recursive: true, force: true });
    say(`Using the binary that comes with rclnodejs: ${path.basename(prebuilt)}`);
  } else if (isBuilt()) {
    say(`Using the binary that was compiled before: ${builtBinary(folder)}`);
  } else {
    build(folder, distribution);
  }
  say("Generating the JavaScript messages of every sourced package (about 10 s)...");
  run(
    folder,
    "scripts/generate_messages.cjs",
    [],
    "The JavaScript messages could not be generated; the lines above say why.",
  );
  if (!existsSync(path.join(folder, "generated", "std_msgs"))) {
    throw fail("The JavaScript messages were not generated; the lines above say why.");
  }
  checkRclnodejs();
  say(`rclnodejs is ready for ROS 2 ${distribution}.`);
}

function isBuilt(): boolean {
  try {
    checkRclnodejs();
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return false;
  }
}

function build(folder: string, distribution: string): void {
  const system = `ROS 2 ${distribution} on ${ubuntuCodename() ?? "this system"} (${process.arch})`;
  // node-gyp's configuration of rclnodejs asks `which ros2` for the place of ROS.
  if (!(process.env["PATH"] ?? "").split(path.delimiter).some((bin) => existsSync(path.join(bin, "ros2")))) {
    throw fail(
      `There is no prebuilt rclnodejs for ${system}, and to build it the command ros2 must be in PATH.`,
    );
  }
  for (const tool of ["g++", "make", "python3"]) {
    if (spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0) {
      throw fail(`There is no prebuilt rclnodejs for ${system}, and to build it ${tool} must be installed.`);
    }
  }
  say(`Compiling rclnodejs for ${system}, which takes some minutes...`);
  const nodeGyp = createRequire(path.join(folder, "package.json")).resolve("node-gyp/bin/node-gyp.js");
  const args = ["rebuild", "-j", "2", ...localHeaders()];
  run(folder, nodeGyp, args, "rclnodejs could not be compiled; the lines above say why.");
  if (!existsSync(builtBinary(folder)))
    throw fail("node-gyp ended without a binary; the lines above say why.");
  const note: BuildNote = { distribution, architecture: process.arch };
  writeFileSync(buildNoteFile(folder), JSON.stringify(note));
}

/** Node's own headers where they lie beside it, so that node-gyp need not download them. */
function localHeaders(): string[] {
  const prefix = path.dirname(path.dirname(process.execPath));
  const version = path.join(prefix, "include", "node", "node_version.h");
  if (process.env["npm_config_nodedir"] !== undefined || !existsSync(version)) return [];
  const text = readFileSync(version, "utf8");
  const numbers = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return numbers.join(".") === process.versions.node ? [`--nodedir=${prefix}`] : [];
}

function run(folder: string, script: string, args: readonly string[], failure: string): void {
  const done = spawnSync(process.execPath, [script, ...args], { cwd: folder, stdio: "inherit" });
  if (done.status !== 0) throw fail(failure);
}

function fail(sentence: string): Fault {
  return new Fault("ros-unavailable", sentence);
}

try {
  install();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`ros:install: ${error.message}\n`);
  process.exitCode = 1;
}
