import { expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { exampleOf } from "./exampleMessages.js";
import { messageDefinition } from "./messageDefinition.js";
import { isMessageTypeName, MESSAGE_TYPES } from "./messageTypes.js";

const TYPE_NAMES = Object.keys(MESSAGE_TYPES).filter(isMessageTypeName);

describeWithPython("the message codec against rosbags", () => {
  test("rosbags reads what the codec writes, and the codec reads what rosbags writes, in both byte orders", () => {
    const cases = TYPE_NAMES.flatMap((type) =>
      (["little", "big"] as const).map((order) => ({
        type,
        order,
        file: `${type.split("/")[2]!}_${order}`,
        cdr: MESSAGE_TYPES[type].encode(exampleOf(type), { littleEndian: order === "little" }),
      })),
    );
    const written = runReference(
      "messages_rosbags.py",
      Object.fromEntries(cases.map(({ file, cdr }) => [file, { data: cdr, shape: [cdr.length] }])),
      { definitions: Object.fromEntries(TYPE_NAMES.map((type) => [type, messageDefinition(type)])) },
    );
    expect(Object.keys(written).sort()).toEqual(cases.map(({ file }) => file).sort());
    for (const { type, file } of cases) {
      const theirs = written[file]!.data as Uint8Array;
      expect(MESSAGE_TYPES[type].decode(theirs)).toEqual(exampleOf(type));
    }
  });
});
