import { Fault } from "../faults/Fault.js";
import type { NodePlacement } from "./nodePlacement.js";

/** ONNX Runtime execution providers that this project knows, by the names of its options. */
export const PROVIDERS = ["cpu", "cuda", "tensorrt", "webgpu"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** "auto" takes the first of CUDA and CPU that a session can really be created with. */
export const PROVIDER_CHOICES = ["auto", ...PROVIDERS] as const;
export type ProviderChoice = (typeof PROVIDER_CHOICES)[number];

/** What was asked for, what was obtained, and why anything tried before it was not. */
export interface ProviderReport {
  readonly requested: ProviderChoice;
  readonly obtained: Provider;
  readonly refused: readonly { readonly provider: Provider; readonly reason: string }[];
  /**
   * Where the nodes of all graphs really ran in a first run; none on the CPU, where there is no choice. A session
   * that was created with a GPU provider may still leave nodes to the CPU.
   */
  readonly placement: NodePlacement;
}

/**
 * TensorRT builds an engine for minutes and WebGPU is slower than CUDA where both exist, so these two are
 * taken only when they are named.
 */
export function candidates(choice: ProviderChoice): readonly Provider[] {
  return choice === "auto" ? ["cuda", "cpu"] : [choice];
}

/**
 * Creates something with the first candidate provider that works, and tells where its nodes run. An explicit choice that fails is a
 * Fault("provider-unavailable"): it never turns into the CPU by itself.
 */
export async function createWithProvider(
  choice: ProviderChoice,
  create: (provider: Provider) => Promise<NodePlacement>,
): Promise<ProviderReport> {
  const refused: { provider: Provider; reason: string }[] = [];
  for (const provider of candidates(choice)) {
    try {
      const placement = await create(provider);
      return { requested: choice, obtained: provider, refused, placement };
    } catch (error) {
      refused.push({ provider, reason: firstLine(error) });
    }
  }
  const reasons = refused.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  throw new Fault(
    "provider-unavailable",
    `no session could be created with provider "${choice}" (${reasons})`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
