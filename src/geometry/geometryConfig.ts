import { Fault } from "../faults/Fault.js";
import type { GeometryConfig, SerializationOrder } from "./types.js";

export const SERIALIZATION_ORDERS: readonly SerializationOrder[] = [
  "z",
  "z-trans",
  "hilbert",
  "hilbert-trans",
];

const AXES = ["x", "y", "z"] as const;

/**
 * Checks what no scan could satisfy. Values that come from JSON are not trusted to have their type.
 * @throws Fault "invalid-configuration" that names the field and its value
 */
export function checkGeometryConfig(config: GeometryConfig): void {
  const { gridSize, pointRange, orders, stages } = config;
  const stemKernelSize: number = config.stemKernelSize;
  if (!(Number.isFinite(gridSize) && gridSize > 0)) {
    throw invalid(`gridSize is ${gridSize}, but has to be a positive length in metres.`);
  }
  if ((pointRange as readonly number[]).length !== 6 || !pointRange.every(Number.isFinite)) {
    throw invalid(`pointRange is [${pointRange.join(", ")}], but has to be six finite numbers of metres.`);
  }
  for (const [axis, name] of AXES.entries()) {
    const minimum = pointRange[axis]!;
    const maximum = pointRange[axis + 3]!;
    if (minimum >= maximum) {
      throw invalid(`pointRange goes from ${minimum} to ${maximum} along ${name}, but has to go upwards.`);
    }
  }
  for (const order of orders) {
    if (!SERIALIZATION_ORDERS.includes(order)) {
      throw invalid(`orders has "${order}", but knows only ${SERIALIZATION_ORDERS.join(", ")}.`);
    }
  }
  if (stemKernelSize !== 3 && stemKernelSize !== 5) {
    throw invalid(`stemKernelSize is ${stemKernelSize}, but has to be 3 or 5.`);
  }
  if (stages.length === 0) throw invalid("stages is empty, but at least one stage is needed.");
  for (const [index, { patchSize }] of stages.entries()) {
    if (!Number.isInteger(patchSize) || patchSize < 0) {
      throw invalid(`stages[${index}].patchSize is ${patchSize}, but has to be a whole number, 0 or more.`);
    }
    if (patchSize > 0 && orders.length === 0) {
      throw invalid(`stages[${index}].patchSize is ${patchSize}, but orders is empty.`);
    }
  }
}

function invalid(sentence: string): Fault {
  return new Fault("invalid-configuration", sentence);
}
