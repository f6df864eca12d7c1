/** Topics of the results in a written bag. */
export const OUTPUT_TOPICS = {
  labelled: "/ditr_perception/points_labelled",
  filtered: "/ditr_perception/points_filtered",
  labelInfo: "/ditr_perception/label_info",
  detections: "/ditr_perception/detections",
  markers: "/ditr_perception/detection_markers",
} as const;

/**
 * Is this an image that the node makes: `<node>/overlay/<camera>`, in a bag that has the results of the same node? Of a
 * node with another name or namespace too.
 *
 * @param topics all of the bag
 */
export function isOverlay(imageTopic: string, topics: ReadonlySet<string>): boolean {
  const node = /^(.*)\/overlay\/[^/]+(\/compressed)?$/.exec(imageTopic)?.[1];
  return node !== undefined && NODE_TOPICS.some((result) => topics.has(`${node}/${result}`));
}

/** What the node publishes beside overlays. */
const NODE_TOPICS = [
  "label_info",
  "status",
  "points_labelled",
  "points_filtered",
  "detections",
  "detection_markers",
] as const;
