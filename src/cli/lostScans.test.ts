import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { openBag } from "../bag/openBag.js";
import { encodeRecorded } from "../bag/RecordedMessage.js";
import { DEFAULT_FUSION } from "../perception/FusionPolicy.js";
import { decodePointCloud2, encodePointCloud2 } from "../messages/pointCloud2.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { EXIT } from "./exitCodes.js";
import { DEFAULT_MODEL } from "../model/shippedModels.js";
import { runBag, type RunResult } from "./runBag.js";
import { labellingSummary } from "../library/LabellingSummary.js";
import { runExitCode, runReport } from "./runSummary.js";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-lost-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

interface Message {
  readonly topic: string;
  readonly type: string;
  readonly logTime: bigint;
  readonly cdr: Uint8Array;
}

/** Four scans and the transforms. */
let drive: readonly Message[];
beforeAll(async () => {
  const messages: Message[] = [];
  const options = { seed: 1_000_001, scanCount: 4, lidar: "vlp-16", columns: 90, cameras: [] } as const;
  for await (const message of simulateDrive(options)) {
    const { topic, type, stamp } = message;
    messages.push({ topic, type, logTime: stamp, cdr: encodeRecorded(message) });
  }
  drive = messages;
});

const CLOUD = "/lidar/points";

/** @param change what is done to the cloud of an index, from 0 */
function changed(index: number, change: (cloud: Message) => readonly Message[]): readonly Message[] {
  const clouds = drive.filter(({ topic }) => topic === CLOUD);
  return drive.flatMap((message) => (message === clouds[index] ? change(message) : [message]));
}

/** The stamp is the first field: seconds and nanoseconds behind the 4 bytes of encapsulation. */
function stamped(cloud: Message, nanoseconds: bigint): Message {
  const cdr = Uint8Array.from(cloud.cdr);
  const view = new DataView(cdr.buffer);
  view.setInt32(4, Number(nanoseconds / 1_000_000_000n), true);
  view.setUint32(8, Number(nanoseconds % 1_000_000_000n), true);
  return { ...cloud, cdr };
}

async function write(file: string, messages: readonly Message[]): Promise<void> {
  const writer = await McapBagWriter.create(file);
  for (const { topic, type, logTime, cdr } of messages) await writer.write(topic, type, { logTime }, cdr);
  await writer.close();
}

let runs = 0;
async function run(bag: string, maxScans?: number): Promise<RunResult> {
  const reader = await openBag(bag);
  try {
    return await runBag(reader, {
      output: path.join(scratch, `labelled-${++runs}.mcap`),
      model: DEFAULT_MODEL,
      provider: "cpu",
      threads: 1,
      fusion: { ...DEFAULT_FUSION, mode: "image-free" },
      tolerance: 50_000_000n,
      copy: "none",
      ...(maxScans !== undefined && { maxScans }),
    });
  } finally {
    await reader.close();
  }
}

async function runMessages(messages: readonly Message[], maxScans?: number): Promise<RunResult> {
  const file = path.join(scratch, `drive-${runs}.mcap`);
  await write(file, messages);
  return run(file, maxScans);
}

test("nothing lost is exit code 0, also when the user asked for a part", async () => {
  const whole = await runMessages(drive);
  expect([runExitCode(whole), whole.scans.lost]).toEqual([EXIT.ok, 0]);
  expect(runReport(whole)).toContain("4 of 4 scans labelled");
  const part = await runMessages(drive, 2);
  expect([runExitCode(part), part.scans.lost]).toEqual([EXIT.ok, 0]);
  expect(runReport(part)).toContain("2 of 2 scans labelled");
});

