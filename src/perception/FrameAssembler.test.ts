import { describe, expect, test } from "@jest/globals";
import { FaultLog } from "../faults/FaultLog.js";
import { encodeCameraInfo } from "../messages/cameraInfo.js";
import { cameraInfo } from "../messages/exampleMessages.js";
import { EXAMPLE_LAYOUTS, EXAMPLE_STAMP, exampleCloud } from "../messages/examplePointLayouts.js";
import { IMAGE_TYPE } from "../messages/image.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { encodeTFMessage } from "../messages/tfMessage.js";
import type { CameraInfo, PointCloud2 } from "../messages/types.js";
import type { SyncedFrame } from "../sync/types.js";
import { FrameAssembler, type FrameAssemblerOptions, type SensorMessage } from "./FrameAssembler.js";
import type { ScanSource } from "./ScanFrame.js";

const VELODYNE = exampleCloud(EXAMPLE_LAYOUTS[0]!, 0);
const MILLISECOND = 1_000_000n;
/** Of 16 points 3 ms apart, and what single precision adds to 0.045 s. */
const SCAN_LENGTH = 45n * MILLISECOND + 10n;

function assembler(options: Partial<FrameAssemblerOptions>): { assembler: FrameAssembler; faults: FaultLog } {
  const faults = new FaultLog();
  return { assembler: new FrameAssembler({ rectified: new Set(), ...options }, faults), faults };
}

/** base_link drives 10 m/s along x of odom; the LiDARs are mounted 1 and 2 m ahead. */
function addTransforms(target: FrameAssembler, until: bigint): void {
  const rotation = [0, 0, 0, 1] as const;
  const transforms = ["front", "rear"].map((childFrameId, i) => ({
    header: { stamp: 0n, frameId: "base_link" },
    childFrameId,
    translation: [1 + i, 0, 0] as const,
    rotation,
  }));
  target.addTransforms(encodeTFMessage({ transforms }), true);
  for (const stamp of [EXAMPLE_STAMP - 100n * MILLISECOND, until]) {
    const x = Number(stamp - EXAMPLE_STAMP) / 1e8;
    const header = { stamp, frameId: "odom" };
    const moved = [{ header, childFrameId: "base_link", translation: [x, 0, 0] as const, rotation }];
    target.addTransforms(encodeTFMessage({ transforms: moved }), false);
  }
}

function message(topic: string, frameId: string, cloud: PointCloud2 = VELODYNE): SensorMessage {
  return { topic, type: POINT_CLOUD2_TYPE, frameId, cdr: encodePointCloud2(cloud) };
}

function frame(
  cloud: SensorMessage,
  other?: { message: SensorMessage; delta: bigint },
): SyncedFrame<SensorMessage, SensorMessage> {
  const images =
    other === undefined
      ? []
      : [
          {
            camera: other.message.topic,
            image: other.message,
            stamp: EXAMPLE_STAMP + other.delta,
            cloudTime: EXAMPLE_STAMP + other.delta,
            delta: other.delta,
          },
        ];
  return { cloud, stamp: EXAMPLE_STAMP, epoch: 0, images, missing: [], release: "complete" };
}

function xOf(source: ScanSource | undefined): number | undefined {
  return source?.toScan?.[12];
}

test("without a fixed frame, or when it is not wanted, points have no motion", () => {
  for (const options of [{}, { fixedFrame: "odom", deskew: false }]) {
    const { assembler: one, faults } = assembler(options);
    addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH);
    expect(one.assemble(frame(message("/front", "front"))).sources).toMatchObject([
      { kind: "points", topic: "/front", frameId: "front" },
    ]);
    expect(one.assemble(frame(message("/front", "front"))).sources[0]).not.toHaveProperty("motion");
    expect(faults.total).toBe(0);
  }
});

test("the motion spans the times of the points", () => {
  const { assembler: one } = assembler({ fixedFrame: "odom" });
  addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH);
  const { motion, toScan } = one.assemble(frame(message("/front", "front"))).sources[0]!;
  expect(toScan).toBeUndefined();
  const count = motion!.poses.length / 16;
  expect(motion!.first).toBe(0);
  expect(motion!.step).toBeLessThanOrEqual(1e6);
  expect(motion!.step * (count - 1)).toBeCloseTo(45e6, -1);
  // 45 ms at 10 m/s.
  expect([motion!.poses[12], motion!.poses.at(-4)]).toEqual([expect.closeTo(0, 9), expect.closeTo(0.45, 6)]);
});

