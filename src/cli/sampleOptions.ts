import { ALL } from "../bag/labelling/recordedClocks.js";
import type { BagReader } from "../bag/types.js";
import type { InputOptions } from "../library/InputOptions.js";

export interface SampleOptions extends InputOptions {
  /** Field of the clouds with class ids. */
  readonly labelField: string;
  /** Must some cloud of each bag have the label field? */
  readonly requireLabels: boolean;
  /** Topic of class ids by that of a camera's images; by default `semantic` beside the images. */
  readonly semanticTopics?: Readonly<Record<string, string>>;
  /** Topic of region ids by that of a camera's images; by default `regions` beside the images. */
  readonly regionTopics?: Readonly<Record<string, string>>;
  /** Topic of true boxes (vision_msgs/msg/Detection3DArray) in the bags that have it; by default that of simulated bags. */
  readonly boxesTopic?: string;
  /** Of each bag. */
  readonly maxScans?: number;
}

/**
 * Options for one of several bags, which need not all have the same cameras: what names an image topic holds for the bags
 * that have it.
 */
export function optionsForBag<Options extends SampleOptions>(bag: BagReader, options: Options): Options {
  const topics = new Set(bag.topics.map(({ topic }) => topic));
  const isHere = (topic: string): boolean => topics.has(topic);
  const here = (names: readonly string[] | undefined) => names?.filter(isHere);
  const keyed = <Value>(values: Readonly<Record<string, Value>> | undefined) =>
    values && Object.fromEntries(Object.entries(values).filter(([topic]) => isHere(topic)));
  const { imageTopics, rectifiedTopics, rawTopics, cameraInfoTopics, cameraOffsets } = options;
  const { semanticTopics, regionTopics } = options;
  const offsets =
    cameraOffsets &&
    Object.fromEntries(Object.entries(cameraOffsets).filter(([key]) => !isTopic(key) || isHere(key)));
  return {
    ...options,
    ...(imageTopics && { imageTopics: here(imageTopics) }),
    ...(rectifiedTopics && { rectifiedTopics: here(rectifiedTopics) }),
    ...(rawTopics && { rawTopics: here(rawTopics) }),
    ...(cameraInfoTopics && { cameraInfoTopics: keyed(cameraInfoTopics) }),
    ...(cameraOffsets && { cameraOffsets: offsets }),
    ...(semanticTopics && { semanticTopics: keyed(semanticTopics) }),
    ...(regionTopics && { regionTopics: keyed(regionTopics) }),
  };
}

/** Topics of images and boxes that the options name and that are not among those of any bag. */
export function unknownTopics(topics: ReadonlySet<string>, options: SampleOptions): readonly string[] {
  const { imageTopics = [], rectifiedTopics = [], rawTopics = [] } = options;
  const keys = [
    options.cameraInfoTopics,
    options.cameraOffsets,
    options.semanticTopics,
    options.regionTopics,
  ].flatMap((named) => Object.keys(named ?? {}).filter(isTopic));
  const boxes = options.boxesTopic === undefined ? [] : [options.boxesTopic];
  const named = [...imageTopics, ...rectifiedTopics, ...rawTopics, ...keys, ...boxes];
  return [...new Set(named)].filter((topic) => !topics.has(topic));
}

/** Or the name of a camera, which has no slash in front and is known when cameras are chosen. */
function isTopic(key: string): boolean {
  return key !== ALL && key.startsWith("/");
}
