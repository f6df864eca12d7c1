import path from "node:path";
import { expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { exampleOf } from "../messages/exampleMessages.js";
import { exampleMessages, withFolder, writeBag } from "./exampleBag.js";

interface ReadBag {
  readonly messages: readonly (readonly [string, string, string, string | null, unknown])[];
  readonly qos: Readonly<Record<string, unknown>>;
}

function readWithPython(file: string): Record<"mcap" | "rosbags", ReadBag> {
  const out = runReference("bag_readers.py", {}, { path: file, readers: ["mcap", "rosbags"] });
  const parse = (name: string): ReadBag =>
    JSON.parse(Buffer.from(out[name]!.data as Uint8Array).toString()) as ReadBag;
  return { mcap: parse("mcap"), rosbags: parse("rosbags") };
}

/** The field names of the ROS definitions where they are not ours in snake case. */
const RENAMED: Readonly<Record<string, string>> = { isBigEndian: "is_bigendian" };

/** One of our messages in the shape that rclpy would show. */
function rosFields(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint") {
    const seconds =
      BigInt.asIntN(64, value - (((value % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) /
      1_000_000_000n;
    return { sec: Number(seconds), nanosec: Number(value - seconds * 1_000_000_000n) };
  }
  if (Array.isArray(value)) return value.map(rosFields);
  if (typeof value !== "object" || value === null) return value;
  const { translation, rotation, ...others } = value as Record<string, unknown>;
  const fields = Object.fromEntries(
    Object.entries(others).map(([name, field]) => [
      RENAMED[name] ?? name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
      rosFields(field),
    ]),
  );
  if (translation === undefined) return fields;
  const [x, y, z] = translation as number[];
  const [qx, qy, qz, qw] = rotation as number[];
  return { ...fields, transform: { translation: { x, y, z }, rotation: { x: qx, y: qy, z: qz, w: qw } } };
}

/** `Image.is_bigendian` is a uint8, `PointCloud2.is_bigendian` a bool. */
function rosMessage(type: string, message: unknown): unknown {
  const fields = rosFields(message);
  if (type !== "sensor_msgs/msg/Image") return fields;
  const image = fields as { is_bigendian: boolean };
  return { ...image, is_bigendian: Number(image.is_bigendian) };
}

describeWithPython("bags read by the Python packages mcap and rosbags", () => {
  test.each(["none", "lz4", "zstd"] as const)(
    "have every field and stamp, compression %s",
    async (compression) => {
      await withFolder(async (folder) => {
        const file = path.join(folder, "drive.mcap");
        const messages = exampleMessages(12);
        await writeBag(file, messages, { compression });
        const read = readWithPython(file);
        const expected = messages.map(({ topic, type, logTime, publishTime }) => [
          topic,
          type,
          logTime.toString(),
          publishTime.toString(),
          rosMessage(type, exampleOf(type)),
        ]);
        expect(read.mcap.messages).toEqual(expected);
        expect(read.rosbags.messages).toEqual(expected.map((message) => message.with(3, null)));

        const infinite = { sec: 9223372036, nsec: 854775807 };
        expect(read.mcap.qos["/tf_static"]).toEqual([
          {
            history: 1,
            depth: 1,
            reliability: 1,
            durability: 1,
            deadline: infinite,
            lifespan: infinite,
            liveliness: 1,
            liveliness_lease_duration: infinite,
            avoid_ros_namespace_conventions: false,
          },
        ]);
        expect(read.rosbags.qos["/tf_static"]).toEqual([
          ["KEEP_LAST", 1, "RELIABLE", "TRANSIENT_LOCAL", 9223372036, 854775807],
        ]);
        expect(read.rosbags.qos["/lidar/points"]).toEqual([
          ["KEEP_LAST", 10, "RELIABLE", "VOLATILE", 9223372036, 854775807],
        ]);
      });
    },
  );
});
