import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { describeWithRealData } from "../../../test/support/realData.mjs";
import {
  describeWithWorkspace,
  runNode,
  runRclpy,
  startWithRos,
  workspace,
  type RosProcess,
} from "../../../test/support/ros.mjs";
import { openBag } from "../../bag/openBag.js";
import { decodePointCloud2, pointCount } from "../../messages/pointCloud2.js";
import { readColumn } from "../../messages/pointColumns.js";

const SECONDS = 150;
const OPTIONS = { workspaces: [workspace], seconds: SECONDS };

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "ditr-live-"));
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

async function startPerception(parameters: string): Promise<RosProcess> {
  const file = path.join(scratch, `parameters-${process.hrtime.bigint().toString()}.yaml`);
  writeFileSync(file, `/**:\n  ros__parameters:\n${parameters}`);
  const command = ["ros2", "run", "ditr_perception", "ditr_perception_node"];
  const node = startWithRos([...command, "--ros-args", "--params-file", file], OPTIONS);
  await node.waitFor("is ready on", 60);
  return node;
}

async function expectCleanEnd(node: RosProcess): Promise<void> {
  expect(node.running).toBe(true);
  expect((await node.stop("SIGINT")).code).toBe(0);
}

/** Labels by stamp, as `ditr run` gives them. */
async function labelsOfRun(recording: string): Promise<Map<string, Uint8Array>> {
  const bag = path.join(scratch, "kitti.mcap");
  const labelled = path.join(scratch, "labelled.mcap");
  await runNode("dist/cli/main.js", ["import", "kitti", recording, "-o", bag], { seconds: SECONDS });
  await runNode("dist/cli/main.js", ["run", bag, "-o", labelled], { seconds: SECONDS });
  const reader = await openBag(labelled);
  const labels = new Map<string, Uint8Array>();
  try {
    for await (const { data } of reader.messages({ topics: ["/ditr_perception/points_labelled"] })) {
      const cloud = decodePointCloud2(data);
      labels.set(
        cloud.header.stamp.toString(),
        Uint8Array.from(readColumn(cloud, "label", new Uint32Array(pointCount(cloud)))),
      );
    }
  } finally {
    await reader.close();
  }
  return labels;
}

describeWithWorkspace("the installed node and a robot that plays KITTI with rclpy", () => {
  describeWithRealData("with the drive of 2011-09-26", "kitti_raw/2011_09_26", (day) => {
    interface Played {
      readonly published: number;
      readonly received: number;
      readonly superseded: number;
      readonly problems: readonly string[];
    }
    // As many as are sent: a busy machine may stop for longer than two of them.
    const PARAMETERS = `    clouds.lidar.depth: 20
    camera_names: [front]
    cameras.front.depth: 20
    cameras.front.image_topic: front/image_rect_color
    cameras.front.transport: compressed
    sync.max_wait: 1.0
`;
    const play = async (out: string, ...args: string[]): Promise<Played> => {
      const stdout = await runRclpy("play_kitti.py", [day, out, ...args], OPTIONS);
      return JSON.parse(stdout.trim().split("\n").at(-1)!) as Played;
    };

    test(
      "every cloud comes back with its points, order, stamp and frame, labelled as `ditr run` does",
      async () => {
        const node = await startPerception(PARAMETERS);
        const out = path.join(scratch, "lockstep");
        expect(await play(out, "--lockstep")).toMatchObject({
          published: 20,
          received: 20,
          superseded: 0,
          problems: [],
        });
        await expectCleanEnd(node);
        const expected = await labelsOfRun(day);
        expect(expected.size).toBe(20);
        for (const [stamp, labels] of expected) {
          const live = readFileSync(path.join(out, `${stamp}.label`));
          expect(Buffer.compare(live, labels)).toBe(0);
        }
      },
      SECONDS * 1000,
    );

    test(
      "at 10 Hz each cloud is labelled, or superseded by a newer one and counted",
      async () => {
        const node = await startPerception(PARAMETERS);
        const played = await play(path.join(scratch, "ten-hertz"), "--rate", "10");
        expect(played.problems).toEqual([]);
        expect(played.received + played.superseded).toBe(20);
        expect(played.received).toBeGreaterThan(0);
        await expectCleanEnd(node);
      },
      SECONDS * 1000,
    );
  });
});

