import type { LabelledScan, StageTimes } from "./ScanFrame.js";

/** In the order in which a scan goes through them. */
export const STAGES = [
  "decode",
  "geometry",
  "images",
  "projection",
  "imageEncoder",
  "backbone",
  "detection",
  "compose",
] as const satisfies readonly (keyof StageTimes)[];

/** The stages that a scan went through, with milliseconds: not the detection where no boxes were wanted. */
export function stagesOf({
  times,
  boxes,
}: Pick<LabelledScan, "times" | "boxes">): (readonly [stage: keyof StageTimes, ms: number])[] {
  return STAGES.flatMap((stage) =>
    stage === "detection" && boxes === undefined ? [] : [[stage, times[stage]] as const],
  );
}
