import type { SceneClass, SceneScan } from "../../scene/SceneIndex.js";

type Rgb = readonly [number, number, number];

/**
 * Okabe and Ito's colours (2008), which stay apart for colour-blind eyes; black, which would not be seen on a dark page, is
 * left out.
 */
const SAFE: readonly Rgb[] = [
  [86, 180, 233],
  [230, 159, 0],
  [0, 158, 115],
  [213, 94, 0],
  [240, 228, 66],
  [204, 121, 167],
  [0, 114, 178],
];
/** No more than these are told apart by colour alone: the others are grey, and the legend shows them one by one. */
const OTHERS: readonly Rgb[] = [
  [176, 176, 176],
  [126, 126, 126],
  [214, 214, 214],
  [96, 96, 96],
];

/** By slot: the classes with the most points in the page get the colours that are told apart. */
export function safePalette(classes: readonly SceneClass[], scans: readonly SceneScan[]): readonly Rgb[] {
  const points = classes.map((_, slot) => scans.reduce((sum, { counts }) => sum + (counts[slot] ?? 0), 0));
  const order = classes.map((_, slot) => slot).sort((a, b) => points[b]! - points[a]!);
  const palette = new Array<Rgb>(classes.length);
  order.forEach((slot, rank) => {
    const isUnlabeled = classes[slot]!.name === "unlabeled";
    palette[slot] = isUnlabeled ? OTHERS[3]! : (SAFE[rank] ?? OTHERS[(rank - SAFE.length) % OTHERS.length]!);
  });
  return palette;
}

/** Right, wrong, not known: blue, orange and grey, which stay apart for colour-blind eyes. */
export const VERDICTS: readonly { readonly name: string; readonly color: Rgb }[] = [
  { name: "wrong", color: [230, 97, 1] },
  { name: "right", color: [67, 147, 195] },
  { name: "no truth", color: [120, 126, 134] },
];

/** What points without a class are shown in. */
export const NO_CLASS_COLOR: Rgb = [98, 106, 118];
