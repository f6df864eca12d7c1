import { z } from "zod";
import type { CopyChoice } from "../bag/labelling/copiedChannels.js";
import type { InputSelection } from "../bag/labelling/InputSelection.js";
import { Fault } from "../faults/Fault.js";
import type { FaultAnnouncement, FaultLog } from "../faults/FaultLog.js";
import { PROVIDER_CHOICES, type ProviderChoice, type ProviderReport } from "../model/providers.js";
import { FUSION_MODES, type FusionPolicyOptions } from "../perception/FusionPolicy.js";
import type { InputOptions } from "./InputOptions.js";

/** How a bag is labelled; every option has the default of `ditr run`. */
export interface LabelBagOptions extends Partial<InputOptions> {
  /** Labelled bag to write (.mcap), with what `copy` says; without it the scans are only yielded. */
  readonly output?: string;
  /** Replace the output when it exists: false unless told. An input is never replaced. */
  readonly force?: boolean;
  /** What of the input goes into the output beside the labelled clouds: "tf" unless told. */
  readonly copy?: CopyChoice;
  /** Folder of a model bundle: `DEFAULT_MODEL` unless told. */
  readonly model?: string;
  /** "auto" unless told: CUDA where a session can be created on it, else the CPU. */
  readonly provider?: ProviderChoice;
  /** Threads inside an operator of the model; 0, the default, lets ONNX Runtime choose. */
  readonly threads?: number;
  /** When scans are fused; what is left out is as in `DEFAULT_FUSION`. */
  readonly fusion?: Partial<FusionPolicyOptions>;
  /** Names of the classes that the filtered clouds leave out; there are none without it. */
  readonly filterClasses?: readonly string[];
  /** Leave out the points for which one of these classes has more than this probability, 0 to 1, in place of its label. */
  readonly filterProbability?: number;
  /** Of a model that finds boxes: those with a lower score, 0 to 1, are left out; what the model says unless told. */
  readonly boxScoreThreshold?: number;
  /** Stop after this many scans. */
  readonly maxScans?: number;
  /** Keep voxels, graph inputs and logits of every scan as its `dump`: much memory. */
  readonly dump?: boolean;
  /** When it aborts, the scans under way are the last: what is labelled until then is kept, as a finished bag. */
  readonly signal?: AbortSignal;
  /** Told once, when all is ready and before the first scan. */
  readonly onStart?: (start: LabellingStart) => void;
  /** Told of what is wrong with the input while it happens, at a bounded rate; the summary counts all of it. */
  readonly onFault?: (fault: FaultAnnouncement) => void;
}

/** What is known before the first scan is labelled. */
export interface LabellingStart {
  /** Messages of the cloud's topic. */
  readonly scanCount: number;
  /** The topics that are used. */
  readonly selection: InputSelection;
  /** Where the model runs. */
  readonly provider: ProviderReport;
  /** Of this labelling; counts on while it goes on. */
  readonly faults: Pick<FaultLog, "total" | "summary">;
}

const names = z.array(z.string());
const nanoseconds = z.bigint();
const share = z.number().min(0).max(1);
const isCallback = (value: unknown): boolean => typeof value === "function";
/** What the types say, for callers without a type checker. */
const schema = z.strictObject({
  cloudTopics: names.optional(),
  targetFrame: z.string().optional(),
  imageTopics: names.optional(),
  cameraInfoTopics: z.record(z.string(), z.string()).optional(),
  rectifiedTopics: names.optional(),
  rawTopics: names.optional(),
  intensityField: z.string().optional(),
  intensityScale: z.number().positive().optional(),
  tfTopics: names.optional(),
  cameraOffsets: z.record(z.string(), z.union([nanoseconds, z.literal("auto")])).optional(),
  transformOffset: z.union([nanoseconds, z.literal("auto")]).optional(),
  stampedByLog: names.optional(),
  tolerance: nanoseconds.nonnegative().optional(),
  fixedFrame: z.string().optional(),
  deskew: z.boolean().optional(),
  output: z.string().min(1).optional(),
  force: z.boolean().optional(),
  copy: z.enum(["none", "tf", "all"] satisfies CopyChoice[]).optional(),
  model: z.string().min(1).optional(),
  provider: z.enum(PROVIDER_CHOICES).optional(),
  threads: z.int().nonnegative().optional(),
  fusion: z
    .strictObject({
      mode: z.enum(FUSION_MODES).optional(),
      minImages: z.int().nonnegative().optional(),
      minSeenShare: share.optional(),
      seenShareHysteresis: share.optional(),
    })
    .optional(),
  filterClasses: names.optional(),
  filterProbability: share.optional(),
  boxScoreThreshold: share.optional(),
  maxScans: z.int().nonnegative().optional(),
  dump: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onStart: z.custom(isCallback, "must be a function").optional(),
  onFault: z.custom(isCallback, "must be a function").optional(),
} satisfies Record<keyof LabelBagOptions, z.ZodType>);

/** @throws Fault `invalid-configuration` that names the option and what is allowed */
export function checkLabelBagOptions(options: LabelBagOptions): void {
  const checked = schema.safeParse(options);
  if (!checked.success) {
    throw new Fault("invalid-configuration", `options of labelBag: ${z.prettifyError(checked.error)}`);
  }
  if (options.filterProbability !== undefined && options.filterClasses === undefined) {
    throw new Fault(
      "invalid-configuration",
      "options of labelBag: filterProbability needs filterClasses, the classes that it is about",
    );
  }
}
