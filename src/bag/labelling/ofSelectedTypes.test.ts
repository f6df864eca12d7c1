import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { exampleOf } from "../../messages/exampleMessages.js";
import { MESSAGE_TYPES } from "../../messages/messageTypes.js";
import { mcapBytes, readAll, withFolder } from "../exampleBag.js";
import { openBag } from "../openBag.js";
import { encodeRecorded } from "../RecordedMessage.js";
import { chooseInputs } from "./chooseInputs.js";
import { RIG } from "./exampleRig.js";
import { inspectBag } from "./inspectBag.js";
import { ofSelectedTypes } from "./ofSelectedTypes.js";

test("of two types on a topic only the chosen one is labelled, and both are copied", async () => {
  const header = MESSAGE_TYPES["std_msgs/msg/Header"].encode(exampleOf("std_msgs/msg/Header"));
  const rig = RIG.map((message) => ({ ...message, data: encodeRecorded(message) }));
  const others = ["/points", "/front/image_raw", "/front/camera_info", "/tf_static", "/chatter"].map(
    (topic) => ({
      topic,
      type: "std_msgs/msg/Header",
      data: header,
    }),
  );
  const messages = [...others, ...rig].map(({ topic, type, data }, index) => {
    const logTime = BigInt(index + 1);
    return { topic, type, data, logTime, publishTime: logTime };
  });
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeFile(file, await mcapBytes(messages, {}));
    const reader = await openBag(file);
    const selected = ofSelectedTypes(reader, chooseInputs(await inspectBag(reader)));
    expect((await readAll(selected)).map(({ topic, type }) => [topic, type])).toEqual([
      ["/chatter", "std_msgs/msg/Header"],
      ...rig.map(({ topic, type }) => [topic, type]),
    ]);
    expect(await readAll(selected, { anyEncoding: true })).toHaveLength(messages.length);
    await reader.close();
  });
});
