import type { ParameterDeclaration, PlainValue } from "./ParameterDeclaration.js";

/** As in a parameter file: doubles have a point. */
export function showDouble(value: number): string {
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** As in a parameter file. */
export function showValue({ type }: ParameterDeclaration, value: PlainValue): string {
  if (typeof value === "object") return `[${value.map((element) => JSON.stringify(element)).join(", ")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  return type === "double" ? showDouble(value as number) : String(value);
}
