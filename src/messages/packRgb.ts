export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The "rgb" field of point clouds: 0x00RRGGBB reinterpreted as float32, as PCL and RViz have it. Gives
 * each point the colour of its class: `colors[labels[i]]`, channels 0 to 255; black where the table has
 * none. `out` is used when it has at least N elements.
 *
 * The bits are written as integers: a float32 that passes through a number may lose them.
 */
export function packRgb(
  labels: Uint8Array | Uint16Array | Int32Array | Uint32Array,
  colors: readonly Rgb[],
  out?: Float32Array,
): Float32Array {
  const table = Uint32Array.from(colors, ([red, green, blue]) => (red << 16) | (green << 8) | blue);
  const rgb =
    out !== undefined && out.length >= labels.length
      ? out.subarray(0, labels.length)
      : new Float32Array(labels.length);
  const bits = new Uint32Array(rgb.buffer, rgb.byteOffset, rgb.length);
  for (let i = 0; i < bits.length; i++) bits[i] = table[labels[i]!] ?? 0;
  return rgb;
}
