import { describe, expect, test } from "@jest/globals";
import { pointCloud2 } from "./exampleMessages.js";
import { decodeHeader, encodeHeader } from "./header.js";
import { appendFields } from "./appendFields.js";
import { decodePointCloud2, encodePointCloud2 } from "./pointCloud2.js";
import { decodeTFMessage, encodeTFMessage } from "./tfMessage.js";

const SECOND = 1_000_000_000n;

describe("Header", () => {
  test.each([
    ["the epoch", 0n, 0, 0],
    ["just before the epoch", -1n, -1, 999_999_999],
    ["the last stamp", 0x7fff_ffffn * SECOND + 999_999_999n, 0x7fff_ffff, 999_999_999],
    ["the first stamp", -0x8000_0000n * SECOND, -0x8000_0000, 0],
  ])("%s is sec and nanosec", (_, stamp, seconds, nanoseconds) => {
    const cdr = encodeHeader({ stamp, frameId: "map" });
    const view = new DataView(cdr.buffer);
    expect([view.getInt32(4, true), view.getUint32(8, true)]).toEqual([seconds, nanoseconds]);
    expect(decodeHeader(cdr)).toEqual({ stamp, frameId: "map" });
  });

  test.each([0x8000_0000n * SECOND, -0x8000_0000n * SECOND - 1n])("refuses to write %s ns", (stamp) => {
    expect(() => encodeHeader({ stamp, frameId: "" })).toThrow(
      /stamp: .* outside -2147483648 to 2147483647 s/,
    );
  });

  test("refuses a second's worth of nanoseconds", () => {
    const cdr = encodeHeader({ stamp: 0n, frameId: "" });
    new DataView(cdr.buffer).setUint32(8, 1_000_000_000, true);
    expect(() => decodeHeader(cdr)).toThrow(
      "std_msgs/msg/Header stamp.nanosec: 1000000000 is not below 1000000000.",
    );
  });

  test("is read without the slash that ROS 1 put in front of frames, one of them, in every message", () => {
    const frameOf = (frameId: string): string => decodeHeader(encodeHeader({ stamp: 0n, frameId })).frameId;
    expect(["/map", "map", "//map", "a/b", "/", ""].map(frameOf)).toEqual([
      "map",
      "map",
      "/map",
      "a/b",
      "",
      "",
    ]);
    const header = { stamp: 1n, frameId: "/lidar" };
    const cloud = decodePointCloud2(encodePointCloud2({ ...pointCloud2, header }));
    expect(cloud.header.frameId).toBe("lidar");
    // So what is made of the message is displayed by tf2, which refuses a slash.
    const labelled = appendFields(cloud, []);
    expect(Buffer.from(labelled).indexOf("/lidar")).toBe(-1);
    const { transforms } = decodeTFMessage(
      encodeTFMessage({
        transforms: [{ header, childFrameId: "/front", translation: [0, 0, 0], rotation: [0, 0, 0, 1] }],
      }),
    );
    expect([transforms[0]!.header.frameId, transforms[0]!.childFrameId]).toEqual(["lidar", "front"]);
  });

  test("is read off the front of a larger message", () => {
    expect(decodeHeader(encodePointCloud2(pointCloud2))).toEqual(pointCloud2.header);
  });
});
