/** Ids of the elements of a page that hold data, for those who write it and those who read it. */
export const PAGE_PLACES = {
  /** JSON of the SceneIndex. */
  index: "scene",
  /** Packed points of the scan at a place in the index: base64 of raw deflate. */
  scan: (place: number): string => `scan-${place}`,
  /** An image file in base64. */
  image: (image: number): string => `image-${image}`,
} as const;

/** Where the data goes in the page that the build makes. */
export const DATA_MARK = "<!--ditr-data-->";