describe("a scan that is lost makes exit code 3, and the sentence counts it:", () => {
  test.each<[string, (cloud: Message) => readonly Message[]]>([
    ["cut off in its header", (cloud) => [{ ...cloud, cdr: cloud.cdr.slice(0, 10) }]],
    ["cut off in its points", (cloud) => [{ ...cloud, cdr: cloud.cdr.slice(0, -100) }]],
    ["without a stamp", (cloud) => [stamped(cloud, 0n)]],
    [
      "with a stamp that came before",
      (cloud) => [stamped(cloud, stampOf(drive.find(({ topic }) => topic === CLOUD)!))],
    ],
  ])("%s", async (_, change) => {
    const result = await runMessages(changed(2, change));
    expect(runExitCode(result)).toBe(EXIT.incomplete);
    expect(result.scans).toMatchObject({ total: 4, labelled: 3, lost: 1 });
    expect(runReport(result)).toMatch(
      /: 3 of 4 scans labelled .*\n {2}1 scan is lost; what follows says why\n/,
    );
    expect(runReport(result)).toMatch(/\n {2}error [a-z-]+: 1, first: \/lidar\/points at /);
    expect(labellingSummary(result)).toMatchObject({ scans: { labelled: 3, lost: 1 } });
  });

  test("in a split that is missing", async () => {
    const folder = path.join(scratch, "split");
    mkdirSync(folder);
    await write(path.join(folder, "split_0.mcap"), drive);
    writeFileSync(
      path.join(folder, "metadata.yaml"),
      `rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  relative_file_paths: [split_0.mcap, split_1.mcap]\n  compression_format: ""\n  compression_mode: ""\n`,
    );
    const result = await run(folder);
    expect(result.scans).toMatchObject({ labelled: 4, lost: 0 });
    expect(runReport(result)).toMatch(/split_1\.mcap/);
    expect(runExitCode(result)).toBe(EXIT.incomplete);
  });

  test("with all others", async () => {
    const result = await runMessages(
      drive.map((message) => (message.topic === CLOUD ? stamped(message, 0n) : message)),
    );
    expect(runExitCode(result)).toBe(EXIT.incomplete);
    expect(runReport(result)).toMatch(
      /: 0 of 4 scans labelled .*\n {2}4 scans are lost; .*\n {2}no scan was labelled\n/,
    );
  });
});

describe("a scan without any label", () => {
  /** Every coordinate of the cloud replaced. */
  const placed =
    (place: (value: number) => number) =>
    (message: Message): readonly Message[] => {
      const cloud = decodePointCloud2(message.cdr.slice());
      const view = new DataView(cloud.data.buffer, cloud.data.byteOffset);
      for (let at = 0; at < cloud.data.length; at += cloud.pointStep) {
        for (const axis of [0, 4, 8])
          view.setFloat32(at + axis, place(view.getFloat32(at + axis, true)), true);
      }
      return [{ ...message, cdr: encodePointCloud2(cloud) }];
    };

  test("whose coordinates are not what the model takes is not labelled: exit code 3", async () => {
    const result = await runMessages(
      changed(
        1,
        placed((value) => value + 5e6),
      ),
    );
    expect(result.scans).toMatchObject({ total: 4, labelled: 3, withoutLabels: 1, lost: 0 });
    expect(runReport(result)).toMatch(
      /: 3 of 4 scans labelled .*\n {2}1 scan has no point with a label; what follows says why\n[^]*none of \d+ points in lidar/,
    );
    expect(runExitCode(result)).toBe(EXIT.incomplete);
  });

  test("that holds nothing to label is whole: named, exit code 0", async () => {
    const result = await runMessages(
      changed(
        1,
        placed(() => NaN),
      ),
    );
    expect(result.scans).toMatchObject({ total: 4, labelled: 4, withoutLabels: 0, lost: 0 });
    expect(runReport(result)).toMatch(
      /warning implausible-points: 1, first: \/lidar\/points: none of \d+ points/,
    );
    expect(runExitCode(result)).toBe(EXIT.ok);
  });

  test("like all others makes exit code 3", async () => {
    const result = await runMessages(
      drive.flatMap((message) => (message.topic === CLOUD ? placed(() => 0)(message) : [message])),
    );
    expect(runReport(result)).toMatch(/\n {2}no scan was labelled\n/);
    expect(runExitCode(result)).toBe(EXIT.incomplete);
  });
});

function stampOf({ cdr }: Message): bigint {
  const view = new DataView(cdr.buffer, cdr.byteOffset);
  return BigInt(view.getInt32(4, true)) * 1_000_000_000n + BigInt(view.getUint32(8, true));
}
