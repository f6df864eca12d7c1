import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import { decodeTFMessage } from "../../messages/tfMessage.js";
import type { TransformStamped } from "../../messages/types.js";
import type { BagMessage } from "../../bag/types.js";

/** Nanoseconds of a turn of the LiDAR. */
export const TURN = 100_000_000n;

/** A message of a turn; transforms apart, since these are not sent as they are. */
export interface TurnMessage {
  readonly topic: string;
  readonly type: string;
  /** Nanoseconds from the start of the turn to the message's stamp, below a turn. */
  readonly offset: bigint;
  /** Starts with a std_msgs/Header. */
  readonly cdr: Uint8Array<ArrayBuffer>;
}

export interface TurnPose {
  /** As in TurnMessage. */
  readonly offset: bigint;
  /** odom_T_base_link */
  readonly transform: TransformStamped;
}

/** What the robot's sensors send during one turn of the LiDAR. */
export interface DriveTurn {
  /** In order of their offsets; the cloud of the turn is the last, with offset 0: it is complete at the turn's end. */
  readonly messages: readonly TurnMessage[];
  readonly poses: readonly TurnPose[];
}

/** What a simulated drive is made of. */
export type DrivePart =
  | { readonly kind: "static"; readonly transforms: readonly TransformStamped[] }
  | { readonly kind: "turn"; readonly turn: DriveTurn }
  /** Where the drive ends: the pose one turn after the last turn's start. */
  | { readonly kind: "end"; readonly pose: TransformStamped };

/**
 * Cuts a recorded drive, whose stamps begin at 0 and whose clouds come once a turn, into its turns.
 * @param recorded in the order of their stamps, clouds behind all others of the same stamp
 */
export async function* cutIntoTurns(
  recorded: AsyncIterable<Pick<BagMessage, "topic" | "type" | "logTime" | "data">>,
  turnCount: number,
): AsyncGenerator<DrivePart> {
  let messages: TurnMessage[] = [];
  let cloud: TurnMessage | undefined;
  let poses: TurnPose[] = [];
  let index = 0;
  for await (const { topic, type, logTime, data } of recorded) {
    if (topic === "/tf_static") {
      yield { kind: "static", transforms: decodeTFMessage(data).transforms };
      continue;
    }
    if (logTime / TURN > BigInt(index)) {
      if (cloud === undefined) throw new Error(`turn ${index} of the simulated drive has no cloud`);
      yield { kind: "turn", turn: { messages: [...messages, cloud], poses } };
      messages = [];
      cloud = undefined;
      poses = [];
      index++;
    }
    const offset = logTime - BigInt(index) * TURN;
    if (type === TF_MESSAGE_TYPE) {
      const [transform] = decodeTFMessage(data).transforms;
      if (index === turnCount) {
        yield { kind: "end", pose: transform! };
        return;
      }
      poses.push({ offset, transform: transform! });
    } else if (type === "sensor_msgs/msg/PointCloud2") {
      cloud = { topic, type, offset, cdr: data };
    } else {
      messages.push({ topic, type, offset, cdr: data });
    }
  }
  throw new Error(`the simulated drive ended after ${index} of ${turnCount} turns`);
}
