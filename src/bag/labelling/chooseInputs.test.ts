import path from "node:path";
import { expect, test } from "@jest/globals";
import { exampleOf } from "../../messages/exampleMessages.js";
import type { PointCloud2 } from "../../messages/types.js";
import { withFolder } from "../exampleBag.js";
import { writeDrive } from "../importers/kitti/exampleDrive.js";
import { KittiRawDrive } from "../importers/kitti/KittiRawDrive.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { RecordedMessage } from "../RecordedMessage.js";
import type { BagSummary } from "./BagSummary.js";
import { chooseInputs } from "./chooseInputs.js";
import { cloud, compressed, DEPTH, header, image, info, inspect, RIG, transform } from "./exampleRig.js";
import type { InputOverrides } from "./InputSelection.js";
import { inspectBag } from "./inspectBag.js";

test("a KITTI drive is labelled with both of its cameras", async () => {
  await withFolder(async (folder) => {
    const { drive } = await writeDrive(folder, 11);
    const summary = await inspect((await KittiRawDrive.open(drive)).messages());
    expect(summary.warnings).toEqual([]);
    expect(summary.clouds).toMatchObject([
      {
        topic: "/kitti/velo/pointcloud",
        frameId: "velo_link",
        messageCount: 11,
        pointCount: 2,
        fields: ["x", "y", "z", "intensity"],
      },
    ]);
    expect(summary.clouds[0]!.rate).toBeCloseTo(10, 0);
    expect(summary.frames).toMatchObject([
      { frame: "camera_color_left_optical_frame", parent: "velo_link", isStatic: true },
      { frame: "camera_gray_left_optical_frame", parent: "velo_link", isStatic: true },
      { frame: "velo_link", parent: "base_link", isStatic: true },
    ]);
    expect(chooseInputs(summary)).toEqual({
      clouds: [{ kind: "points", topic: "/kitti/velo/pointcloud" }],
      cameras: ["camera_color_left", "camera_gray_left"].map((name) => ({
        name,
        imageTopic: `/kitti/${name}/image_rect${name.includes("color") ? "_color" : ""}/compressed`,
        imageType: "sensor_msgs/msg/CompressedImage",
        cameraInfoTopic: `/kitti/${name}/camera_info`,
        rectified: true,
      })),
      tfTopics: ["/tf_static"],
      problems: [],
      oddities: [],
    });
  });
});

test("frames are connected over moving transforms too, and static topics come first", async () => {
  const summary = await inspect([
    ...RIG.slice(0, 4),
    transform("base_link", "head", "/tf"),
    transform("head", "front", "/tf"),
  ]);
  expect(chooseInputs(summary)).toMatchObject({
    cameras: [{ name: "front", imageTopic: "/front/image_raw" }],
    tfTopics: ["/tf_static", "/tf"],
    problems: [],
  });
});

test("a camera without CameraInfo, transform or the right size is reported, and refused when it was asked for", async () => {
  const messages = [
    ...RIG,
    image("/rear/image_raw", "rear"),
    image("/left/image_raw", "left"),
    info("/left/camera_info"),
    image("/wide/image_raw", "front"),
    info("/wide/camera_info", { width: 6 }),
    image("/binned/image_raw", "front"),
    info("/binned/camera_info", { width: 6, height: 4, binningX: 2, binningY: 2 }),
    image("/window/image_raw", "front"),
    info("/window/camera_info", {
      width: 60,
      height: 40,
      roi: { xOffset: 1, yOffset: 1, width: 3, height: 2, doRectify: false },
    }),
  ];
  const summary = await inspect(messages);
  const { cameras, problems } = chooseInputs(summary);
  expect(cameras.map(({ name }) => name)).toEqual(["binned", "front", "window"]);
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    [
      "transform-missing",
      expect.stringMatching(
        /\/left\/image_raw cannot be used: no transform connects its frame 'left' \(in the tree of 'left'\) with the frame 'lidar' of \/points \(in the tree of 'base_link'\)/,
      ),
    ],
    [
      "camera-info-missing",
      expect.stringMatching(
        /\/rear\/image_raw has no CameraInfo: there is no \/rear\/camera_info, and none is for its frame 'rear' and size of 3x2 pixels; CameraInfo is on: .*\/front\/camera_info/,
      ),
    ],
    [
      "camera-info-mismatch",
      expect.stringMatching(
        /\/wide\/image_raw cannot be used with \/wide\/camera_info: .*6x2 pixels, but the image has 3x2 .*--camera-info/,
      ),
    ],
  ]);
  expect(() => chooseInputs(summary, { imageTopics: ["/rear/image_raw"] })).toThrow("has no CameraInfo");
  expect(
    chooseInputs(summary, {
      imageTopics: ["/wide/image_raw", "/front/image_raw"],
      cameraInfoTopics: { "/wide/image_raw": "/front/camera_info" },
    }).cameras.map(({ name, cameraInfoTopic }) => [name, cameraInfoTopic]),
  ).toEqual([
    ["wide", "/front/camera_info"],
    ["front", "/front/camera_info"],
  ]);
  expect(chooseInputs(summary, { imageTopics: [] })).toMatchObject({ cameras: [], problems: [] });
  expect(() => chooseInputs(summary, { imageTopics: ["/none"] })).toThrow(
    "BAG has no image topic /none; its image topics are: ",
  );
});

