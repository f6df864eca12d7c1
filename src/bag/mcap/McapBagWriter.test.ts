import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { comparable, exampleMessages, readAll, withFolder, writeBag } from "../exampleBag.js";
import { openBag } from "../openBag.js";
import { partialPath } from "../../files/OutputFile.js";
import { McapBagWriter } from "./McapBagWriter.js";
import { LATCHED_QOS, RELIABLE_QOS } from "../qosProfile.js";

const COMPRESSIONS = ["none", "lz4", "zstd"] as const;

test.each(COMPRESSIONS)(
  "what is written with compression %s is read back, in time order",
  async (compression) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, "new", "folders", "drive.mcap");
      const messages = exampleMessages(40);
      await writeBag(file, [...messages].reverse(), { compression });
      const reader = await openBag(file);
      const read = await readAll(reader);
      expect(comparable(read)).toEqual(comparable(messages));
      expect(reader.warnings).toEqual([]);
      await reader.close();
    });
  },
);

test("messages larger than a chunk, and empty ones, are written", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const writer = await McapBagWriter.create(file);
    const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) & 0xff);
    await writer.write("/large", "sensor_msgs/msg/PointCloud2", { logTime: 1n }, large);
    await writer.write("/empty", "sensor_msgs/msg/PointCloud2", { logTime: 2n }, new Uint8Array(0));
    await writer.close();
    const reader = await openBag(file);
    const read = await readAll(reader);
    expect(read.map(({ topic, data }) => [topic, data.byteLength])).toEqual([
      ["/large", large.byteLength],
      ["/empty", 0],
    ]);
    expect(Buffer.compare(read[0]!.data, large)).toBe(0);
    await reader.close();
  });
});

test("the same calls give the same bytes", async () => {
  await withFolder(async (folder) => {
    const files = ["a.mcap", "b.mcap"].map((name) => path.join(folder, name));
    for (const file of files) await writeBag(file, exampleMessages(10));
    const [a, b] = await Promise.all(files.map((file) => readFile(file)));
    expect(a!.equals(b!)).toBe(true);
  });
});

test("tf_static and label_info are latched, other topics are reliable, and options override that", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const writer = await McapBagWriter.create(file);
    const qos = { reliability: "best_effort", durability: "volatile", depth: 5 } as const;
    await writer.addTopic("/sensor", "sensor_msgs/msg/Image", { qos });
    for (const topic of ["/tf_static", "/robot1/tf_static", "/not_tf_static", "/sensor"]) {
      const type = topic === "/sensor" ? "sensor_msgs/msg/Image" : "tf2_msgs/msg/TFMessage";
      await writer.write(topic, type, { logTime: 1n }, Uint8Array.of(0, 1, 0, 0));
    }
    await writer.write(
      "/label_info",
      "vision_msgs/msg/LabelInfo",
      { logTime: 1n },
      Uint8Array.of(0, 1, 0, 0),
    );
    await writer.close();
    const reader = await openBag(file);
    expect(Object.fromEntries(reader.topics.map(({ topic, offeredQos }) => [topic, offeredQos]))).toEqual({
      "/label_info": [LATCHED_QOS],
      "/not_tf_static": [RELIABLE_QOS],
      "/robot1/tf_static": [LATCHED_QOS],
      "/sensor": [qos],
      "/tf_static": [LATCHED_QOS],
    });
    await reader.close();
  });
});

test("a file of the final name is complete: before close() there is only the partial one", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    await writeFile(file, "an older bag");
    const writer = await McapBagWriter.create(file, { force: true });
    await writer.write("/a", "std_msgs/msg/Header", { logTime: 1n }, Uint8Array.of(0, 1, 0, 0));
    expect(await readFile(file, "utf8")).toBe("an older bag");
    expect(existsSync(partialPath(file))).toBe(true);
    await writer.close();
    expect(existsSync(partialPath(file))).toBe(false);
    await (await openBag(file)).close();
  });
});

test("abort() leaves nothing", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const writer = await McapBagWriter.create(file);
    await writer.write("/a", "std_msgs/msg/Header", { logTime: 1n }, Uint8Array.of(0, 1, 0, 0));
    await writer.abort();
    expect([existsSync(file), existsSync(partialPath(file))]).toEqual([false, false]);
    await expect(writer.close()).rejects.toThrow("has been closed");
  });
});

test("calls that are not awaited one by one keep their order", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "drive.mcap");
    const messages = exampleMessages(30);
    const writer = await McapBagWriter.create(file);
    await Promise.all(
      messages.map(({ topic, type, logTime, data }) =>
        writer.write(topic, type, { logTime: logTime % 7n }, data),
      ),
    );
    await writer.close();
    const reader = await openBag(file);
    expect((await readAll(reader)).length).toBe(messages.length);
    await reader.close();
  });
});

test("an unknown type, a second type on a topic, and a place that cannot be written are refused", async () => {
  await withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "drive.mcap"));
    const cdr = Uint8Array.of(0, 1, 0, 0);
    await expect(writer.write("/a", "my_msgs/msg/Thing", { logTime: 1n }, cdr)).rejects.toThrow(
      'no message definition of "my_msgs/Thing" is known',
    );
    await writer.write("/a", "std_msgs/msg/Header", { logTime: 1n }, cdr);
    await expect(writer.write("/a", "sensor_msgs/msg/Image", { logTime: 1n }, cdr)).rejects.toThrow(
      "/a carries std_msgs/msg/Header",
    );
    const schema = {
      name: "my_msgs/msg/Thing",
      encoding: "ros2msg",
      data: new TextEncoder().encode("int32 x"),
    };
    await writer.addTopic("/b", "my_msgs/msg/Thing", { schema });
    await writer.write("/b", "my_msgs/msg/Thing", { logTime: 1n }, cdr);
    await writer.close();
    const reader = await openBag(writer.path);
    expect(reader.topics.map(({ topic, type }) => [topic, type])).toEqual([
      ["/a", "std_msgs/msg/Header"],
      ["/b", "my_msgs/msg/Thing"],
    ]);
    expect(Buffer.from(reader.topics[1]!.schema!.data).toString()).toBe("int32 x");
    await reader.close();

    await expect(McapBagWriter.create(path.join(writer.path, "drive.mcap"))).rejects.toMatchObject({
      code: "bag-unwritable",
    });
  });
});
