/** sensor_msgs/image_encodings.hpp: bytes per pixel of one row. */
const PIXEL_BYTES: ReadonlyMap<string, number> = new Map([
  ["mono8", 1],
  ["mono16", 2],
  ["rgb8", 3],
  ["bgr8", 3],
  ["rgba8", 4],
  ["bgra8", 4],
  ["rgb16", 6],
  ["bgr16", 6],
  ["rgba16", 8],
  ["bgra16", 8],
  ...["rggb", "bggr", "gbrg", "grbg"].flatMap((pattern): [string, number][] => [
    [`bayer_${pattern}8`, 1],
    [`bayer_${pattern}16`, 2],
  ]),
  ["uyvy", 2],
  ["yuv422", 2],
  ["yuyv", 2],
  ["yuv422_yuy2", 2],
  ["nv12", 1],
  ["nv21", 1],
  ["nv24", 1],
]);

/** Bytes per pixel of a row of this encoding (OpenCV names such as "32FC1" too); undefined when unknown. */
export function bytesPerPixel(encoding: string): number | undefined {
  const known = PIXEL_BYTES.get(encoding);
  if (known !== undefined) return known;
  const openCv = /^(8|16|32|64)[USF]C(\d{1,3})?$/.exec(encoding);
  if (openCv === null) return undefined;
  return (Number(openCv[1]) / 8) * Number(openCv[2] ?? 1);
}

/** Bytes of a row of pixels without padding; undefined for an unknown encoding. */
export function rowBytes(encoding: string, width: number): number | undefined {
  const pixel = bytesPerPixel(encoding);
  if (pixel === undefined) return undefined;
  // Two pixels share their chroma.
  const wide = /^(uyvy|yuyv|yuv422|yuv422_yuy2|nv12|nv21)$/.test(encoding) ? width + (width % 2) : width;
  return wide * pixel;
}

/** Rows of `step` bytes: more than `height` where the chroma lies in a plane behind the luma. */
export function dataRows(encoding: string, height: number): number {
  if (encoding === "nv12" || encoding === "nv21") return height + Math.ceil(height / 2);
  return encoding === "nv24" ? height * 3 : height;
}
