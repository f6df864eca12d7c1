import { describe, expect, test } from "@jest/globals";
import { FusionPolicy, type FusionPolicyOptions, type ModelModes } from "./FusionPolicy.js";

const BOTH: ModelModes = { fused: true, imageFree: true };
const AUTO: FusionPolicyOptions = {
  mode: "auto",
  minImages: 1,
  minSeenShare: 0.1,
  seenShareHysteresis: 0.04,
};

function decisions(
  policy: FusionPolicy,
  coverages: readonly [imageCount: number, seenShare: number][],
): string[] {
  return coverages.map(([imageCount, seenShare]) => {
    const { mode, reason } = policy.decide({ imageCount, seenShare });
    return `${mode}: ${reason}`;
  });
}

describe("FusionPolicy", () => {
  test("follows the images from scan to scan", () => {
    expect(
      decisions(new FusionPolicy(AUTO, BOTH), [
        [1, 0.3],
        [0, 0],
        [1, 0.3],
      ]),
    ).toEqual(["fused: images-available", "image-free: no-images", "fused: images-available"]);
  });

  test("a share between the two thresholds keeps the mode that it had", () => {
    expect(
      decisions(new FusionPolicy(AUTO, BOTH), [
        [1, 0.08],
        [1, 0.1],
        [1, 0.08],
        [1, 0.05],
        [1, 0.08],
      ]),
    ).toEqual([
      "image-free: too-few-points-seen",
      "fused: images-available",
      "fused: images-available",
      "image-free: too-few-points-seen",
      "image-free: too-few-points-seen",
    ]);
  });

  test("keeps what it decided before when the options change", () => {
    const policy = new FusionPolicy({ ...AUTO, minSeenShare: 0.1, seenShareHysteresis: 0.05 }, BOTH);
    expect(decisions(policy, [[1, 0.2]])).toEqual(["fused: images-available"]);
    policy.configure({ ...AUTO, minSeenShare: 0.3, seenShareHysteresis: 0.15 });
    expect(decisions(policy, [[1, 0.2]])).toEqual(["fused: images-available"]);
    policy.configure({ ...AUTO, minSeenShare: 0.3, seenShareHysteresis: 0 });
    expect(decisions(policy, [[1, 0.2]])).toEqual(["image-free: too-few-points-seen"]);
  });

  test("asks for the configured number of cameras", () => {
    expect(decisions(new FusionPolicy({ ...AUTO, minImages: 2 }, BOTH), [[1, 0.9]])).toEqual([
      "image-free: too-few-images",
    ]);
  });

  test("an explicit mode holds with and without images", () => {
    expect(decisions(new FusionPolicy({ ...AUTO, mode: "fused" }, BOTH), [[0, 0]])).toEqual([
      "fused: mode-parameter",
    ]);
    const imageFree = new FusionPolicy({ ...AUTO, mode: "image-free" }, BOTH);
    expect(decisions(imageFree, [[1, 0.9]])).toEqual(["image-free: mode-parameter"]);
    expect(imageFree.mayFuse).toBe(false);
  });

  test("a model with one graph is used with that graph, and says so", () => {
    const withoutFused = new FusionPolicy({ ...AUTO, mode: "fused" }, { fused: false, imageFree: true });
    expect(withoutFused.mayFuse).toBe(false);
    expect(decisions(withoutFused, [[1, 0.9]])).toEqual(["image-free: model-has-no-fused-graph"]);
    const onlyFused = new FusionPolicy({ ...AUTO, mode: "image-free" }, { fused: true, imageFree: false });
    expect(onlyFused.mayFuse).toBe(true);
    expect(decisions(onlyFused, [[0, 0]])).toEqual(["fused: model-has-no-image-free-graph"]);
  });
});
