import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { FaultLog } from "../../faults/FaultLog.js";
import { EXAMPLE_LAYOUTS, exampleCloud } from "../../messages/examplePointLayouts.js";
import { exampleOf } from "../../messages/exampleMessages.js";
import { encodeCompressedImage, COMPRESSED_IMAGE_TYPE } from "../../messages/image.js";
import { encodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import type { CompressedImage } from "../../messages/types.js";
import { SyncLedger } from "../../sync/SyncLedger.js";
import { withFolder } from "../exampleBag.js";
import { McapBagWriter } from "../mcap/McapBagWriter.js";
import { openBag } from "../openBag.js";
import type { BagReader } from "../types.js";
import type { InputSelection } from "./InputSelection.js";
import { RecordedEpochs } from "./RecordedEpochs.js";
import { RecordedFrames } from "./RecordedFrames.js";
import { recordedInputs, type RecordedInputsOptions } from "./RecordedInputs.js";
import { recordedTimes } from "./recordedTimes.js";

const START = 1_763_800_000_000_000_000n;
const at = (ms: number): bigint => START + BigInt(Math.round(ms * 1e6));
const CLOUD = "/points";
const IMAGE = "/front/image/compressed";

interface Logged {
  readonly topic: string;
  /** Milliseconds. */
  readonly stamp: number;
  readonly logged?: number;
}

const SELECTION: InputSelection = {
  clouds: [{ kind: "points", topic: CLOUD }],
  cameras: [
    {
      name: "front",
      imageTopic: IMAGE,
      imageType: COMPRESSED_IMAGE_TYPE,
      cameraInfoTopic: "/front/camera_info",
      rectified: false,
    },
  ],
  tfTopics: [],
  problems: [],
  oddities: [],
};

/** Points with times of 3 ms each: a scan of so many points has its middle at 1.5 ms * (points - 1). */
function cdrOf({ topic, stamp }: Logged, points: number): Uint8Array<ArrayBuffer> {
  const header = { stamp: stamp === -Infinity ? 0n : at(stamp), frameId: "frame" };
  if (topic === CLOUD) {
    const cloud = exampleCloud(EXAMPLE_LAYOUTS[0]!, 0);
    const data = cloud.data.subarray(0, points * cloud.pointStep);
    return encodePointCloud2({ ...cloud, header, height: 1, width: points, rowStep: data.length, data });
  }
  return encodeCompressedImage({ ...(exampleOf(COMPRESSED_IMAGE_TYPE) as CompressedImage), header });
}

async function withBag<T>(
  messages: readonly Logged[],
  use: (reader: BagReader) => Promise<T>,
  pointsOf: (stamp: number) => number = () => 1,
): Promise<T> {
  return withFolder(async (folder) => {
    const writer = await McapBagWriter.create(path.join(folder, "bag.mcap"));
    const byLog = messages.toSorted((a, b) => (a.logged ?? a.stamp) - (b.logged ?? b.stamp));
    for (const message of byLog) {
      const { topic, stamp, logged = stamp } = message;
      const type = topic === CLOUD ? POINT_CLOUD2_TYPE : COMPRESSED_IMAGE_TYPE;
      await writer.write(topic, type, { logTime: at(logged) }, cdrOf(message, pointsOf(stamp)));
    }
    await writer.close();
    const reader = await openBag(writer.path);
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  });
}

const OPTIONS: Omit<RecordedInputsOptions, "faults"> = { tolerance: 40_000_000n };

/** Milliseconds of cloud and image of each frame. */
async function framesOf(
  reader: BagReader,
  options: Partial<RecordedInputsOptions> = {},
): Promise<(number | undefined)[][]> {
  const inputs = await recordedInputs(reader, SELECTION, { ...OPTIONS, faults: new FaultLog(), ...options });
  const epochs = new RecordedEpochs(inputs.index.clouds, inputs.sync.jumpThreshold);
  const frames = new RecordedFrames({ reader, ...inputs, epochs });
  const pairs: (number | undefined)[][] = [];
  for (const rows of frames.join(new SyncLedger())) {
    const { cloud, stamp, images } = await frames.read(rows);
    expect(cloud.topic).toBe(CLOUD);
    for (const { image } of images) expect([image.topic, image.frameId]).toEqual([IMAGE, "frame"]);
    const ms = (time: bigint) => Number(time - START) / 1e6;
    pairs.push([ms(stamp), images[0] && ms(images[0].stamp)]);
  }
  await frames.close();
  return pairs;
}

const clouds = (count: number, logged?: (ms: number) => number): Logged[] =>
  Array.from({ length: count }, (_, i) => ({
    topic: CLOUD,
    stamp: i * 100,
    logged: logged?.(i * 100) ?? i * 100,
  }));
const images = (count: number, more: (ms: number) => Partial<Logged> = () => ({})): Logged[] =>
  Array.from({ length: count }, (_, i) => {
    const stamp = i * 100 + 5;
    return { topic: IMAGE, stamp, logged: stamp, ...more(stamp) };
  });
const EACH = Array.from({ length: 10 }, (_, i) => [i * 100, i * 100 + 5]);

describe("in a recording nothing is late", () => {
  test.each([
    ["images that were logged 0.4 s late", [...clouds(10), ...images(10, (ms) => ({ logged: ms + 400 }))]],
    [
      "images that were logged a minute late",
      [...clouds(10), ...images(10, (ms) => ({ logged: ms + 60_000 }))],
    ],
    ["clouds that were logged late", [...clouds(10, (ms) => ms + 3000), ...images(10)]],
    ["clouds in reverse", [...clouds(10, (ms) => 2000 - ms), ...images(10)]],
    [
      "topics one after the other at one time",
      [...clouds(10, () => 0), ...images(10, () => ({ logged: 5000 }))],
    ],
  ])("%s", async (_, messages) => {
    expect(await withBag(messages, (reader) => framesOf(reader))).toEqual(EACH);
    const said = await withBag(messages, async (reader) =>
      recordedTimes(reader, await recordedInputs(reader, SELECTION, { ...OPTIONS, faults: new FaultLog() })),
    );
    expect(said).toEqual([]);
  });

  test("whatever the order of logging", async () => {
    const messages = [...clouds(10), ...images(10)];
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 20, maxLength: 20 }),
      async (times) => {
        const shuffled = messages.map((message, i) => ({ ...message, logged: times[i]! }));
        expect(await withBag(shuffled, (reader) => framesOf(reader))).toEqual(EACH);
      },
    );
    await fc.assert(property, { seed: 3, numRuns: 25 });
  });

  test("a recording that was played in a loop is labelled lap by lap", async () => {
    const lap = (start: number) => [
      ...clouds(10, (ms) => start + ms),
      ...images(10, (ms) => ({ logged: start + ms })),
    ];
    const twice = [...lap(0), ...lap(1000)];
    const threshold = await withBag(twice, async (reader) => {
      const inputs = await recordedInputs(reader, SELECTION, { ...OPTIONS, faults: new FaultLog() });
      const epochs = new RecordedEpochs(inputs.index.clouds, 500_000_000n);
      const frames = new RecordedFrames({ reader, ...inputs, epochs });
      return [...frames.join(new SyncLedger())].map(({ epoch, images: [image] }) => [epoch, image?.image]);
    });
    expect(threshold).toEqual(Array.from({ length: 20 }, (_, i) => [Math.floor(i / 10), i]));
  });
});

