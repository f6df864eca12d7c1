/** Topics of the results in a written bag. */
export const OUTPUT_TOPICS = {
  labelled: "/ditr_perception/points_labelled",
  filtered: "/ditr_perception/points_filtered",
  labelInfo: "/ditr_perception/label_info",
} as const;
