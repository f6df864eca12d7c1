import { describe, expect, test } from "@jest/globals";
import { Fault } from "../faults/Fault.js";
import { exampleOf } from "./exampleMessages.js";
import { isMessageTypeName, MESSAGE_TYPES } from "./messageTypes.js";

describe.each(Object.keys(MESSAGE_TYPES).filter(isMessageTypeName))("%s", (name) => {
  const example = exampleOf(name);
  const { decode, encode } = MESSAGE_TYPES[name];

  test.each([true, false])("reads back what it writes (little-endian: %s)", (littleEndian) => {
    const cdr = encode(example, { littleEndian });
    expect([...cdr.subarray(0, 4)]).toEqual([0, littleEndian ? 1 : 0, 0, 0]);
    expect(decode(cdr)).toEqual(example);
  });

  test("reads from the middle of a larger buffer at any alignment", () => {
    const cdr = encode(example);
    for (let shift = 0; shift < 8; shift++) {
      const larger = new Uint8Array(cdr.length + 16).fill(0xaa);
      larger.set(cdr, shift);
      expect(decode(larger.subarray(shift, shift + cdr.length))).toEqual(example);
    }
  });

  test("refuses every truncation, and reads nothing behind the end", () => {
    const cdr = encode(example);
    for (let length = 0; length < cdr.length; length++) {
      // What was cut off still lies behind the view: a reader that ignores the view's end would succeed.
      expect(() => decode(cdr.subarray(0, length))).toThrow(Fault);
    }
  });
});

describe("encapsulation", () => {
  const cdr = MESSAGE_TYPES["std_msgs/msg/Header"].encode(exampleOf("std_msgs/msg/Header"));

  test.each([
    ["PL_CDR", [0x00, 0x03], "0x0003"],
    ["delimited CDR2", [0x00, 0x09], "0x0009"],
    ["something else", [0x01, 0x01], "0x0101"],
  ])("refuses %s", (_, identifier, shown) => {
    const other = Uint8Array.from(cdr);
    other.set(identifier);
    expect(() => MESSAGE_TYPES["std_msgs/msg/Header"].decode(other)).toThrow(
      `std_msgs/msg/Header encapsulation header: the representation is ${shown}, only plain CDR`,
    );
  });
});