test("a motion that is not known is reported, and the scan goes on without", () => {
  const { assembler: one, faults } = assembler({ fixedFrame: "odom" });
  addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH - 100n);
  expect(one.assemble(frame(message("/front", "front"))).sources).toHaveLength(1);
  const [fault] = faults.summary();
  expect([fault!.code, fault!.messages[0]]).toEqual([
    "transform-missing",
    expect.stringMatching(/^\/front at \d+ ns: the motion within the scan is not compensated: no transform/),
  ]);
});

test("further sources are placed at the scan's stamp, through the fixed frame when there is one", () => {
  const rear = { message: message("/rear", "rear"), delta: 20n * MILLISECOND };
  const common = { otherSources: new Set(["/rear"]), mergedFrame: "base_link" };
  for (const [fixedFrame, moved] of [
    [undefined, 0],
    ["odom", 0.2],
  ] as const) {
    const { assembler: one } = assembler({ ...common, ...(fixedFrame && { fixedFrame }), deskew: false });
    addTransforms(one, EXAMPLE_STAMP + 100n * MILLISECOND);
    const { sources, images, mergedFrame } = one.assemble(frame(message("/front", "front"), rear));
    expect([images, mergedFrame]).toEqual([[], "base_link"]);
    expect(sources.map(xOf)).toEqual([expect.closeTo(1, 9), expect.closeTo(2 + moved, 9)]);
  }
});

test("a source keeps its index when those before it are missing", () => {
  const rear = { message: message("/rear", "rear"), delta: 0n };
  const { assembler: one } = assembler({ otherSources: new Set(["/side", "/rear"]) });
  addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH);
  const { sources } = one.assemble(frame(message("/front", "front"), rear));
  expect(sources.map(({ topic, index }) => [topic, index])).toEqual([
    ["/front", 0],
    ["/rear", 2],
  ]);
});

test("sources without a place or a CameraInfo are left out with the reason", () => {
  const lost = { message: message("/lost", "lost"), delta: 0n };
  const { assembler: one, faults } = assembler({
    otherSources: new Set(["/lost"]),
    mergedFrame: "base_link",
  });
  addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH);
  const placed = one.assemble(frame(message("/front", "front"), lost));
  expect(placed.sources.map(({ topic }) => topic)).toEqual(["/front"]);
  expect(placed.missing).toEqual([
    { camera: "/lost", reason: expect.stringMatching(/^transform-missing: .*"lost"/) },
  ]);
  const depth = { ...message("/depth", "front"), type: IMAGE_TYPE };
  expect(one.assemble(frame(depth)).missing[0]!.reason).toMatch(/^camera-info-missing: .*\/depth/);
  one.addCameraInfo("/depth", encodeCameraInfo(cameraInfo));
  expect(one.assemble(frame(depth)).sources).toMatchObject([{ kind: "depth", info: cameraInfo }]);
  expect(faults.summary().map(({ code, count }) => [code, count])).toEqual([
    ["camera-info-missing", 1],
    ["transform-missing", 1],
  ]);
});

test("an image without a frame is in that of its CameraInfo, which is said once; a cloud without one has no place", () => {
  const { assembler: one, faults } = assembler({});
  addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH);
  const info = { ...cameraInfo, header: { stamp: 0n, frameId: "rear" } };
  one.addCameraInfo("/image", encodeCameraInfo(info));
  const image = { message: { ...message("/image", ""), type: IMAGE_TYPE }, delta: 0n };
  for (let scan = 0; scan < 2; scan++) {
    const { images, missing } = one.assemble(frame(message("/front", "front"), image));
    expect(missing).toEqual([]);
    expect(images).toMatchObject([{ frameId: "rear" }]);
    // The rear is 1 m ahead of the front.
    expect(images[0]!.cloudToCamera[12]).toBeCloseTo(-1, 9);
  }
  expect(faults.summary().map(({ code, count, messages }) => [code, count, messages[0]])).toEqual([
    [
      "redundant-field",
      1,
      "/image: header.frame_id of the images is empty; that of their CameraInfo is taken: 'rear'",
    ],
  ]);
  const nameless = one.assemble(frame(message("/front", ""), image));
  expect(nameless.sources).toHaveLength(1);
  expect(nameless.missing).toEqual([
    {
      camera: "/image",
      reason: expect.stringMatching(/^transform-missing: .*header.frame_id of a sensor is empty/),
    },
  ]);
});

