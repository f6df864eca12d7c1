import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeWithRos, startWithRos, type RosProcess } from "../../../test/support/ros.mjs";
import { startPeer, type RosPeer } from "../../../test/support/rosPeer.mjs";
import { openBag } from "../../bag/openBag.js";
import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { DIAGNOSTIC_ARRAY_TYPE } from "../../messages/diagnosticArray.js";
import { IMAGE_TYPE } from "../../messages/image.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { MemoryRosNode } from "../port/MemoryRosNode.js";
import { MemoryRobot } from "./MemoryRobot.js";

const SECONDS = 150;
const LATCHED = { reliability: "reliable", durability: "transient_local", depth: 1 } as const;
const TYPES: Readonly<Record<string, string>> = {
  "/points": POINT_CLOUD2_TYPE,
  "/front/image_raw": IMAGE_TYPE,
  "/front/camera_info": CAMERA_INFO_TYPE,
  "/tf_static": TF_MESSAGE_TYPE,
};

interface Trigger {
  readonly success: boolean;
  readonly message: string;
}

describeWithRos("the node, whose every service answers and whose end comes soon", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ditr-answers-"));
  const memory = new MemoryRosNode({ name: "robot" });
  const robot = new MemoryRobot(memory, { listens: false });
  const sent: [topic: string, cdr: Uint8Array][] = [];
  let peer: RosPeer;
  let node: RosProcess;
  let stamp = 1_800_000_000_000_000_000n;

  const publish = async (qos?: typeof LATCHED): Promise<void> => {
    for (const [topic, cdr] of sent.splice(0)) await peer.publish(TYPES[topic]!, topic, cdr, qos);
  };
  const scan = async (): Promise<void> => {
    stamp += 100_000_000n;
    robot.sendImage(stamp);
    robot.sendCloud(stamp);
    await publish();
  };
  const labelled = (): number => peer.rawMessages("/ditr_perception/points_labelled").length;
  const scansUntilLabelled = async (): Promise<void> => {
    const before = labelled();
    for (let tries = 0; labelled() === before; tries++) {
      if (tries === 200) throw new Error(`nothing is labelled:\n${node.output}`);
      await scan();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const save = async (): Promise<Trigger> =>
    (await peer.call(
      "std_srvs/srv/Trigger",
      "/ditr_perception/save_recording",
      {},
      20,
    )) as unknown as Trigger;

  beforeAll(async () => {
    for (const topic of Object.keys(TYPES)) {
      const qos = { reliability: "reliable", durability: "volatile", depth: 5 } as const;
      memory.subscribe({ topic, type: TYPES[topic]!, qos, onMessage: (cdr) => sent.push([topic, cdr]) });
    }
    peer = await startPeer({ seconds: SECONDS });
    // Once, before there is a node.
    robot.sendCameraInfo();
    robot.sendStaticTransform();
    await publish(LATCHED);
    const parameters = {
      camera_names: "[front]",
      "recording.directory": folder,
      "recording.max_recordings": "4",
      "recording.min_free_megabytes": "0",
    };
    node = startWithRos(
      [
        process.execPath,
        ...["--import", "./test/load/killOnSignal.mjs", "dist/ros/main.js", "--ros-args"],
        ...Object.entries(parameters).flatMap(([name, value]) => ["-p", `${name}:=${value}`]),
      ],
      { seconds: SECONDS },
    );
    await node.waitFor("is ready on", 60);
    await peer.subscribeRaw(POINT_CLOUD2_TYPE, "/ditr_perception/points_labelled", { depth: 20 });
    await peer.subscribe(DIAGNOSTIC_ARRAY_TYPE, "/diagnostics");
  }, SECONDS * 1000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test(
    "CameraInfo that was published once before the node was there is used",
    async () => {
      await scansUntilLabelled();
      const isUsed = ({
        status,
      }: {
        status?: readonly { name: string; values: readonly { key: string; value: string }[] }[];
      }) =>
        (status ?? []).some(
          ({ name, values }) =>
            name.endsWith("camera front") &&
            values.some(({ key, value }) => key === "Scans with image" && Number(value) > 0),
        );
      for (let scans = 0; scans < 20; scans++) await scan();
      await peer.waitForMessage("/diagnostics", isUsed, 20);
    },
    SECONDS * 1000,
  );

  test(
    "recordings in a row are all answered, until there are as many as may be",
    async () => {
      const files = new Set<string>();
      for (let i = 0; i < 4; i++) {
        await scan();
        const { success, message } = await save();
        expect([message, success]).toEqual([expect.stringContaining(folder), true]);
        const file = message.split(":")[0]!;
        const reader = await openBag(file);
        expect(reader.topics.map(({ topic }) => topic)).toContain("/front/camera_info");
        await reader.close();
        files.add(file);
      }
      expect(files.size).toBe(4);
      await scan();
      expect(await save()).toEqual({
        success: false,
        message: `${folder} has 4 recordings, and recording.max_recordings is 4: move some away, or delete them`,
      });
    },
    SECONDS * 1000,
  );

  test(
    "a thread that dies is replaced, each of them",
    async () => {
      for (const which of ["preparation", "inference"]) {
        const failure = new RegExp(`the ${which} worker failed`);
        process.kill(node.pid, "SIGUSR2");
        await node.waitFor(failure, 30);
        await scansUntilLabelled();
      }
      expect(node.running).toBe(true);
    },
    SECONDS * 1000,
  );

  test(
    "Ctrl-C ends it with code 0 while a scan is labelled and a recording is written",
    async () => {
      for (const file of readdirSync(folder)) rmSync(path.join(folder, file));
      await scan();
      const answer = save().catch(String);
      await scan();
      const start = performance.now();
      expect(await node.stop("SIGINT")).toEqual({ code: 0, signal: null });
      expect(performance.now() - start).toBeLessThan(9000);
      expect(readdirSync(folder).filter((file) => file.endsWith(".partial"))).toEqual([]);
      await answer;
    },
    SECONDS * 1000,
  );
});
