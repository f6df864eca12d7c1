import { Fault } from "../faults/Fault.js";
import { GateShutError } from "./NativeCallGate.js";
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
 * Creates something with the first candidate provider that works, and tells where its nodes run. An explicit choice that
 * fails never turns into the CPU by itself. What the CPU cannot create either is no provider's fault, so it is asked in the
 * end even where it was not to be used.
 *
 * @throws Fault "bad-bundle" when the model runs nowhere; "provider-unavailable" when it would run on the CPU;
 * "inference-failed" when the memory does not suffice
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
      if (isFinal(error)) throw error;
      if (provider === "cpu") throw cpuFault(error);
      refused.push({ provider, reason: firstLine(error) });
    }
  }
  try {
    await create("cpu");
  } catch (error) {
    throw isFinal(error) ? error : cpuFault(error);
  }
  const reasons = refused.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  throw new Fault(
    "provider-unavailable",
    `no session could be created with provider "${choice}" (${reasons}), while the CPU can run the model`,
  );
}

/** Another provider would not change it. */
function isFinal(error: unknown): boolean {
  return error instanceof GateShutError || (error instanceof Fault && error.code === "bad-bundle");
}

/** The CPU is always there. */
function cpuFault(error: unknown): Fault {
  const reason = firstLine(error);
  return /bad_?alloc|memory/i.test(reason)
    ? new Fault("inference-failed", `the memory does not suffice for the model: ${reason}`, { cause: error })
    : new Fault("bad-bundle", `ONNX Runtime cannot run the model, not even on the CPU: ${reason}`, {
        cause: error,
      });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