test("a further cloud without times beside one with times keeps its place and is no fault", () => {
  const withoutTimes = { ...VELODYNE, fields: VELODYNE.fields.filter(({ name }) => !/^(t|time)/.test(name)) };
  const rear = { message: message("/rear", "rear", withoutTimes), delta: 20n * MILLISECOND };
  const { assembler: one, faults } = assembler({
    otherSources: new Set(["/rear"]),
    mergedFrame: "base_link",
    fixedFrame: "odom",
  });
  addTransforms(one, EXAMPLE_STAMP + 100n * MILLISECOND);
  const { sources, missing } = one.assemble(frame(message("/front", "front"), rear));
  expect(sources.map((source) => source.kind === "points" && source.motion !== undefined)).toEqual([
    true,
    false,
  ]);
  // 20 ms at 10 m/s further on.
  expect(xOf(sources[1])).toBeCloseTo(2.2, 9);
  expect([missing, faults.total]).toEqual([[], 0]);
});

test("the pose of the robot is looked up at the image's time on the clouds' clock, moved to that of the transforms", () => {
  const offset = 37_000n * MILLISECOND;
  for (const transformOffset of [0n, -5_000n * MILLISECOND]) {
    const { assembler: one, faults } = assembler({ fixedFrame: "odom", deskew: false, transformOffset });
    one.addCameraInfo("/image", encodeCameraInfo(cameraInfo));
    const rotation = [0, 0, 0, 1] as const;
    for (const child of ["front", "camera"]) {
      const header = { stamp: 0n, frameId: "base_link" };
      const mounted = [{ header, childFrameId: child, translation: [0, 0, 0] as const, rotation }];
      one.addTransforms(encodeTFMessage({ transforms: mounted }), true);
    }
    for (const ms of [-100n, 100n]) {
      const header = { stamp: EXAMPLE_STAMP + transformOffset + ms * MILLISECOND, frameId: "odom" };
      const moved = [
        { header, childFrameId: "base_link", translation: [Number(ms) / 100, 0, 0] as const, rotation },
      ];
      one.addTransforms(encodeTFMessage({ transforms: moved }), false);
    }
    const image = { ...message("/image", "camera"), type: IMAGE_TYPE };
    const cloudTime = EXAMPLE_STAMP + 20n * MILLISECOND;
    const matched = {
      ...frame(message("/front", "front")),
      images: [{ camera: "/image", image, stamp: cloudTime + offset, cloudTime, delta: 0n }],
    };
    const [placed] = one.assemble(matched).images;
    expect(faults.total).toBe(0);
    expect(placed!.stamp).toBe(cloudTime + offset);
    // 20 ms at 10 m/s.
    expect(placed!.cloudToCamera[12]).toBeCloseTo(-0.2, 9);
  }
});

function addOdometry(target: FrameAssembler, stamps: readonly bigint[]): void {
  for (const stamp of stamps) {
    const header = { stamp, frameId: "odom" };
    const pose = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] } as const;
    target.addTransforms(
      encodeTFMessage({ transforms: [{ header, childFrameId: "base_link", ...pose }] }),
      false,
    );
  }
}