test("names say whether images are rectified, unless the user does", async () => {
  const summary = await inspect([
    ...RIG,
    image("/rear/image_rect", "front"),
    info("/rear/camera_info"),
    image("/rgbd/depth/image", "front", DEPTH),
    info("/rgbd/depth/camera_info"),
  ]);
  const rectified = (overrides: InputOverrides): boolean[] =>
    chooseInputs(summary, overrides).cameras.map((camera) => camera.rectified);
  expect(rectified({})).toEqual([false, true]);
  expect(rectified({ rectifiedTopics: ["/front/image_raw"] })).toEqual([true, true]);
  expect(rectified({ rawTopics: ["/rear/image_rect"] })).toEqual([false, false]);
  const depth = { cloudTopics: ["/rgbd/depth/image"] };
  expect(chooseInputs(summary, depth).clouds[0]).toMatchObject({ rectified: false });
  expect(chooseInputs(summary, { ...depth, rectifiedTopics: depth.cloudTopics }).clouds[0]).toMatchObject({
    rectified: true,
  });
});

test("of several images of a camera one is used; depth images are none", async () => {
  const depth = { encoding: "16UC1", step: 6, data: new Uint8Array(12) };
  const messages = [
    ...RIG,
    compressed("/front/image_raw/compressed", "front"),
    image("/front/image_rect_color", "front"),
    compressed("/front/image_rect_color/compressed", "front"),
    image("/front/depth", "front", depth),
    compressed("/rgbd/depth/compressedDepth", "front", "16UC1; compressedDepth png"),
    info("/rgbd/camera_info"),
    compressed("/other/front/image/compressed", "front"),
    info("/other/front/camera_info"),
  ];
  const summary = await inspect(messages);
  const used = (overrides?: InputOverrides): (readonly [string, string])[] =>
    chooseInputs(summary, overrides).cameras.map(({ name, imageTopic }) => [name, imageTopic]);
  expect(used()).toEqual([
    ["front", "/front/image_rect_color"],
    ["other/front", "/other/front/image/compressed"],
  ]);
  expect(used({ imageTopics: ["/front/image_raw", "/front/image_rect_color"] })).toEqual([
    ["front/image_raw", "/front/image_raw"],
    ["front/image_rect_color", "/front/image_rect_color"],
  ]);
  // The one with more messages is the better recorded one.
  const more = [...messages, compressed("/front/image_raw/compressed", "front")];
  expect(chooseInputs(await inspect(more)).cameras[0]!.imageTopic).toBe("/front/image_raw/compressed");
});

test("clouds that this program has labelled are results, unless there are no others", async () => {
  const labelled = cloud("/ditr_perception/points_labelled");
  const message = labelled.message as PointCloud2;
  const fields = ["label", "confidence", "rgb"].map((name, i) => ({ ...message.fields[i]!, name }));
  const result = { ...labelled, message: { ...message, fields: [...message.fields.slice(0, 3), ...fields] } };
  const chosen = chooseInputs(await inspect([cloud("/points"), result as RecordedMessage]));
  expect(chosen.clouds.map(({ topic }) => topic)).toEqual(["/points"]);
  const alone = chooseInputs(await inspect([result as RecordedMessage]));
  expect(alone.clouds.map(({ topic }) => topic)).toEqual(["/ditr_perception/points_labelled"]);
});

