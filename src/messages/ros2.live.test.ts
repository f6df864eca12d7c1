import { expect, test } from "@jest/globals";
import { describeWithRos, startRclpy } from "../../test/support/ros.mjs";
import { DIAGNOSTIC_ARRAY_TYPE } from "./diagnosticArray.js";
import { exampleOf } from "./exampleMessages.js";
import { isMessageTypeName, MESSAGE_TYPES } from "./messageTypes.js";

describeWithRos("ROS 2 reads what the codecs write", () => {
  test("and writes the same bytes", async () => {
    const names = Object.keys(MESSAGE_TYPES).filter(isMessageTypeName);
    const written = new Map(names.map((name) => [name, MESSAGE_TYPES[name].encode(exampleOf(name))]));
    const python = startRclpy("message_bytes.py");
    const encoded = [...written].map(([name, cdr]) => [name, Buffer.from(cdr).toString("base64")]);
    python.send(JSON.stringify(Object.fromEntries(encoded)));
    const [line] = await python.waitFor(/^\{.*\}$/m);
    const answers = JSON.parse(line) as Record<string, { text: string; cdr: string; missing?: true }>;
    const missing = names.filter((name) => answers[name]!.missing === true);
    // Ours is in no ROS; vision_msgs is a package of its own.
    expect([
      "ditr_perception/msg/ScanStatus",
      "vision_msgs/msg/Detection3DArray",
      "vision_msgs/msg/LabelInfo",
    ]).toEqual(expect.arrayContaining(missing));
    for (const [name, cdr] of written) {
      if (missing.includes(name)) continue;
      const theirs = Buffer.from(answers[name]!.cdr, "base64");
      // Padding at the end is for DDS.
      expect([name, theirs.subarray(4, cdr.length).toString("hex")]).toEqual([
        name,
        Buffer.from(cdr.subarray(4)).toString("hex"),
      ]);
      expect(theirs.length - cdr.length).toBeLessThan(4);
    }
    expect(answers[DIAGNOSTIC_ARRAY_TYPE]!.text).toContain(
      "level=b'\\x01', name='ditr_perception: camera front'",
    );
    expect(answers["rosgraph_msgs/msg/Clock"]!.text).toContain("sec=1234567890, nanosec=321");
  });
});
