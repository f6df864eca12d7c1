import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Fault } from "../../faults/Fault.js";

/** The one version whose defects are known and got round. */
export const RCLNODEJS_VERSION = "2.2.0";

export interface RosEnvironmentOptions {
  /** Instead of process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Instead of process.versions.node. */
  readonly nodeVersion?: string;
}

/**
 * Throws a Fault that names what is missing for ROS 2. It must come before the import of rclnodejs, which without ROS
 * deletes its own binary and messages and then fails.
 */
export function checkRosEnvironment({
  environment = process.env,
  nodeVersion = process.versions.node,
}: RosEnvironmentOptions = {}): void {
  const { AMENT_PREFIX_PATH, ROS_DISTRO, LD_LIBRARY_PATH, HOME, ROS_LOG_DIR } = environment;
  if (process.platform !== "linux") {
    throw missing(`The ROS 2 node runs on Linux only, and this is ${process.platform}.`);
  }
  if (olderThan(nodeVersion, "20.20.2")) {
    throw missing(`Node.js is ${nodeVersion}, and the ROS 2 node needs 20.20.2 or newer.`);
  }
  const sourcing = `run \`source /opt/ros/${ROS_DISTRO ?? "humble"}/setup.bash\` in this shell first.`;
  if (!AMENT_PREFIX_PATH) throw missing(`ROS 2 is not sourced (AMENT_PREFIX_PATH is not set): ${sourcing}`);
  if (!ROS_DISTRO) throw missing(`ROS 2 is only half sourced (ROS_DISTRO is not set): ${sourcing}`);
  const folders = [...(LD_LIBRARY_PATH ?? "").split(path.delimiter), ...SYSTEM_LIBRARIES].filter(Boolean);
  if (!folders.some((folder) => existsSync(path.join(folder, "librcl.so")))) {
    throw missing(
      `librcl.so is in no folder of LD_LIBRARY_PATH (${LD_LIBRARY_PATH ?? "not set"}): ${sourcing}`,
    );
  }
  if (!HOME && !ROS_LOG_DIR) {
    throw missing("ROS 2 has no folder for its log files: set HOME or ROS_LOG_DIR.");
  }
}

const TRIPLETS: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const SYSTEM_LIBRARIES = ["/usr/local/lib", "/usr/lib", `/usr/lib/${TRIPLETS[process.arch] ?? process.arch}`];

/** Where npm put rclnodejs, or undefined. */
export function findRclnodejs(): string | undefined {
  try {
    return path.dirname(createRequire(import.meta.url).resolve("rclnodejs/package.json"));
  } catch {
    return undefined;
  }
}

/** The binary inside the npm package for exactly this ROS distribution, Ubuntu and processor, or undefined. */
export function findPrebuiltBinary(folder: string, distribution: string): string | undefined {
  const name = `${distribution}-${ubuntuCodename() ?? "unknown"}-${process.arch}-node-rclnodejs.node`;
  const file = path.join(folder, "prebuilds", `${process.platform}-${process.arch}`, name);
  return existsSync(file) ? file : undefined;
}

/** VERSION_CODENAME of /etc/os-release, which is how rclnodejs chooses. */
export function ubuntuCodename(): string | undefined {
  if (!existsSync("/etc/os-release")) return undefined;
  return /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1]?.trim();
}

/** What `npm run ros:install` notes about the binary that it built. */
export interface BuildNote {
  readonly distribution: string;
  readonly architecture: string;
}

export function buildNoteFile(folder: string): string {
  return path.join(folder, "build", "ditr_perception.json");
}

export function builtBinary(folder: string): string {
  return path.join(folder, "build", "Release", "rclnodejs.node");
}

/**
 * Throws a Fault unless rclnodejs is installed in the right version, with a binary for this ROS 2 and its messages.
 *
 * @returns the binary
 */
export function checkRclnodejs({ environment = process.env }: RosEnvironmentOptions = {}): string {
  const distribution = environment["ROS_DISTRO"] ?? "";
  const folder = findRclnodejs();
  const remedy = "run `npm run ros:install` in the ditr_perception folder, with ROS sourced.";
  if (folder === undefined) {
    throw missing(
      "rclnodejs is not installed: run `npm ci` (it is an optional dependency), then ros:install.",
    );
  }
  const { version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
    version: string;
  };
  if (version !== RCLNODEJS_VERSION) {
    throw missing(
      `rclnodejs is ${version}, and this node was made for ${RCLNODEJS_VERSION}: run \`npm ci\`.`,
    );
  }
  if (!existsSync(path.join(folder, "generated", "generator.json"))) {
    throw missing(`rclnodejs has no JavaScript messages yet: ${remedy}`);
  }
  const prebuilt = findPrebuiltBinary(folder, distribution);
  if (prebuilt !== undefined) return prebuilt;
  const built = builtBinary(folder);
  if (!existsSync(built)) throw missing(`rclnodejs has no binary for ROS 2 ${distribution} yet: ${remedy}`);
  const note = buildNoteFile(folder);
  if (existsSync(note)) {
    const made = JSON.parse(readFileSync(note, "utf8")) as BuildNote;
    if (made.distribution !== distribution || made.architecture !== process.arch) {
      throw missing(
        `rclnodejs was built for ROS 2 ${made.distribution} on ${made.architecture}, and this is ${distribution} on ${process.arch}: ${remedy}`,
      );
    }
  }
  return built;
}

function missing(sentence: string): Fault {
  return new Fault("ros-unavailable", sentence);
}

function olderThan(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split(".").map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) if (a![i] !== b![i]) return (a![i] ?? 0) < (b![i] ?? 0);
  return false;
}
