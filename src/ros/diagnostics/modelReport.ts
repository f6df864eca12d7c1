import type { Provider, ProviderReport } from "../../model/providers.js";
import type { LifecycleState } from "../port/RosNode.js";
import { type DiagnosticFinding, keyValues, type SubjectReport } from "./DiagnosticFinding.js";

export interface ModelSnapshot {
  /** Of the lifecycle; undefined during a transition. */
  readonly state: LifecycleState | undefined;
  /** Why the last transition failed; absent when it did not. */
  readonly problem?: string;
  /** How often the model was started again since its workers had died. */
  readonly restarts: number;
  /** What is loaded. */
  readonly model?: {
    readonly name: string;
    readonly licence?: string | undefined;
    readonly provider: ProviderReport;
  };
}

/** Of ONNX Runtime. */
const PROVIDER_NAMES: Readonly<Record<Provider, string>> = {
  cpu: "CPUExecutionProvider",
  cuda: "CUDAExecutionProvider",
  tensorrt: "TensorrtExecutionProvider",
  webgpu: "WebGpuExecutionProvider",
};

export function modelReport({ state, problem, restarts, model }: ModelSnapshot): SubjectReport {
  const findings: DiagnosticFinding[] = [];
  if (problem !== undefined) findings.push({ rule: "not-configured", sentence: problem });
  else if (state === "finalized") {
    findings.push({ rule: "not-configured", sentence: "the node is finalized and does nothing any more" });
  }
  if (model !== undefined) findings.push(...providerFindings(model.provider));
  const shownState = state ?? "in transition";
  return {
    title: "model",
    summary:
      model === undefined
        ? `${shownState}, no model is loaded`
        : `${shownState}, ${model.name} on ${model.provider.obtained}`,
    findings,
    values: keyValues({
      State: shownState,
      Restarts: String(restarts),
      ...(model && {
        Model: model.name,
        Licence: model.licence,
        "Provider asked for": model.provider.requested,
        "Provider in use": model.provider.obtained,
        "Providers refused": refusals(model.provider),
        "Node placement": placement(model.provider),
      }),
    }),
  };
}

function providerFindings({
  requested,
  obtained,
  refused,
  placement: nodes,
}: ProviderReport): DiagnosticFinding[] {
  const findings: DiagnosticFinding[] = [];
  if (requested !== "auto" && requested !== obtained) {
    const reason = refused.find(({ provider }) => provider === requested)?.reason;
    findings.push({
      rule: "provider-not-asked-for",
      sentence: `provider ${obtained} is in use instead of ${requested}${reason === undefined ? "" : ` (${reason})`}`,
    });
  }
  const total = Object.values(nodes).reduce((sum, count) => sum + count, 0);
  const there = nodes[PROVIDER_NAMES[obtained]] ?? 0;
  if (obtained !== "cpu" && there * 2 < total) {
    findings.push({
      rule: "nodes-elsewhere",
      sentence: `only ${there} of ${total} graph nodes run on ${obtained}`,
    });
  }
  return findings;
}

function refusals({ refused }: ProviderReport): string | undefined {
  if (refused.length === 0) return undefined;
  return refused.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
}

function placement({ placement: nodes }: ProviderReport): string | undefined {
  const counts = Object.entries(nodes);
  if (counts.length === 0) return undefined;
  return counts.map(([provider, count]) => `${provider}: ${count}`).join(", ");
}
