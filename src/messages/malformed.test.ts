import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Fault } from "../faults/Fault.js";
import { appendFields } from "./appendFields.js";
import { exampleOf } from "./exampleMessages.js";
import { filterPoints } from "./filterPoints.js";
import { isMessageTypeName, MESSAGE_TYPES, type MessageTypeName } from "./messageTypes.js";
import { pointCount } from "./pointCloud2.js";
import { hasField, readXyz } from "./pointColumns.js";
import { PointFieldType, type PointCloud2 } from "./types.js";

const TYPE_NAMES = Object.keys(MESSAGE_TYPES).filter(isMessageTypeName);

/** fast-check prints the seed of a failure. */
const SEEDS = [1, 20260214, Math.trunc(Math.random() * 0x7fff_ffff)];

/** What a decoder made of bytes in the middle of a buffer that is filled with `poison` around them. */
function outcome(type: MessageTypeName, bytes: Uint8Array, poison: number): unknown {
  const before = 5;
  const larger = new Uint8Array(bytes.length + 64).fill(poison);
  larger.set(bytes, before);
  const cdr = larger.subarray(before, before + bytes.length);
  let message: unknown;
  try {
    message = MESSAGE_TYPES[type].decode(cdr);
  } catch (error) {
    if (error instanceof Fault && error.code === "malformed-message") return error.message;
    throw error;
  }
  if (type === "sensor_msgs/msg/PointCloud2") usePoints(message as PointCloud2);
  return message;
}

/** A cloud that was accepted can be read, labelled and filtered. */
function usePoints(cloud: PointCloud2): void {
  const points = pointCount(cloud);
  if (points > cloud.data.length) throw new Error(`${points} points in ${cloud.data.length} bytes`);
  if (["x", "y", "z"].every((name) => hasField(cloud, name))) readXyz(cloud);
  appendFields(cloud, [{ name: "label", datatype: PointFieldType.UINT8, values: new Uint8Array(points) }]);
  filterPoints(cloud, new Uint8Array(points).fill(1));
}

/** The same message or the same fault, whatever lies around the bytes: nothing outside them was read. */
function expectSelfContained(type: MessageTypeName, bytes: Uint8Array): void {
  const [one, other] = [outcome(type, bytes, 0xff), outcome(type, bytes, 0x00)];
  // `expect` is slow; thousands of outcomes are compared.
  if (!isDeepStrictEqual(one, other)) expect(one).toEqual(other);
}

const hostileWord = fc.oneof(
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff),
  fc.nat(300),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);

describe.each(SEEDS)("with seed %s", (seed) => {
  test.each(TYPE_NAMES)("random bytes as %s are a message or a Fault", (type) => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 6, 7), fc.uint8Array({ maxLength: 300 }), (kind, bytes) => {
        expectSelfContained(type, Uint8Array.of(0, kind, 0, 0, ...bytes));
        expectSelfContained(type, bytes);
      }),
      { seed, numRuns: 300 },
    );
  });

  test.each(TYPE_NAMES)("a mutated %s is a message or a Fault", (type) => {
    const originals = [true, false].map((littleEndian) =>
      MESSAGE_TYPES[type].encode(exampleOf(type), { littleEndian }),
    );
    const edit = fc.record({ at: fc.nat(), value: hostileWord, bytes: fc.constantFrom(1, 4) });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1),
        fc.array(edit, { maxLength: 4 }),
        fc.nat(20),
        (which, edits, cut) => {
          const bytes = Uint8Array.from(originals[which]!);
          const view = new DataView(bytes.buffer);
          for (const { at, value, bytes: size } of edits) {
            // Words where the message has its lengths, single bytes anywhere.
            if (size === 4) view.setUint32((at % ((bytes.length >> 2) - 1)) * 4, value, which === 0);
            else bytes[at % bytes.length] = value;
          }
          expectSelfContained(type, cut < 10 ? bytes : bytes.subarray(0, Math.max(0, bytes.length - cut)));
        },
      ),
      { seed, numRuns: 600 },
    );
  });

  test("any header comes back as it was", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 31n) * 10n ** 9n, max: 2n ** 31n * 10n ** 9n - 1n }),
        fc.string({ unit: "binary" }),
        fc.boolean(),
        (stamp, frameId, littleEndian) => {
          const { decode, encode } = MESSAGE_TYPES["std_msgs/msg/Header"];
          expect(decode(encode({ stamp, frameId }, { littleEndian }))).toEqual({ stamp, frameId });
        },
      ),
      { seed },
    );
  });
});
