import sharp from "sharp";

// One image at a time and nothing cached: scans come in a stream, parallelism belongs to the workers that
// call us, and robots have little memory.
sharp.concurrency(1);
sharp.cache(false);

/** Larger images are refused before memory is taken for them. */
export const MAX_PIXELS = 100_000_000;

export { sharp };