test("several clouds are for the user to choose from, none is refused", async () => {
  const flat = exampleOf("sensor_msgs/msg/PointCloud2") as PointCloud2;
  const withoutZ: RecordedMessage = {
    ...cloud("/radar"),
    type: "sensor_msgs/msg/PointCloud2",
    message: { ...flat, fields: flat.fields.filter(({ name }) => name !== "z") },
  };
  const summary = await inspect([...RIG, cloud("/points_labelled"), withoutZ]);
  expect(() => chooseInputs(summary)).toThrow(
    "BAG has 2 clouds, choose one of them: /points, /points_labelled",
  );
  expect(chooseInputs(summary, { cloudTopics: ["/points_labelled"] }).clouds[0].topic).toBe(
    "/points_labelled",
  );
  expect(() => chooseInputs(summary, { cloudTopics: ["/none"] })).toThrow(
    "BAG: /none is not in the bag; its clouds are: ",
  );
  expect(() => chooseInputs(summary, { cloudTopics: ["/tf_static"] })).toThrow(
    "/tf_static carries tf2_msgs/msg/TFMessage",
  );
  expect(chooseInputs(await inspect([...RIG, withoutZ])).clouds[0].topic).toBe("/points");
  await expect(inspect(RIG.slice(1)).then((without) => chooseInputs(without))).rejects.toMatchObject({
    code: "invalid-configuration",
    message: expect.stringMatching(
      /^BAG has no topic of type PointCloud2 with fields x, y and z; its topics are \/\S+ \(\w+\/msg\/\w+\), /,
    ),
  });
});

test("overlays of the node, whatever it is called, are no cameras unless they are asked for", async () => {
  const overlays = ["/ditr_perception/overlay/front", "/robot/labeller/overlay/front"];
  const results = ["/ditr_perception/label_info", "/robot/labeller/points_labelled"];
  const summary = await inspect([...RIG, ...overlays.map((topic) => image(topic, "front"))]);
  const beside = (topics: readonly string[]): BagSummary => {
    const others = topics.map((topic) => ({ ...summary.topics[0]!, topic }));
    return { ...summary, topics: [...summary.topics, ...others] };
  };
  expect(chooseInputs(beside(results))).toMatchObject({ cameras: [{ name: "front" }], problems: [] });
  // Somebody else's images are cameras, with what they lack.
  expect(chooseInputs(beside(results.slice(0, 1))).problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^\/robot\/labeller\/overlay\/front has no CameraInfo/),
  ]);
  expect(() => chooseInputs(beside(results), { imageTopics: overlays.slice(0, 1) })).toThrow(
    "/ditr_perception/overlay/front has no CameraInfo",
  );
});

test("a depth image with a CameraInfo is labelled when there is no cloud, and its colour image is fused", async () => {
  const messages = [
    image("/rgbd/depth/image_rect", "optical", DEPTH),
    compressed("/rgbd/depth/image_rect/compressedDepth", "optical", "16UC1; compressedDepth png"),
    info("/rgbd/depth/camera_info"),
    image("/rgbd/color/image_raw", "optical"),
    info("/rgbd/color/camera_info"),
    image("/uncalibrated/depth/image_raw", "optical", DEPTH),
    transform("base_link", "optical"),
  ];
  const depth = {
    kind: "depth",
    topic: "/rgbd/depth/image_rect",
    cameraInfoTopic: "/rgbd/depth/camera_info",
  };
  const choice = chooseInputs(await inspect(messages));
  expect(choice).toMatchObject({
    clouds: [depth],
    cameras: [{ name: "color", imageTopic: "/rgbd/color/image_raw" }],
  });
  expect(choice.mergedFrame).toBeUndefined();
  // With a cloud it must be asked for.
  const withCloud = await inspect([...messages, cloud("/points"), transform("base_link", "lidar")]);
  expect(chooseInputs(withCloud).clouds).toEqual([{ kind: "points", topic: "/points" }]);
  const asked = ["/rgbd/depth/image_rect/compressedDepth"];
  expect(chooseInputs(withCloud, { cloudTopics: asked }).clouds).toMatchObject([
    { ...depth, topic: asked[0] },
  ]);
  const uncalibrated = { cloudTopics: ["/uncalibrated/depth/image_raw"] };
  expect(() => chooseInputs(withCloud, uncalibrated)).toThrow("there is no /uncalibrated/depth/camera_info");
  expect(() => chooseInputs(withCloud, { cloudTopics: ["/rgbd/color/image_raw"] })).toThrow(
    "carries sensor_msgs/msg/Image and no readable PointCloud2 or depth image",
  );
  // Two of them are for the user to choose from.
  const two = await inspect([...messages, info("/uncalibrated/depth/camera_info")]);
  expect(() => chooseInputs(two)).toThrow("BAG has 2 depth images, choose one of them: /rgbd/");
  const none = await inspect(messages.filter(({ topic }) => topic !== "/rgbd/depth/camera_info"));
  expect(() => chooseInputs(none)).toThrow("and no depth image with a CameraInfo");
});

test("depth below its camera's namespace shares the camera's CameraInfo when the frame is the same", async () => {
  const header = { stamp: 5n, frameId: "/optical" };
  const messages = [
    image("/front/depth/image_raw", "optical", DEPTH),
    info("/front/camera_info", { header }),
  ];
  expect(chooseInputs(await inspect(messages)).clouds).toMatchObject([
    { cameraInfoTopic: "/front/camera_info" },
  ]);
  const other = [messages[0]!, info("/front/camera_info")];
  await expect(inspect(other).then((summary) => chooseInputs(summary))).rejects.toThrow("no depth image");
});

