import type { FrameAssembler, SensorMessage } from "../../perception/FrameAssembler.js";
import type { SyncedFrame } from "../../sync/types.js";
import type { InputSelection } from "./InputSelection.js";
import { cameraInfosOf, type DatedCameraInfo, type RecordingIndex } from "./RecordingIndex.js";

/** Gives each image the CameraInfo of its time: the last that is not newer, or the first of the recording. */
export class CameraInfoFeed {
  readonly #assembler: FrameAssembler;
  /** By camera; by topic for depth images that points are made of. */
  readonly #infos: ReadonlyMap<string, readonly DatedCameraInfo[]>;

  constructor(selection: InputSelection, index: RecordingIndex, assembler: FrameAssembler) {
    this.#assembler = assembler;
    this.#infos = new Map(
      cameraInfosOf(selection).map(({ camera, topic }) => [camera, index.cameraInfos.get(topic) ?? []]),
    );
  }

  /** Call before the frame is assembled. */
  prepare({ cloud, stamp, images }: SyncedFrame<SensorMessage, SensorMessage>): void {
    this.#use(cloud.topic, stamp);
    for (const { camera, stamp: imageStamp } of images) this.#use(camera, imageStamp);
  }

  #use(camera: string, stamp: bigint): void {
    const infos = this.#infos.get(camera);
    const info = infos?.findLast((candidate) => candidate.stamp <= stamp) ?? infos?.[0];
    if (info !== undefined) this.#assembler.addCameraInfo(camera, info.cdr);
  }
}
