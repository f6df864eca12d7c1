import { describe, expect, test } from "@jest/globals";
import { from, lastValueFrom, toArray } from "rxjs";
import { mapInOrder } from "./mapInOrder.js";
import { dropsOf, expectBalanced } from "./marbleScenario.js";
import { SyncLedger } from "./SyncLedger.js";
import { syncOptions } from "./SyncOptions.js";
import { type LoggedMessage, synchronizeRecording } from "./synchronizeRecording.js";
import type { SyncedFrame } from "./types.js";

const collect = <T>(items: AsyncIterable<T>) => lastValueFrom(from(items).pipe(toArray()));

const MILLISECOND = 1_000_000n;
const START = 1_763_800_000_123_456_789n;
const milliseconds = (count: number) => START + BigInt(count) * MILLISECOND;

const cloud = (at: number, stamp = at): LoggedMessage<string, string> => ({
  logTime: milliseconds(at),
  kind: "cloud",
  message: { stamp: milliseconds(stamp), payload: `cloud ${stamp}` },
});
const image = (at: number, stamp = at, camera = "front"): LoggedMessage<string, string> => ({
  logTime: milliseconds(at),
  kind: "image",
  camera,
  message: { stamp: milliseconds(stamp), payload: `image ${stamp}` },
});
const other = (at: number): LoggedMessage<string, string> => ({ logTime: milliseconds(at), kind: "other" });

const options = syncOptions({
  mode: "bag",
  maxWait: 100n * MILLISECOND,
  cameras: { front: { tolerance: 40n * MILLISECOND } },
});

const summary = (frame: SyncedFrame<string, string>) =>
  [frame.cloud, ...frame.images.map((matched) => matched.image), frame.release].join(", ");

describe("synchronizeRecording", () => {
  test("joins on log time and releases what waits at the end", async () => {
    const ledger = new SyncLedger();
    const messages = [
      cloud(0),
      image(30, 10),
      cloud(100),
      other(199),
      image(200, 110), // on the very deadline
      cloud(210),
      other(311),
      cloud(320),
      image(325, 315),
    ];
    const frames = await collect(synchronizeRecording(messages, options, ledger));
    expect(frames.map(summary)).toEqual([
      "cloud 0, image 10, complete",
      "cloud 100, image 110, complete",
      "cloud 210, timeout",
      "cloud 320, image 315, complete",
    ]);
    const statistics = ledger.statistics();
    expectBalanced(statistics);
    expect(statistics.clouds).toMatchObject({ received: 4, delivered: 4, pending: 0 });
    expect(statistics.cameras.get("front")).toMatchObject({ received: 3, delivered: 3, pending: 0 });
  });

  test("gives the same frames however the consumer dawdles", async () => {
    const messages = Array.from({ length: 60 }, (_, i) => [
      cloud(i * 100),
      ...(i % 3 === 0 ? [] : [image(i * 100 + 20 + (i % 7) * 15, i * 100 + 5)]),
    ]).flat();
    const quick = await collect(synchronizeRecording(messages, options));
    const slow = await collect(
      mapInOrder(
        synchronizeRecording(messages, options),
        async (frame) => {
          await new Promise((resolve) => setTimeout(resolve, Number(frame.stamp % 3n)));
          return frame;
        },
        { concurrency: 2 },
      ),
    );
    expect(quick).toHaveLength(60);
    expect(slow).toEqual(quick);
  });

  test("reads no further than the consumer asks", async () => {
    let read = 0;
    function* messages() {
      for (let i = 0; i < 1000; i++) {
        read++;
        yield image(i * 100);
        read++;
        yield cloud(i * 100);
      }
    }
    const frames = synchronizeRecording(messages(), options);
    await frames.next();
    expect(read).toBe(2);
    await frames.next();
    expect(read).toBe(4);
    await frames.return();
  });

  test("a looped recording releases every cloud, in a new epoch after the jump", async () => {
    const lap = (at: number) => [cloud(at, 5000), image(at, 5000), cloud(at + 100, 5100)];
    const first = [...lap(0), cloud(200, 6500)];
    const messages = [...first, ...lap(300), image(500, 5100)];
    const ledger = new SyncLedger();
    const frames = await collect(synchronizeRecording(messages, options, ledger));
    expect(frames.map((frame) => [frame.epoch, summary(frame)])).toEqual([
      [0, "cloud 5000, image 5000, complete"],
      [0, "cloud 5100, timeout"],
      [0, "cloud 6500, jump"],
      [1, "cloud 5000, image 5000, complete"],
      [1, "cloud 5100, image 5100, complete"],
    ]);
    expect(dropsOf(ledger.statistics().clouds)).toEqual({});
  });

  test("an error of the recording comes after the frames before it", async () => {
    const failure = new Error("chunk 7 is damaged");
    function* messages() {
      yield image(0);
      yield cloud(0);
      throw failure;
    }
    const frames = synchronizeRecording(messages(), options);
    expect((await frames.next()).value).toMatchObject({ cloud: "cloud 0" });
    await expect(frames.next()).rejects.toBe(failure);
  });

  test("refuses an image of a camera that is not in the options", async () => {
    const frames = synchronizeRecording([image(0, 0, "left")], options);
    await expect(frames.next()).rejects.toThrow("camera left is not one of the options' cameras");
  });
});
