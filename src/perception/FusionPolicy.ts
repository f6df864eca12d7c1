/** What the user asks for. */
export const FUSION_MODES = ["auto", "fused", "image-free"] as const;
export type FusionMode = (typeof FUSION_MODES)[number];

/** How one scan was labelled. */
export type LabellingMode = "fused" | "image-free";

export interface FusionPolicyOptions {
  readonly mode: FusionMode;
  /** Fewest cameras with a usable image for fusion. */
  readonly minImages: number;
  /** Smallest share (0..1) of voxels that some camera sees for fusion to start. */
  readonly minSeenShare: number;
  /** Fusion goes on until the share falls below `minSeenShare - seenShareHysteresis`. */
  readonly seenShareHysteresis: number;
}

/**
 * Fuse whenever some camera sees a fiftieth of the voxels: where one set of weights serves both modes, fusion never
 * loses, and gains from there on (`ditr-train coverage`, docs/distill-your-robot.md).
 */
export const DEFAULT_FUSION: FusionPolicyOptions = {
  mode: "auto",
  minImages: 1,
  minSeenShare: 0.02,
  seenShareHysteresis: 0.005,
};

/** Which graphs the model bundle has. */
export interface ModelModes {
  readonly fused: boolean;
  readonly imageFree: boolean;
}

export interface ScanCoverage {
  /** Cameras with an image that matched the scan and could be decoded and projected. */
  readonly imageCount: number;
  /** Share of voxels that some of them sees. */
  readonly seenShare: number;
}

export type ModeReason =
  | "mode-parameter"
  | "model-has-no-fused-graph"
  | "model-has-no-image-free-graph"
  | "no-images"
  | "too-few-images"
  | "too-few-points-seen"
  | "images-available";

export interface ModeDecision {
  readonly mode: LabellingMode;
  readonly reason: ModeReason;
}

/**
 * Fused or image-free, scan by scan. With one narrow camera the distilled image-free model can be the better
 * one (DITR, arXiv 2503.18944, SemanticKITTI: 69.0 mIoU fused, 69.8 distilled), hence the threshold on the share
 * of voxels seen; the hysteresis keeps a share near the threshold from switching models with every scan.
 */
export class FusionPolicy {
  #options: FusionPolicyOptions;
  readonly #model: ModelModes;
  #fusing = false;

  constructor(options: FusionPolicyOptions, model: ModelModes) {
    this.#options = options;
    this.#model = model;
  }

  /** Holds from the next scan on; what was decided before still counts for the hysteresis. */
  configure(options: FusionPolicyOptions): void {
    this.#options = options;
  }

  /** Could any scan be fused? If not, images need not be decoded at all. */
  get mayFuse(): boolean {
    return this.#model.fused && (this.#options.mode !== "image-free" || !this.#model.imageFree);
  }

  /** Call once per scan, in order. */
  decide(coverage: ScanCoverage): ModeDecision {
    const decision = this.#decide(coverage);
    this.#fusing = decision.mode === "fused";
    return decision;
  }

  #decide({ imageCount, seenShare }: ScanCoverage): ModeDecision {
    const { mode, minImages, minSeenShare, seenShareHysteresis } = this.#options;
    if (!this.#model.fused) return { mode: "image-free", reason: "model-has-no-fused-graph" };
    if (!this.#model.imageFree) return { mode: "fused", reason: "model-has-no-image-free-graph" };
    if (mode !== "auto") return { mode, reason: "mode-parameter" };
    if (imageCount === 0) return { mode: "image-free", reason: "no-images" };
    if (imageCount < minImages) return { mode: "image-free", reason: "too-few-images" };
    const threshold = this.#fusing ? minSeenShare - seenShareHysteresis : minSeenShare;
    if (seenShare < threshold) return { mode: "image-free", reason: "too-few-points-seen" };
    return { mode: "fused", reason: "images-available" };
  }
}