describeWithWorkspace("the installed node and a robot that breaks", () => {
  type Line = { readonly scenario: string } & Readonly<Record<string, unknown>>;
  const all = (count: number, value: unknown): unknown[] => Array.from({ length: count }, () => value);
  const observed = new Map<string, Line>();
  let node: RosProcess;

  const torment = async (...args: string[]): Promise<void> => {
    const stdout = await runRclpy("torment.py", args, OPTIONS);
    for (const line of stdout.trim().split("\n")) {
      const result = JSON.parse(line) as Line;
      observed.set(result.scenario, result);
    }
  };

  describe("by its sensors", () => {
    beforeAll(async () => {
      node = await startPerception("    camera_names: [front]\n");
      await torment();
    }, SECONDS * 1000);

    test("healthy: fused, and every diagnosis OK", () => {
      const { labelled, modes, points, diagnoses } = observed.get("healthy")!;
      expect({ labelled, modes, points }).toEqual({
        labelled: all(8, true),
        modes: all(8, "fused"),
        points: 3000,
      });
      const levels = Object.entries(diagnoses as Record<string, { level: string }>).map(
        ([subject, { level }]) => `${subject}: ${level}`,
      );
      expect(levels).toEqual(
        ["model", "cloud lidar", "camera front", "labelling", "faults"].map((subject) => `${subject}: OK`),
      );
    });

    test("the camera stops and comes back: no scan is lost, none waits for a camera that is given up", () => {
      expect(observed.get("camera_stops_and_comes_back")).toMatchObject({
        without: { labelled: all(12, true), modes: all(12, "image-free"), reasons: ["inactive"] },
        camera: { level: "WARN", message: expect.stringContaining("no image on /front/image_raw") },
        back: { labelled: all(8, true), modes: expect.arrayContaining(["fused"]) },
        recovered: { level: "OK" },
      });
      const { back } = observed.get("camera_stops_and_comes_back") as unknown as {
        back: { modes: string[] };
      };
      expect(back.modes.slice(2)).toEqual(all(6, "fused"));
    });

    test("the camera is 300 ms late: labelled without it, and told what to do", () => {
      expect(observed.get("camera_is_late")).toMatchObject({
        labelled: all(8, true),
        modes: all(8, "image-free"),
        camera: { level: "WARN", message: expect.stringContaining("sync.max_wait") },
      });
    });

    test("a wrong frame and a wrong size of images: labelled without them, counted by cause", () => {
      expect(observed.get("camera_has_a_wrong_frame")).toMatchObject({
        labelled: all(4, true),
        modes: all(4, "image-free"),
        reasons: [expect.stringMatching(/^transform-missing: .*"no_such_frame"/)],
      });
      expect(observed.get("camera_has_a_wrong_size")).toMatchObject({
        labelled: all(4, true),
        modes: all(4, "image-free"),
        faults: { values: { "camera-info-mismatch": expect.stringMatching(/^4 /) } },
      });
    });

    test("a cloud with NaN and infinity keeps its points; an empty cloud comes back empty", () => {
      expect(observed.get("cloud_has_nan")).toMatchObject({
        labelled: [true],
        points: 3000,
        labels_of_bad_points: [0],
        unlabelled_good_points: 0,
      });
      expect(observed.get("cloud_is_empty")).toMatchObject({ labelled: [true], points: 0 });
    });

    test("garbage bytes on every topic cost nothing but themselves", () => {
      expect(observed.get("cloud_is_garbage")).toMatchObject({
        labelled_afterwards: all(6, true),
        modes: all(6, "fused"),
        faults: { values: { "malformed-message": expect.any(String) } },
      });
    });

    test("a transform that is missing and then arrives", () => {
      expect(observed.get("transform_arrives_late")).toMatchObject({
        before: { labelled: all(3, true), modes: all(3, "image-free") },
        after: { labelled: all(3, true), modes: all(3, "fused") },
      });
    });

    test("stamps that jump back by ten minutes start a new time", () => {
      expect(observed.get("stamps_jump_back")).toMatchObject({
        labelled: all(5, true),
        modes: all(5, "fused"),
        synchronization: { values: { Jumps: "1" } },
      });
    });

    test("and it still runs, no callback threw, and it ends cleanly", async () => {
      expect(node.output).not.toContain("[ERROR] [rclnodejs]");
      await expectCleanEnd(node);
    });
  });

  describe("by its clock", () => {
    beforeAll(async () => {
      node = await startPerception(
        // Patient, so that a busy machine is not taken for a late camera.
        "    camera_names: [front]\n    use_sim_time: true\n    fixed_frame: odom\n    transform_timeout: 1.0\n    sync.max_wait: 1.0\n",
      );
      await torment("clock");
    }, SECONDS * 1000);

    test("/clock, transforms and sensors jump back by ten minutes: every scan is fused before and after", async () => {
      expect(observed.get("clock_jumps_back")).toMatchObject({
        first: { labelled: all(7, true), modes: all(7, "fused") },
        again: { labelled: all(7, true), modes: all(7, "fused") },
      });
      const stamp = observed.get("clock_jumps_back")!["diagnostics_stamp"] as number;
      expect(Math.abs(stamp / 1e9 - 1_799_999_400)).toBeLessThan(10);
      await expectCleanEnd(node);
    });
  });
});