test("offsets count from the middle of each scan: a short first one shifts no other", async () => {
  const between = Array.from({ length: 40 }, (_, i): Logged => ({ topic: IMAGE, stamp: i * 25 }));
  // 16 points take 45 ms, so that the middle is at 22.5 ms; the first scan has 1 point.
  const pairs = await withBag(
    [...clouds(4), ...between],
    (reader) => framesOf(reader),
    (ms) => (ms === 0 ? 1 : 16),
  );
  expect(pairs).toEqual([
    [0, 0],
    [100, 125],
    [200, 225],
    [300, 325],
  ]);
});

describe("clocks that differ", () => {
  const ahead = (by: number): Logged[] => [
    ...clouds(10).map((cloud) => ({ ...cloud, stamp: cloud.stamp + by })),
    ...images(10),
  ];
  const timesOf = (messages: readonly Logged[], options: Partial<RecordedInputsOptions> = {}) =>
    withBag(messages, async (reader) =>
      recordedTimes(
        reader,
        await recordedInputs(reader, SELECTION, { ...OPTIONS, faults: new FaultLog(), ...options }),
      ),
    );

  test("are named with the option that mends it, which does", async () => {
    const [sentence, ...others] = await timesOf(ahead(37_000));
    expect(sentence).toMatch(
      /^the stamps of \/front\/image\/compressed are 37\.000 s behind those of \/points .*: --camera-offset front=auto \(or front=-37000\)/,
    );
    expect(others).toEqual(["camera front: none of its images belongs to a scan by its stamp"]);
    for (const offset of ["auto", -37_000_000_000n] as const) {
      for (const name of ["front", "all", IMAGE]) {
        const options = { cameraOffsets: { [name]: offset } };
        expect(await timesOf(ahead(37_000), options)).toEqual([]);
        const frames = await withBag(ahead(37_000), (reader) => framesOf(reader, options));
        expect(frames).toEqual(EACH.map(([cloud, image]) => [cloud! + 37_000, image]));
      }
    }
  });

  test("of a recording so long that images match scans of another moment", async () => {
    const shifted = [
      ...clouds(200).map((cloud) => ({ ...cloud, stamp: cloud.stamp + 3000 })),
      ...images(200),
    ];
    expect((await timesOf(shifted))[0]).toMatch(/ are [23]\.\d+ s behind .* --camera-offset front=auto/);
    const frames = await withBag(shifted, (reader) => framesOf(reader, { cameraOffsets: { all: "auto" } }));
    expect(frames).toEqual(clouds(200).map(({ stamp }) => [stamp + 3000, stamp + 5]));
  });

  const sentences = async (messages: readonly Logged[], options: Partial<RecordedInputsOptions> = {}) =>
    (await timesOf(messages, options)).filter((sentence) => sentence.includes("the stamps of"));

  test("by a few images, so that neighbours match: a clock or a steady lateness, both are named", async () => {
    const off = [...clouds(200), ...images(200, (ms) => ({ stamp: ms - 250, logged: ms }))];
    const said = await sentences(off, { tolerance: 50_000_000n });
    expect(said).toEqual([
      expect.stringMatching(
        /\/front\/image\/compressed are 0\.2\d+ s behind those of \/points at the same log time: either its clock differs.* --camera-offset front=auto \(or front=-2\d+(\.\d)?\).*; or \/front\/image\/compressed was logged that much later/,
      ),
    ]);
    const auto = { tolerance: 50_000_000n, cameraOffsets: { front: "auto" as const } };
    expect(await sentences(off, auto)).toEqual([]);
    const frames = await withBag(off, (reader) => framesOf(reader, auto));
    expect(frames).toEqual(clouds(200).map(({ stamp }) => [stamp, stamp - 245]));
  });

  test("are not alarmed at by delays: steady ones up to 150 ms, ones that vary, and late images of the same time", async () => {
    const delayed = (delay: (ms: number) => number) => [
      ...clouds(200),
      ...images(200, (ms) => ({ stamp: ms, logged: ms + delay(ms) })),
    ];
    for (const delay of [0, 50, 150]) {
      // The recording begins and ends at a time of the log.
      const cut = delayed(() => delay).filter(({ logged = 0 }) => logged > 1000);
      expect(await sentences(cut, { tolerance: 50_000_000n })).toEqual([]);
    }
    const varying = delayed((ms) => 100 + ((ms * 7919) % 300));
    expect(await sentences(varying, { tolerance: 50_000_000n })).toEqual([]);
    expect(
      await sentences(
        delayed(() => 400),
        { tolerance: 50_000_000n },
      ),
    ).toEqual([]);
  });

  test("in another unit, in a short recording: log times mend that, an offset would not", async () => {
    // Microseconds in place of nanoseconds.
    const micro = (ms: number) => (Number(START) / 1e6 + ms) / 1e3 - Number(START) / 1e6;
    const off = [...clouds(8), ...images(8, (ms) => ({ stamp: micro(ms), logged: ms }))];
    for (const options of [{}, { cameraOffsets: { front: "auto" as const } }]) {
      expect(await sentences(off, options)).toEqual([
        expect.stringMatching(
          /^the stamps of \/front\/image\/compressed cover 0\.000\d+ s while its log times cover 0\.700 s: they are in another unit .*: --stamp-by-log \/front\/image\/compressed takes/,
        ),
      ]);
    }
    expect(await sentences(off, { stampedByLog: [IMAGE] })).toEqual([]);
    expect(await withBag(off, (reader) => framesOf(reader, { stampedByLog: [IMAGE] }))).toMatchObject(
      clouds(8).map(({ stamp }) => [stamp, stamp + 5]),
    );
    const cloudsOff = [
      ...clouds(8).map((cloud) => ({ ...cloud, stamp: micro(cloud.stamp), logged: cloud.stamp })),
      ...images(8),
    ];
    expect(await sentences(cloudsOff)).toEqual([
      expect.stringMatching(/^the stamps of \/points cover .*--stamp-by-log \/points takes/),
    ]);
  });

  test("by less than delays show, when no image fits", async () => {
    const off = [...clouds(10), ...images(10, (ms) => ({ stamp: ms + 40, logged: ms }))];
    expect((await timesOf(off))[0]).toMatch(
      /0\.045 s ahead of .*image by image.*--camera-offset front=auto \(or front=45\)/,
    );
    expect(await timesOf(off, { cameraOffsets: { front: "auto" } })).toEqual([]);
  });

  test("stamps of 0 are named, and log times can stand in for them", async () => {
    const zeros = [...clouds(10), ...images(10, (ms) => ({ stamp: -Infinity, logged: ms }))];
    expect((await timesOf(zeros))[0]).toMatch(
      /its stamp is not positive \(0 ns\).*--stamp-by-log \/front.*\(10 in all\)$/,
    );
    expect(await withBag(zeros, (reader) => framesOf(reader, { stampedByLog: [IMAGE] }))).toEqual(EACH);
    expect(await withBag(zeros, (reader) => framesOf(reader, { stampedByLog: ["all"] }))).toEqual(EACH);
  });

  test("options that name what is not used are refused", async () => {
    await expect(timesOf(clouds(1), { cameraOffsets: { rear: 0n } })).rejects.toThrow(
      "there is no camera rear to give an offset; the cameras that are used: front (/front/image/compressed)",
    );
    await expect(timesOf(clouds(1), { stampedByLog: ["/rear"] })).rejects.toThrow(
      "/rear is to have log times",
    );
  });
});
