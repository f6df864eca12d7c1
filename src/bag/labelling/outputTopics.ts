/** Topics of the results in a written bag. */
export const OUTPUT_TOPICS = {
  labelled: "/ditr/points_labelled",
  filtered: "/ditr/points_filtered",
  labelInfo: "/ditr/label_info",
} as const;
