import { expect, test } from "@jest/globals";
import { cameraInfo } from "../messages/exampleMessages.js";
import { IMAGE_TYPE } from "../messages/image.js";
import { KeptMessages } from "./KeptMessages.js";
import type { FrameImage, ScanFrame } from "./ScanFrame.js";
import { SentMessages } from "./SentMessages.js";

function image(fill: number, camera = "front"): FrameImage {
  return {
    camera,
    topic: `/${camera}`,
    type: IMAGE_TYPE,
    frameId: camera,
    cdr: new Uint8Array(16).fill(fill),
    info: cameraInfo,
    cloudToCamera: new Float64Array(16),
    rectified: false,
    stamp: 0n,
    delta: 0n,
  };
}

function frame(...images: FrameImage[]): ScanFrame {
  const source = {
    kind: "points",
    index: 0,
    topic: "/points",
    frameId: "lidar",
    cdr: new Uint8Array(8),
  } as const;
  return { stamp: 1n, topic: "/points", sources: [source], images, missing: [] };
}

/** Both ends, with what postMessage does between them. */
class Passage {
  readonly sent = new SentMessages();
  readonly kept = new KeptMessages();

  /** First bytes of the images that arrive. */
  pass(one: ScanFrame): number[] {
    const { frame: posted, transfer } = this.sent.send(one);
    const received = this.kept.receive(structuredClone(posted, { transfer }));
    expect(received.sources.every(({ cdr }) => cdr.length === 8)).toBe(true);
    return received.images.map(({ cdr }) => cdr[0]!);
  }
}

test("an image is handed over once, and later frames find it where it went", () => {
  const passage = new Passage();
  const [one, two] = [image(1), image(2, "rear")];
  expect(passage.pass(frame(one, two))).toEqual([1, 2]);
  expect(one.cdr.byteLength).toBe(0);
  expect(passage.pass(frame(one, image(3, "rear")))).toEqual([1, 3]);
  // With one scan between that does not use it.
  expect(passage.pass(frame(two, one))).toEqual([2, 1]);
});

test("what two scans in a row did not use is let go, however long it goes on", () => {
  const passage = new Passage();
  let most = 0;
  for (let scan = 0; scan < 100; scan++) {
    expect(passage.pass(frame(image(scan), image(scan + 100, "rear")))).toEqual([scan, scan + 100]);
    most = Math.max(most, passage.kept.size);
  }
  // Of this scan and the one before: a cloud and two images each.
  expect(most).toBe(6);
});

test("an image whose bytes are gone is missing, with the reason, and the rest goes on", () => {
  const lost = image(1);
  new Passage().pass(frame(lost));
  const passage = new Passage();
  const { frame: posted } = passage.sent.send(frame(lost, image(2, "rear")));
  expect(posted.images.map(({ camera }) => camera)).toEqual(["rear"]);
  expect(posted.missing).toEqual([
    { camera: "front", reason: "its message went to a pipeline that has ended" },
  ]);
});

test("of a buffer that holds other data too, a copy goes", () => {
  const shared = Uint8Array.from([9, 7, 7, 9]);
  const passage = new Passage();
  const part = { ...image(0), cdr: shared.subarray(1, 3) };
  expect(passage.pass(frame(part))).toEqual([7]);
  expect([...shared]).toEqual([9, 7, 7, 9]);
});
