import type { Observable } from "rxjs";

/** rcl_interfaces/msg/ParameterType: the names used here, and the constants on the wire. */
export const PARAMETER_TYPES = {
  not_set: 0,
  bool: 1,
  integer: 2,
  double: 3,
  string: 4,
  byte_array: 5,
  bool_array: 6,
  integer_array: 7,
  double_array: 8,
  string_array: 9,
} as const;
export type ParameterType = keyof typeof PARAMETER_TYPES;

/** rcl_interfaces/msg/ParameterValue. Integers may come as either; they are always given out as bigint. */
export type ParameterValue =
  | { readonly type: "not_set" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "integer"; readonly value: bigint | number }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "byte_array"; readonly value: readonly number[] }
  | { readonly type: "bool_array"; readonly value: readonly boolean[] }
  | { readonly type: "integer_array"; readonly value: readonly (bigint | number)[] }
  | { readonly type: "double_array"; readonly value: readonly number[] }
  | { readonly type: "string_array"; readonly value: readonly string[] };

/** rcl_interfaces/msg/Parameter */
export interface Parameter {
  readonly name: string;
  readonly value: ParameterValue;
}

/** A value from a parameter file or `-p`, as rcl parsed it. */
export interface ParameterOverride extends Parameter {
  /** As in the file: "/**", "node", "/ns/node", "/ns/**"; `-p name:=value` comes as "/**". */
  readonly nodeName: string;
}

/** rcl_interfaces/msg/ParameterDescriptor */
export interface ParameterDescriptor {
  readonly name: string;
  readonly type: ParameterType;
  readonly description: string;
  readonly additionalConstraints: string;
  readonly readOnly: boolean;
  readonly dynamicTyping: boolean;
  /** A step of 0 means any value within the range. */
  readonly integerRange?: { readonly from: bigint; readonly to: bigint; readonly step: bigint };
  readonly floatingPointRange?: { readonly from: number; readonly to: number; readonly step: number };
}

/** rcl_interfaces/msg/SetParametersResult */
export interface SetParametersResult {
  readonly successful: boolean;
  /** Empty on success. */
  readonly reason: string;
}

/** rcl_interfaces/msg/ListParametersResult */
export interface ListParametersResult {
  readonly names: readonly string[];
  readonly prefixes: readonly string[];
}

/** What answers the parameter services of a node. None of these throws, whatever a peer asks. */
export interface ParameterServer {
  /** @param depth 0 lists recursively */
  list(prefixes: readonly string[], depth: bigint | number): ListParametersResult;
  /** One per name; an undeclared name gets type "not_set" and no description. */
  describe(names: readonly string[]): ParameterDescriptor[];
  /** One per name; an undeclared name gets "not_set". */
  get(names: readonly string[]): ParameterValue[];
  getTypes(names: readonly string[]): ParameterType[];
  /** Each on its own: what is refused does not keep the others from being set. */
  set(parameters: readonly Parameter[]): SetParametersResult[];
  /** All or none. */
  setAtomically(parameters: readonly Parameter[]): SetParametersResult;
  /** What changed, after each accepted set that changed something (for /parameter_events). */
  readonly changed: Observable<readonly Parameter[]>;
}
