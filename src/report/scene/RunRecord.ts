import { z } from "zod";
import { Fault } from "../../faults/Fault.js";
import type { SceneFault, SceneLabelling, SceneRun } from "../../scene/SceneIndex.js";
import { FAULTS, type FaultCode } from "../../faults/faultTable.js";

/** What of the JSON summary of `ditr run` a report shows. */
const SUMMARY = z.object({
  format_version: z.literal(1),
  input: z.string(),
  model: z.object({ name: z.string(), folder: z.string().optional(), licence: z.string().optional() }),
  provider: z.object({ obtained: z.string() }),
  inputs: z.object({
    cloud_topic: z.string(),
    cameras: z.array(z.object({ name: z.string(), image_topic: z.string(), offset_ms: z.number() })),
  }),
  scans: z.object({ received: z.number(), labelled: z.number(), lost: z.number() }),
  seconds: z.number(),
  scans_per_second: z.number(),
  faults: z.array(
    z.object({
      code: z.string(),
      severity: z.string(),
      count: z.number(),
      messages: z.array(z.string()),
    }),
  ),
  per_scan: z.array(
    z.object({
      stamp: z.string(),
      mode: z.string(),
      reason: z.string(),
      seen_share: z.number().optional(),
      stage_ms: z.record(z.string(), z.number()).optional(),
    }),
  ),
});

/** How a bag came to its labels, from the run that made it. */
export interface RunRecord {
  readonly run: SceneRun;
  readonly faults: readonly SceneFault[];
  /** By stamp. */
  readonly labelling: ReadonlyMap<bigint, SceneLabelling>;
}

/**
 * @param summary what `ditr run --json` wrote, parsed
 * @param source named where it is something else
 * @throws Fault("data-set-unreadable")
 */
export function readRunRecord(summary: unknown, source: string): RunRecord {
  const parsed = SUMMARY.safeParse(summary);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Fault(
      "data-set-unreadable",
      `${source} is no summary of a run, as ditr run --json writes it: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
  }
  const { model, provider, inputs, scans, seconds, scans_per_second, per_scan, input, faults } = parsed.data;
  const facts: (readonly [string, string])[] = [
    ["Recording", input],
    ["Model", model.licence === undefined ? model.name : `${model.name} (${model.licence})`],
    ["Provider", provider.obtained],
    [
      "Scans labelled",
      `${scans.labelled} of ${scans.received}${scans.lost > 0 ? `, ${scans.lost} lost` : ""}`,
    ],
    ["Took", `${seconds.toFixed(1)} s, ${scans_per_second.toFixed(2)} scans a second`],
    ["Points of", inputs.cloud_topic],
    ...inputs.cameras.map(
      ({ name, image_topic, offset_ms }) =>
        [`Camera ${name}`, `${image_topic}, offset ${offset_ms.toFixed(1)} ms`] as const,
    ),
  ];
  return {
    run: { facts },
    faults: faults.map((fault) => ({ ...fault, remedy: remedyOf(fault.code) })),
    labelling: new Map(
      per_scan.map(({ stamp, mode, reason, seen_share, stage_ms }) => [
        BigInt(stamp),
        {
          mode,
          reason,
          ...(seen_share !== undefined && { seenShare: seen_share }),
          stages: Object.entries(stage_ms ?? {}),
        },
      ]),
    ),
  };
}

/** What mends a fault; of a code of another version nothing is known. */
export function remedyOf(code: string): string {
  return code in FAULTS ? FAULTS[code as FaultCode].remedy : "";
}
