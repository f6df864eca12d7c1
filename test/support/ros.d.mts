/**
 * `describe` of tests against a real ROS 2, skipped by name where there is none; a ROS 2 that is there and cannot be
 * used, since it is broken or rclnodejs is not built for it, is a failed test.
 * Whatever a test started is killed after it, and what beforeAll started after the last one.
 */
export declare const describeWithRos: (name: string, body: () => void) => void;

/** setup.bash of a workspace in which `colcon build` has built this package: DITR_WORKSPACE/install/setup.bash. */
export declare const workspace: string;

/** As `describeWithRos`, for tests of the installed package; skipped by name where DITR_WORKSPACE is not set. */
export declare const describeWithWorkspace: (name: string, body: () => void) => void;

/** process.env with ROS 2 sourced, in a domain of this process's own on localhost; then each workspace's setup.bash. */
export declare function rosEnvironment(...workspaces: string[]): Record<string, string>;

export interface RosProcessOptions {
  /** Added to `rosEnvironment()`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Workspaces' setup.bash files to source after ROS. */
  readonly workspaces?: readonly string[];
  /** Killed after so many seconds (60). */
  readonly seconds?: number;
}

export interface RosExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RosProcess {
  readonly pid: number;
  /** stdout so far. */
  readonly stdout: string;
  /** stdout and stderr so far, as they came. */
  readonly output: string;
  readonly running: boolean;
  readonly exit: Promise<RosExit>;
  /** Resolves with the match as soon as `output` has one; throws with the output at the end of the process or of the time (20 s). */
  waitFor(pattern: RegExp | string, seconds?: number): Promise<RegExpExecArray>;
  /** Calls after each piece of output, and at the end. */
  onOutput(listener: () => void): void;
  /** Writes a line to stdin. */
  send(line: string): void;
  /** Sends SIGINT (to the process and its children) and waits for the end; SIGKILL after 10 s. */
  stop(signal?: "SIGINT" | "SIGTERM" | "SIGKILL"): Promise<RosExit>;
}

/** Any command, with ROS 2 sourced; the first word is looked for in PATH. */
export declare function startWithRos(command: readonly string[], options?: RosProcessOptions): RosProcess;

/** A Node.js script, from the root of the repository: "dist/ros/main.js" or "test/ros/x.mjs". */
export declare function startNode(
  script: string,
  args?: readonly string[],
  options?: RosProcessOptions,
): RosProcess;

/** Runs a Node.js script to its end. @returns stdout; throws with the output when it fails */
export declare function runNode(
  script: string,
  args?: readonly string[],
  options?: RosProcessOptions,
): Promise<string>;

/** test/ros/<script> under the system's Python, which has rclpy. */
export declare function startRclpy(
  script: string,
  args?: readonly string[],
  options?: RosProcessOptions,
): RosProcess;

/** Runs a command to its end. @returns stdout; throws with the output when it fails */
export declare function runWithRos(command: readonly string[], options?: RosProcessOptions): Promise<string>;

/** Runs test/ros/<script> to its end. @returns stdout; throws with the output when it fails */
export declare function runRclpy(
  script: string,
  args?: readonly string[],
  options?: RosProcessOptions,
): Promise<string>;

/** Runs `ros2 ...` to its end. @returns stdout; throws with the output when it fails */
export declare function ros2(args: readonly string[], options?: RosProcessOptions): Promise<string>;
