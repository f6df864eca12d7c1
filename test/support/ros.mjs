// Starts Node.js, rclpy and ros2 processes in a sourced ROS 2 for the tests named *.live.test.ts.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, test } from "@jest/globals";
import { checkRclnodejs, checkRosEnvironment } from "../../dist/ros/rclnodejs/environment.js";
import { rosSetup } from "./rosSetup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const running = new Set();
const environments = new Map();
let logs;

/** process.env with the setup files sourced. */
function source(files, env) {
  if (files.length === 0) return env;
  // Another Python in front of the system's, as pyenv's, would be taken by ROS's tools and has no rclpy.
  const base = { ...env, PATH: `/usr/bin:/bin:${env.PATH}` };
  delete base.PYTHONPATH;
  const script = `for f in "$@"; do source "$f" || exit 1; done; env -0`;
  const done = spawnSync("bash", ["-c", script, "bash", ...files], { env: base, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${files.join(", ")} could not be sourced: ${done.stderr}`);
  return Object.fromEntries(
    done.stdout
      .split("\0")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

export function rosEnvironment(...workspaces) {
  const key = workspaces.join("\n");
  if (!environments.has(key)) {
    const setup = rosSetup();
    const env = source(setup ? [setup, ...workspaces] : workspaces, process.env);
    logs ??= mkdtempSync(path.join(tmpdir(), "ditr-ros-"));
    const library = (name) =>
      (env.LD_LIBRARY_PATH ?? "").split(":").some((folder) => existsSync(path.join(folder, name)));
    if (library("librmw_cyclonedds_cpp.so")) env.RMW_IMPLEMENTATION ??= "rmw_cyclonedds_cpp";
    // Domains up to 101 keep clear of Linux's ephemeral ports.
    env.ROS_DOMAIN_ID = String(1 + (process.pid % 101));
    env.ROS_LOCALHOST_ONLY = "1";
    env.ROS_LOG_DIR = logs;
    env.PYTHONUNBUFFERED = "1";
    environments.set(key, env);
  }
  return { ...environments.get(key) };
}

/** Is there a ROS 2, whether or not it works? */
const rosIsThere = rosSetup() !== undefined;

/** Why the ROS 2 that is there cannot be used, in one sentence, or undefined. */
const rosProblem = (() => {
  if (!rosIsThere) return undefined;
  try {
    const environment = rosEnvironment();
    checkRosEnvironment({ environment });
    checkRclnodejs({ environment });
    return undefined;
  } catch (error) {
    return error.message;
  }
})();

/** `describe` that is skipped where there is no ROS 2, and fails where there is one that does not work. */
export function describeWithRos(name, body) {
  if (!rosIsThere) {
    describe.skip(name, body);
    return;
  }
  describe(name, () => {
    if (rosProblem !== undefined) {
      test("ROS 2 is there, and ready", () => {
        throw new Error(rosProblem);
      });
      return;
    }
    let shared = new Set();
    beforeEach(() => {
      shared = new Set(running);
    });
    body();
    // After the hooks of the body, which may still look at its processes.
    afterEach(() => killAll([...running].filter((child) => !shared.has(child))));
    afterAll(async () => {
      await killAll([...running]);
      rmSync(logs, { recursive: true, force: true });
    });
  });
}

export const workspace = path.join(process.env.DITR_WORKSPACE ?? "/nowhere", "install", "setup.bash");

/** `describeWithRos` that is skipped where no workspace is asked for; `npm test` builds one. */
export function describeWithWorkspace(name, body) {
  if (!process.env.DITR_WORKSPACE) {
    describe.skip(name, body);
  } else if (!existsSync(workspace)) {
    test(`${name}: the workspace is there`, () => {
      throw new Error(`${workspace} does not exist`);
    });
  } else {
    describeWithRos(name, body);
  }
}

function killAll(children) {
  return Promise.all(children.map((child) => child.stop("SIGKILL")));
}

class RosProcess {
  stdout = "";
  output = "";
  running = true;
  #child;
  #changed = new Set();

  constructor(command, { env = {}, workspaces = [], seconds = 60 } = {}) {
    // setpriv has the kernel kill the child with its parent, should that be killed itself.
    const guard = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] : [];
    const [program, ...args] = [...guard, ...command];
    // A process group of its own, so that what the child starts ends with it.
    this.#child = spawn(program, args, {
      cwd: root,
      env: { ...rosEnvironment(...workspaces), ...env },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.pid = this.#child.pid;
    running.add(this);
    const limit = setTimeout(() => {
      this.output += `\n[killed after ${seconds} s]\n`;
      this.#signal("SIGKILL");
    }, seconds * 1000);
    this.#child.stdin.on("error", () => undefined); // it may have ended
    this.#child.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
      this.#add(text);
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => this.#add(text));
    this.exit = new Promise((resolve) => {
      const end = (code, signal) => {
        clearTimeout(limit);
        this.#signal("SIGKILL");
        this.running = false;
        running.delete(this);
        resolve({ code, signal });
        this.#add("");
      };
      this.#child.on("close", end);
      this.#child.on("error", (error) => {
        this.#add(String(error));
        end(null, null);
      });
    });
  }

  #add(text) {
    this.output += text;
    for (const check of [...this.#changed]) check();
  }

  #signal(signal) {
    try {
      if (this.pid !== undefined) process.kill(-this.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }

  waitFor(pattern, seconds = 20) {
    const expression = typeof pattern === "string" ? new RegExp(escape(pattern)) : pattern;
    return new Promise((resolve, reject) => {
      const fail = (why) => {
        this.#changed.delete(check);
        clearTimeout(limit);
        reject(new Error(`${why} before ${expression} in:\n${this.output}`));
      };
      const check = () => {
        const match = expression.exec(this.output);
        if (match !== null) {
          this.#changed.delete(check);
          clearTimeout(limit);
          resolve(match);
        } else if (!this.running) {
          fail("The process ended");
        }
      };
      const limit = setTimeout(() => fail(`${seconds} s were over`), seconds * 1000);
      this.#changed.add(check);
      check();
    });
  }

  onOutput(listener) {
    this.#changed.add(listener);
  }

  send(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  async stop(signal = "SIGINT") {
    if (this.running) this.#signal(signal);
    const limit = setTimeout(() => this.#signal("SIGKILL"), 10_000);
    const exit = await this.exit;
    clearTimeout(limit);
    return exit;
  }
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export function startWithRos(command, options) {
  return new RosProcess(command, options);
}

export function startNode(script, args = [], options) {
  return startWithRos([process.execPath, path.join(root, script), ...args], options);
}

export function startRclpy(script, args = [], options) {
  return startWithRos(["/usr/bin/python3", path.join(root, "test", "ros", script), ...args], options);
}

async function toTheEnd(child, name) {
  const { code, signal } = await child.exit;
  if (code !== 0) throw new Error(`${name} failed (${code ?? signal}):\n${child.output}`);
  return child.stdout;
}

export function runWithRos(command, options) {
  return toTheEnd(startWithRos(command, options), command.join(" "));
}

export function runNode(script, args = [], options) {
  return toTheEnd(startNode(script, args, options), script);
}

export function runRclpy(script, args = [], options) {
  return toTheEnd(startRclpy(script, args, options), script);
}

export function ros2(args, options) {
  return runWithRos(["ros2", ...args], options);
}