test("several clouds are merged in the frame of the first, or in another that they are connected with", async () => {
  const summary = await inspect([
    ...RIG,
    cloud("/rear/points", "rear_lidar"),
    cloud("/lost/points", "lost"),
    transform("base_link", "rear_lidar"),
  ]);
  const cloudTopics = ["/rear/points", "/points"];
  expect(chooseInputs(summary, { cloudTopics })).toMatchObject({
    clouds: cloudTopics.map((topic) => ({ kind: "points", topic })),
    mergedFrame: "rear_lidar",
    cameras: [{ name: "front" }],
  });
  expect(chooseInputs(summary, { cloudTopics, targetFrame: "base_link" }).mergedFrame).toBe("base_link");
  expect(chooseInputs(summary, { cloudTopics: ["/points"], targetFrame: "base_link" }).mergedFrame).toBe(
    "base_link",
  );
  expect(() => chooseInputs(summary, { cloudTopics: ["/points", "/lost/points"] })).toThrow(
    "/lost/points cannot be used: no transform connects its frame 'lost'",
  );
  expect(() => chooseInputs(summary, { cloudTopics: ["/points", "/points"] })).toThrow(
    "/points is given twice",
  );
});

test("malformed messages are passed over with a warning", async () => {
  await withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "drive.mcap"));
    for (const logTime of [1n, 2n]) {
      await writer.write("/points", "sensor_msgs/msg/PointCloud2", { logTime }, Uint8Array.of(0, 1, 0, 0, 1));
      await writer.write("/tf_static", "tf2_msgs/msg/TFMessage", { logTime }, Uint8Array.of(0, 1, 0, 0, 1));
    }
    for (const message of RIG) await writer.record(message);
    await writer.close();
    const reader = await openBag(writer.path);
    const summary = await inspectBag(reader);
    await reader.close();
    expect(chooseInputs(summary)).toMatchObject({
      clouds: [{ topic: "/points" }],
      cameras: [{ name: "front" }],
    });
    expect(summary.warnings.map(({ code, message }) => [code, message.split(":")[0]])).toEqual([
      ["malformed-message", "/points at log time 1 ns"],
      ["malformed-message", "/tf_static at log time 1 ns"],
    ]);
  });
});

test("a field for intensity that no chosen cloud has is refused, with those that there are", async () => {
  const summary = await inspect(RIG);
  expect(() => chooseInputs(summary, { intensityField: "gloss" })).toThrow(
    expect.objectContaining({
      code: "invalid-configuration",
      message: expect.stringMatching(/no field "gloss" for intensity; \/points has z, x, y, ring/),
    }),
  );
  const [field] = summary.clouds[0]!.fields;
  expect(chooseInputs(summary, { intensityField: field! }).clouds).toHaveLength(1);
});

test("an image without a frame is in that of its CameraInfo; a cloud without one is named with what mends it", async () => {
  const recording = (cloudFrame: string, infoFrame: string): RecordedMessage[] => [
    cloud("/points", cloudFrame),
    image("/front/image_raw", ""),
    info("/front/camera_info", { header: header(infoFrame) }),
    transform("base_link", "lidar"),
    transform("base_link", "front"),
  ];
  const { cameras, oddities, problems } = chooseInputs(await inspect(recording("lidar", "front")));
  expect([cameras.map(({ imageTopic }) => imageTopic), problems]).toEqual([["/front/image_raw"], []]);
  expect(oddities.map(({ message }) => message)).toEqual([
    "/front/image_raw: header.frame_id of the images is empty; that of their CameraInfo is taken: 'front'",
  ]);
  for (const [cloudFrame, infoFrame, nameless] of [
    ["", "front", "/points"],
    ["lidar", "", "/front/image_raw"],
    ["", "", "/front/image_raw"],
  ] as const) {
    const summary = await inspect(recording(cloudFrame, infoFrame));
    const choice = chooseInputs(summary);
    expect(choice.cameras).toEqual([]);
    expect(choice.problems.map(({ message }) => message)).toEqual([
      `/front/image_raw cannot be used: header.frame_id on ${nameless} is empty, so that nothing says where its sensor is. ` +
        "Set the frame id of its driver (the parameter is mostly called frame_id) and record again, or write it into the " +
        "headers of the recording; --target-frame does not help",
    ]);
  }
  const nameless = await inspect(recording("", "front"));
  expect(() => chooseInputs(nameless, { targetFrame: "base_link" })).toThrow(
    "/points cannot be used: header.frame_id on /points is empty",
  );
});
