/** Viridis by Smith and van der Walt (CC0), at equal distances: even in lightness, and for colour-blind eyes too. */
const VIRIDIS = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [66, 190, 113],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
] as const;

/** `share` 0 to 1; beyond, the ends. */
export function gradient(share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const lower = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const rest = at - lower;
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(VIRIDIS[lower]![channel] * (1 - rest) + VIRIDIS[lower + 1]![channel] * rest);
  return [mix(0), mix(1), mix(2)];
}

export function gradientCss(): string {
  return `linear-gradient(to right, ${VIRIDIS.map((color) => `rgb(${color.join(" ")})`).join(", ")})`;
}
