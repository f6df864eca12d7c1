import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { Fault } from "../../faults/Fault.js";
import { checkRosEnvironment } from "./environment.js";

describe("checkRosEnvironment", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ditr-ros-"));
  writeFileSync(path.join(folder, "librcl.so"), "");
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const sourced = {
    AMENT_PREFIX_PATH: "/opt/ros/jazzy",
    ROS_DISTRO: "jazzy",
    LD_LIBRARY_PATH: `/nowhere:${folder}`,
    HOME: "/root",
  };

  const sentence = (
    change: Readonly<Record<string, string | undefined>>,
    nodeVersion = "20.20.2",
  ): string => {
    try {
      checkRosEnvironment({ environment: { ...sourced, ...change }, nodeVersion });
      return "";
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
      expect((error as Fault).code).toBe("ros-unavailable");
      return (error as Fault).message;
    }
  };

  test("is content with a sourced ROS", () => {
    expect(sentence({})).toBe("");
    expect(sentence({ HOME: undefined, ROS_LOG_DIR: "/tmp" })).toBe("");
  });

  test.each([
    [{ AMENT_PREFIX_PATH: undefined }, /AMENT_PREFIX_PATH is not set.*source \/opt\/ros\/jazzy\/setup\.bash/],
    [{ AMENT_PREFIX_PATH: "", ROS_DISTRO: undefined }, /source \/opt\/ros\/humble\/setup\.bash/],
    [{ ROS_DISTRO: undefined }, /ROS_DISTRO is not set/],
    [{ LD_LIBRARY_PATH: "/nowhere" }, /librcl\.so is in no folder of LD_LIBRARY_PATH \(\/nowhere\)/],
    [{ LD_LIBRARY_PATH: undefined }, /LD_LIBRARY_PATH \(not set\)/],
    [{ HOME: undefined }, /set HOME or ROS_LOG_DIR/],
  ])("names what is missing: %j", (change, expected) => {
    expect(sentence(change)).toMatch(expected);
  });

  test.each(["18.20.0", "20.19.5", "20.20.1"])("Node.js %s is too old", (version) => {
    expect(sentence({}, version)).toContain(version);
  });
  test.each(["20.20.2", "20.21.0", "22.0.0"])("Node.js %s is new enough", (version) => {
    expect(sentence({}, version)).toBe("");
  });
});
