import { parseDocument } from "yaml";
import type { ParameterOverride, ParameterValue } from "../port/ParameterServer.js";

/**
 * What rcl makes of a parameter file, for tests without ROS: nodes at the top, `ros__parameters` below, nested maps
 * as names with dots, numbers without a point as integers, and a list without elements as no value at all.
 */
export function overridesFromYaml(text: string): ParameterOverride[] {
  return ofNodes(parseDocument(text, { intAsBigInt: true, version: "1.1" }).toJS(), "");
}

function ofNodes(nodes: unknown, above: string): ParameterOverride[] {
  return Object.entries((nodes ?? {}) as Readonly<Record<string, object>>).flatMap(([key, node]) => {
    const nodeName = above === "" ? key : `${above}/${key}`;
    if (!("ros__parameters" in node)) return ofNodes(node, nodeName);
    return flatten(node.ros__parameters, "").map((parameter) => ({ nodeName, ...parameter }));
  });
}

/** As `-p name:=value` gives them, with values of JavaScript: bigint for integers, number for doubles. */
export function overridesOf(values: Readonly<Record<string, unknown>>): ParameterOverride[] {
  return Object.entries(values).map(([name, value]) => ({ nodeName: "/**", name, value: rosValueOf(value) }));
}

export function rosValueOf(value: unknown): ParameterValue {
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value === "bigint") return { type: "integer", value };
  if (typeof value === "number") return { type: "double", value };
  if (typeof value === "string") return { type: "string", value };
  if (!Array.isArray(value)) throw new Error(`no parameter can hold ${String(value)}`);
  if (value.length === 0) return { type: "not_set" };
  const { type } = rosValueOf(value[0]) as ParameterValue & {
    type: "bool" | "integer" | "double" | "string";
  };
  return { type: `${type}_array`, value };
}

function flatten(values: unknown, prefix: string): { name: string; value: ParameterValue }[] {
  return Object.entries(values ?? {}).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(value, `${prefix}${key}.`)
      : [{ name: prefix + key, value: rosValueOf(value) }],
  );
}
