/** Simulated drives held in memory, for tests. */
import { createHash } from "node:crypto";
import { readColumn, readXyz } from "../messages/pointColumns.js";
import type { CameraInfo, Image, PointCloud2 } from "../messages/types.js";
import { TransformBuffer } from "../transforms/TransformBuffer.js";
import { simulateDrive, type SimulatedMessage } from "./simulateDrive.js";
import type { SimulateDriveOptions } from "./SimulateDriveOptions.js";

/** The fields of a simulated scan as arrays over its N points. */
export interface ScanColumns {
  readonly count: number;
  /** [N, 3] metres in the LiDAR's frame. */
  readonly xyz: Float32Array;
  readonly intensity: Float32Array;
  /** Seconds after the scan's stamp. */
  readonly time: Float32Array;
  readonly ring: Uint32Array;
  /** Class ids. */
  readonly groundTruth: Uint32Array;
}

/** What a drive published, sorted by kind. */
export class ExampleDrive {
  readonly messages: readonly SimulatedMessage[];
  readonly transforms = new TransformBuffer();

  private constructor(messages: readonly SimulatedMessage[]) {
    this.messages = messages;
    for (const message of messages) {
      if (message.type === "tf2_msgs/msg/TFMessage") {
        this.transforms.add(message.message, message.topic === "/tf_static");
      }
    }
  }

  static async record(options: SimulateDriveOptions): Promise<ExampleDrive> {
    const messages: SimulatedMessage[] = [];
    for await (const message of simulateDrive(options)) messages.push(message);
    return new ExampleDrive(messages);
  }

  /** SHA-256 over topics, stamps and contents of all messages, in order. */
  get digest(): string {
    const digest = createHash("sha256");
    for (const message of this.messages) {
      digest.update(
        JSON.stringify(message, (_, value: unknown) => {
          if (typeof value === "bigint") return value.toString();
          return value instanceof Uint8Array ? createHash("sha256").update(value).digest("hex") : value;
        }),
      );
    }
    return digest.digest("hex");
  }

  get scans(): PointCloud2[] {
    return this.messages.flatMap((sent) =>
      sent.type === "sensor_msgs/msg/PointCloud2" ? [sent.message] : [],
    );
  }

  /** Images of one topic, such as /camera/front/semantic. */
  images(topic: string): Image[] {
    return this.messages.flatMap((sent) =>
      sent.type === "sensor_msgs/msg/Image" && sent.topic === topic ? [sent.message] : [],
    );
  }

  cameraInfos(camera: string): CameraInfo[] {
    const topic = `/camera/${camera}/camera_info`;
    return this.messages.flatMap((sent) =>
      sent.type === "sensor_msgs/msg/CameraInfo" && sent.topic === topic ? [sent.message] : [],
    );
  }

  /** Seconds after the drive's start at which a topic was sent. */
  times(topic: string): number[] {
    const start = this.messages[0]!.stamp;
    return this.messages.flatMap((sent) => (sent.topic === topic ? [Number(sent.stamp - start) / 1e9] : []));
  }
}

export function columnsOf(scan: PointCloud2): ScanColumns {
  const count = scan.width;
  return {
    count,
    xyz: readXyz(scan),
    intensity: readColumn(scan, "intensity", new Float32Array(count)),
    time: readColumn(scan, "time", new Float32Array(count)),
    ring: readColumn(scan, "ring", new Uint32Array(count)),
    groundTruth: readColumn(scan, "ground_truth", new Uint32Array(count)),
  };
}
