import type { ParameterDescriptor, ParameterValue } from "../port/ParameterServer.js";
import { describeAllowed } from "./acceptValue.js";
import type { ParameterDeclaration, PlainValue } from "./ParameterDeclaration.js";

/** A parameter of this node: `cameras.front.tolerance`, not `cameras.<name>.tolerance`. */
export interface DeclaredParameter {
  readonly name: string;
  readonly declaration: ParameterDeclaration;
}

export function describeParameter({ name, declaration }: DeclaredParameter): ParameterDescriptor {
  const { type, description, change } = declaration;
  const unit = "unit" in declaration ? ` Unit: ${declaration.unit}.` : "";
  return {
    name,
    type,
    description: `${description}.${unit}`,
    additionalConstraints:
      type === "string" || type === "string_array" ? `It must be ${describeAllowed(declaration)}.` : "",
    readOnly: change === "read-only",
    dynamicTyping: false,
    ...(type === "integer" && {
      integerRange: { from: BigInt(declaration.range[0]), to: BigInt(declaration.range[1]), step: 0n },
    }),
    ...(type === "double" && {
      floatingPointRange: { from: declaration.range[0], to: declaration.range[1], step: 0 },
    }),
  };
}

/** The value as ROS has it. */
export function rosValue({ type }: ParameterDeclaration, value: PlainValue): ParameterValue {
  switch (type) {
    case "bool":
      return { type, value: value as boolean };
    case "integer":
      return { type, value: BigInt(value as number) };
    case "double":
      return { type, value: value as number };
    case "string":
      return { type, value: value as string };
    case "string_array":
      return { type, value: value as readonly string[] };
  }
}