describe("what is worth waiting for", () => {
  const image = { ...message("/image", "camera"), type: IMAGE_TYPE };
  const withImage = (stamp = EXAMPLE_STAMP): SyncedFrame<SensorMessage, SensorMessage> => ({
    ...frame(message("/front", "front"), { message: image, delta: 0n }),
    stamp,
  });
  const mounted = (target: FrameAssembler, ...children: string[]): void => {
    const pose = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] } as const;
    const header = { stamp: 0n, frameId: "base_link" };
    const transforms = children.map((childFrameId) => ({ header, childFrameId, ...pose }));
    target.addTransforms(encodeTFMessage({ transforms }), true);
  };

  test("the place of a camera, from the moment that its CameraInfo is known until it comes", () => {
    const { assembler: one } = assembler({});
    expect(one.awaits(withImage())).toBeUndefined();
    one.addCameraInfo("/image", encodeCameraInfo(cameraInfo));
    expect(one.awaits(withImage())).toMatchObject({ reason: "unknown-frame" });
    mounted(one, "front");
    expect(one.awaits(withImage())?.message).toMatch(/"camera"/);
    mounted(one, "camera");
    expect(one.awaits(withImage())).toBeUndefined();
    expect(one.assemble(withImage()).images).toHaveLength(1);
  });

  test("a frame that nobody publishes costs one wait, and is waited for again once it was there", () => {
    const { assembler: one } = assembler({});
    one.addCameraInfo("/image", encodeCameraInfo(cameraInfo));
    mounted(one, "front");
    const first = withImage();
    expect(one.awaits(first)).toBeDefined();
    expect(one.assemble(first).images).toEqual([]);
    expect(one.awaits(withImage(EXAMPLE_STAMP + 1n))).toBeUndefined();
    // A frame that was not waited for gives up nothing.
    const { assembler: other } = assembler({});
    other.addCameraInfo("/image", encodeCameraInfo(cameraInfo));
    other.assemble(withImage());
    expect(other.awaits(withImage(EXAMPLE_STAMP + 1n))).toBeDefined();
  });

  test("odometry that is late is waited for, and again after a pause of it", () => {
    const { assembler: one } = assembler({ fixedFrame: "odom", deskew: false });
    one.addCameraInfo("/image", encodeCameraInfo(cameraInfo));
    mounted(one, "front", "camera");
    addOdometry(one, [EXAMPLE_STAMP - 20n, EXAMPLE_STAMP - 10n]);
    const late = withImage();
    const at = (delta: bigint) => ({
      ...late,
      stamp: EXAMPLE_STAMP + delta,
      images: late.images.map((match) => ({
        ...match,
        stamp: EXAMPLE_STAMP + delta,
        cloudTime: EXAMPLE_STAMP + delta,
      })),
    });
    expect(one.awaits(late)).toMatchObject({ reason: "extrapolation-future" });
    addOdometry(one, [EXAMPLE_STAMP + 5n]);
    expect(one.awaits(late)).toBeUndefined();
    expect(one.assemble(late).images).toHaveLength(1);
    const lost = at(10n);
    expect(one.awaits(lost)).toBeDefined();
    expect(one.assemble(lost).images).toEqual([]);
    expect(one.awaits(at(20n))).toBeUndefined();
    addOdometry(one, [EXAMPLE_STAMP + 25n]);
    expect(one.awaits(at(30n))).toMatchObject({ reason: "extrapolation-future" });
    // What is older than all samples will not come.
    expect(one.awaits(at(-100n))).toBeUndefined();
  });

  test("the end of the scan, as long as its motion is compensated", () => {
    const { assembler: one } = assembler({ fixedFrame: "odom" });
    addTransforms(one, EXAMPLE_STAMP + SCAN_LENGTH - 100n);
    expect(one.awaits(frame(message("/front", "front")))).toMatchObject({ reason: "extrapolation-future" });
    one.configure({ fixedFrame: "odom", deskew: false });
    expect(one.awaits(frame(message("/front", "front")))).toBeUndefined();
    one.configure({});
    expect(one.assemble(frame(message("/front", "front"))).sources[0]).not.toHaveProperty("motion");
    one.configure({ fixedFrame: "odom" });
    addOdometry(one, [EXAMPLE_STAMP + SCAN_LENGTH]);
    expect(one.awaits(frame(message("/front", "front")))).toBeUndefined();
    expect(one.assemble(frame(message("/front", "front"))).sources[0]).toHaveProperty("motion");
  });

  test("not a cloud that cannot be read", () => {
    const { assembler: one } = assembler({ fixedFrame: "odom" });
    const garbage = { ...message("/front", "front"), cdr: Uint8Array.of(1, 2, 3) };
    expect(one.awaits(frame(garbage))).toBeUndefined();
  });
});

test("a CameraInfo that differs only in its stamp is not decoded again; any other difference counts", () => {
  const { assembler: one } = assembler({});
  const infoFor = (info: CameraInfo): CameraInfo | undefined => {
    one.addCameraInfo("/depth", encodeCameraInfo(info));
    const [source] = one.assemble(frame({ ...message("/depth", "front"), type: IMAGE_TYPE })).sources;
    return source?.kind === "depth" ? source.info : undefined;
  };
  const first = infoFor(cameraInfo);
  const later = { ...cameraInfo.header, stamp: cameraInfo.header.stamp + 5_000_000_001n };
  expect(infoFor({ ...cameraInfo, header: later })).toBe(first);
  const changed = { ...cameraInfo, width: cameraInfo.width + 1 };
  expect(infoFor(changed)).toEqual(changed);
  expect(infoFor({ ...changed, header: { ...later, frameId: "other" } })?.header.frameId).toBe("other");
});
