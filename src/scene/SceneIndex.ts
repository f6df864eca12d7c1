/**
 * What a report's page knows before it looks at a point: JSON in the page. The points of each scan are packed beside it
 * (`packScan`), its images are files in base64.
 */
export interface SceneIndex {
  readonly formatVersion: 1;
  readonly title: string;
  /** The labelled bag. */
  readonly source: string;
  /** Version of ditr, and when, ISO 8601. */
  readonly madeBy: string;
  readonly madeAt: string;
  /** Frame of the points: x forward, y left, z up, metres. */
  readonly frameId: string;
  /** By slot: packed labels are slots, not ids. */
  readonly classes: readonly SceneClass[];
  /** Numbers that points carry, in the order in which they are packed. */
  readonly fields: readonly SceneField[];
  readonly cameras: readonly string[];
  /** Topics of the boxes. */
  readonly boxTopics: readonly string[];
  readonly scans: readonly SceneScan[];
  /** Metres from the sensor to the edge of what is worth seeing, and z of the ground near it. */
  readonly range: number;
  readonly ground: number;
  /** How much of the recording is in the page. */
  readonly scansInBag: number;
  readonly truth?: SceneTruth;
  readonly run?: SceneRun;
  readonly faults: readonly SceneFault[];
  /** Sentences about what the page leaves out. */
  readonly notes: readonly string[];
}

export interface SceneClass {
  readonly id: number;
  readonly name: string;
  /** Red, green, blue, 0 to 255, as the bag has them. */
  readonly color: readonly [number, number, number];
}

export interface SceneField {
  readonly name: string;
  /** Values at the two ends of the colours; those beyond are shown as the ends. */
  readonly low: number;
  readonly high: number;
}

export interface SceneScan {
  /** In the bag, from 1. */
  readonly number: number;
  /** Nanoseconds; a string, since JSON numbers would lose digits. */
  readonly stamp: string;
  /** Seconds after the first. */
  readonly seconds: number;
  /** Points of the recorded cloud, and why some of them are not in the page. */
  readonly total: number;
  readonly notFinite: number;
  readonly noReturns: number;
  readonly far: number;
  /** Points that are packed. */
  readonly points: number;
  readonly layout: PackedLayout;
  /** Points of the recorded cloud by class slot. */
  readonly counts: readonly number[];
  /** Points with a truth that were labelled so, and all that have one; absent without truth. */
  readonly right?: number;
  readonly judged?: number;
  readonly images: readonly SceneImage[];
  readonly missing: readonly { readonly camera: number; readonly reason: string }[];
  readonly boxes: readonly SceneBox[];
  /** 4x4, column-major: from the scan's frame to a frame that stands still. */
  readonly pose?: readonly number[];
  readonly labelled?: SceneLabelling;
  /** Sentences about this scan alone. */
  readonly events: readonly string[];
}

/** How packed bytes become points again. */
export interface PackedLayout {
  /** Metres: where the packed coordinate 0 is, and how far 1 is from it. */
  readonly origin: readonly [number, number, number];
  readonly step: number;
  /** Of each field of the index: values of the packed 0 and 255; null where the scan lacks it. */
  readonly fields: readonly (readonly [low: number, high: number] | null)[];
  readonly hasTruth: boolean;
  /** Points in each image, in the order of the scan's images. */
  readonly sightings: readonly number[];
}

export interface SceneImage {
  /** Index into the cameras. */
  readonly camera: number;
  /** Of the image in the page: scans may share one. */
  readonly image: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** How much later than wanted for the scan the image was taken, milliseconds. */
  readonly deltaMs: number;
  /** Points of the recorded cloud that it shows, and those in it that something hides. */
  readonly seen: number;
  readonly hidden: number;
  /**
   * Of each box of the scan, the parts of its edges that are in the image: u, v of one end and of the other, as shares of
   * the image from its left and upper edge.
   */
  readonly boxes: readonly (readonly number[])[];
}

export interface SceneBox {
  /** Index into the topics of boxes. */
  readonly topic: number;
  readonly name: string;
  readonly score: number;
  /** Metres, in the scan's frame; yaw in radians. */
  readonly center: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  readonly yaw: number;
}

/** How a scan came to its labels. */
export interface SceneLabelling {
  readonly mode: string;
  readonly reason: string;
  readonly seenShare?: number;
  /** Milliseconds by stage, in their order. */
  readonly stages: readonly (readonly [name: string, ms: number])[];
}

export interface SceneTruth {
  readonly classNames: readonly string[];
  /** All scans, and each mode that occurs; of all points of the recording, also those that the page leaves out. */
  readonly matrices: readonly SceneMatrix[];
}

export interface SceneMatrix {
  readonly title: string;
  /** [C, C + 1] row-major: row = truth, column = label, last column = no label. */
  readonly counts: readonly number[];
  /** Share 0 to 1 by class; null where a class is nowhere. */
  readonly iou: readonly (number | null)[];
  /** Over the classes that occur in truth or labels. */
  readonly meanIou: number | null;
  readonly accuracy: number | null;
}

/** What made the labels. */
export interface SceneRun {
  /** Names and values, to be read by people. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface SceneFault {
  readonly severity: string;
  readonly code: string;
  readonly count: number;
  readonly messages: readonly string[];
  readonly remedy: string;
}
