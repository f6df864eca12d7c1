import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { messageDefinition } from "./messageDefinition.js";

describe("messageDefinition", () => {
  test("gives the definition and those of the types that it needs, each once", () => {
    expect(messageDefinition("vision_msgs/msg/LabelInfo")).toBe(
      [
        "std_msgs/Header header",
        "vision_msgs/VisionClass[] class_map",
        "float32 threshold",
        "",
        "=".repeat(80),
        "MSG: std_msgs/Header",
        "",
        "builtin_interfaces/Time stamp",
        "string frame_id",
        "",
        "=".repeat(80),
        "MSG: builtin_interfaces/Time",
        "",
        "int32 sec",
        "uint32 nanosec",
        "",
        "=".repeat(80),
        "MSG: vision_msgs/VisionClass",
        "",
        "uint16 class_id",
        "string class_name",
      ].join("\n"),
    );
  });

  test("knows the other types of ROS 2 Humble's common interfaces", () => {
    expect(messageDefinition("diagnostic_msgs/msg/DiagnosticArray")).toContain(
      "MSG: diagnostic_msgs/KeyValue",
    );
  });

  test.each(["CameraUse", "ScanStatus"])("knows %s as msg/ has it", (name) => {
    const file = new URL(`../../msg/${name}.msg`, import.meta.url);
    const fieldsOf = (text: string): readonly string[] =>
      text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const [own] = messageDefinition(`ditr_perception/msg/${name}`).split("=".repeat(80));
    // Constants are written before the fields, and a type of the same package with its package.
    expect(fieldsOf(own!.replaceAll("ditr_perception/", "")).toSorted()).toEqual(
      fieldsOf(readFileSync(file, "utf8")).toSorted(),
    );
  });

  test("names a type that it does not know", () => {
    expect(() => messageDefinition("foo_msgs/msg/Bar")).toThrow('"foo_msgs/Bar" is known');
  });
});
