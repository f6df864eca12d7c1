import { Fault } from "../../faults/Fault.js";
import type { FaultLog } from "../../faults/FaultLog.js";
import { decodeCameraInfo } from "../../messages/cameraInfo.js";
import { withPossibleStamp } from "../../messages/header.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { scanMidpoint } from "../../messages/scanMidpoint.js";
import { equalButForStamp } from "../../messages/equalButForStamp.js";
import { SaidOnce } from "../../perception/SaidOnce.js";
import type { BagMessage, BagReader, MessageFilter } from "../types.js";
import type { InputSelection } from "./InputSelection.js";
import { IndexedTopic, UNREADABLE } from "./IndexedTopic.js";
import { isStaticTf } from "./frameTree.js";
import { impossibleStamp, stampOf } from "./impossibleStamps.js";

/** With a limit to the scans, messages that belong to them are looked for this much further, nanoseconds of log time. */
const BEYOND_LAST_SCAN = 60_000_000_000n;

export interface RecordingIndexOptions {
  readonly selection: InputSelection;
  /** Topics whose messages have their log times in place of their stamps. */
  readonly stampedByLog?: ReadonlySet<string>;
  /** Where messages that cannot be read are recorded. */
  readonly faults: FaultLog;
  /** Only so many scans are wanted. */
  readonly maxScans?: number;
  /** Only these parts of the recording are read, nanoseconds of log time, ascending. */
  readonly parts?: readonly LogSpan[];
}

export type LogSpan = Pick<MessageFilter, "startTime" | "endTime">;

/** CameraInfo that holds from a stamp on, nanoseconds. */
export interface DatedCameraInfo {
  readonly stamp: bigint;
  readonly cdr: Uint8Array;
}

/** When the messages of a recording were stamped and logged: what is needed to put them in order. */
export interface RecordingIndex {
  /** Of the first cloud. */
  readonly clouds: IndexedTopic;
  /** Of cameras and further clouds, by topic. */
  readonly images: ReadonlyMap<string, IndexedTopic>;
  /**
   * Of dynamic transforms, by topic: one row per message, with its latest stamp; static ones are read as they were
   * logged.
   */
  readonly transforms: ReadonlyMap<string, IndexedTopic>;
  /** Each CameraInfo topic's changes, ascending. */
  readonly cameraInfos: ReadonlyMap<string, readonly DatedCameraInfo[]>;
}

/** Reads the headers of all messages that a selection uses. */
export async function indexRecording(
  reader: BagReader,
  { selection, stampedByLog, faults, maxScans, parts = [{}] }: RecordingIndexOptions,
): Promise<RecordingIndex> {
  const [{ topic: firstCloud }, ...otherClouds] = selection.clouds;
  const clouds = new IndexedTopic(firstCloud);
  const index = (topics: readonly string[]) =>
    new Map(topics.map((topic) => [topic, new IndexedTopic(topic)]));
  const images = index([
    ...otherClouds.map(({ topic }) => topic),
    ...selection.cameras.map(({ imageTopic }) => imageTopic),
  ]);
  const transforms = index(selection.tfTopics.filter((topic) => !isStaticTf(topic)));
  const cameraInfos = new Map(cameraInfosOf(selection).map(({ topic }) => [topic, [] as DatedCameraInfo[]]));
  const midpoints = selection.cameras.length > 0 ? new Midpoints(faults) : undefined;
  const unseen = new Set([firstCloud, ...images.keys()]);
  const said = new SaidOnce();
  let end: bigint | undefined;
  const topics = [...unseen, ...transforms.keys(), ...cameraInfos.keys()];
  for await (const message of messagesOf(reader, [...new Set(topics)], parts)) {
    const { topic, logTime } = message;
    if (maxScans !== undefined && clouds.count === maxScans) end ??= logTime + BEYOND_LAST_SCAN;
    if (end !== undefined && logTime > end && unseen.size === 0) break;
    unseen.delete(topic);
    const place = topic === firstCloud ? clouds : (images.get(topic) ?? transforms.get(topic));
    try {
      const byLog = stampedByLog?.has(topic) === true;
      if (place !== undefined) {
        const stamp = stampOf(message, byLog);
        place.add(stamp, logTime, topic === firstCloud ? midpoints?.of(message) : undefined);
      }
      const infos = cameraInfos.get(topic);
      if (infos !== undefined && addCameraInfo(infos, message, byLog)) {
        const odd = impossibleStamp(message);
        for (const fault of said.first(topic, odd ? [odd] : [])) faults.record(fault);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      place?.add(UNREADABLE, logTime);
      const placed = error.at({ topic, logTime });
      faults.record(topic === firstCloud ? placed.asError() : placed);
    }
  }
  for (const infos of cameraInfos.values())
    infos.sort((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : 0));
  return { clouds, images, transforms, cameraInfos };
}

async function* messagesOf(
  reader: BagReader,
  topics: readonly string[],
  parts: readonly LogSpan[],
): AsyncGenerator<BagMessage> {
  for (const part of parts) yield* reader.messages({ topics, ...part });
}

/** The CameraInfo topic of each camera, and of each depth image that points are made of (by the latter's topic). */
export function cameraInfosOf({ clouds, cameras }: InputSelection): { camera: string; topic: string }[] {
  return [
    ...cameras.map(({ name, cameraInfoTopic }) => ({ camera: name, topic: cameraInfoTopic })),
    ...clouds.flatMap((cloud) =>
      cloud.kind === "depth" ? [{ camera: cloud.topic, topic: cloud.cameraInfoTopic }] : [],
    ),
  ];
}

/** Is it kept, since it says something new? */
function addCameraInfo(infos: DatedCameraInfo[], message: BagMessage, byLog: boolean): boolean {
  const { data, logTime } = message;
  const last = infos.at(-1);
  if (last !== undefined && equalButForStamp(last.cdr, data)) return false;
  const { header } = decodeCameraInfo(data);
  const unstamped = byLog || header.stamp <= 0n || impossibleStamp(message) !== undefined;
  infos.push({ stamp: unstamped ? logTime : header.stamp, cdr: data });
  return true;
}

/** From the stamps of scans to their middles. */
class Midpoints {
  readonly #faults: FaultLog;
  #reported = false;

  constructor(faults: FaultLog) {
    this.#faults = faults;
  }

  /** Nanoseconds; 0 where the points have no times that can be used, which is recorded once. */
  of({ topic, type, data, logTime }: BagMessage): bigint {
    if (type !== POINT_CLOUD2_TYPE) return 0n;
    let cloud;
    try {
      cloud = decodePointCloud2(withPossibleStamp(data, logTime));
    } catch (error) {
      // It is recorded when the scan is prepared.
      if (error instanceof Fault) return 0n;
      throw error;
    }
    try {
      return scanMidpoint(cloud);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!this.#reported) this.#faults.record(error.at({ topic, logTime }));
      this.#reported = true;
      return 0n;
    }
  }
}
