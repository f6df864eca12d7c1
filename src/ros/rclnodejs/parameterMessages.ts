import type {
  Parameter,
  ParameterDescriptor,
  ParameterOverride,
  ParameterType,
  ParameterValue,
} from "../port/ParameterServer.js";
import { PARAMETER_TYPES } from "../port/ParameterServer.js";
import type { NativeOverrides, PlainMessage } from "./rclnodejs.js";

const TYPE_NAMES = Object.keys(PARAMETER_TYPES) as ParameterType[];

/** rcl_interfaces/msg/ParameterValue of rclnodejs: every field is there, `type` says which one counts. */
interface ParameterValueMessage {
  readonly type: number;
  readonly bool_value: boolean;
  readonly integer_value: bigint | number;
  readonly double_value: number;
  readonly string_value: string;
  readonly byte_array_value: ArrayLike<number>;
  readonly bool_array_value: ArrayLike<boolean>;
  readonly integer_array_value: ArrayLike<bigint | number>;
  readonly double_array_value: ArrayLike<number>;
  readonly string_array_value: ArrayLike<string>;
}

export function parameterTypeNumber(type: ParameterType): number {
  return PARAMETER_TYPES[type];
}

/** A type that ROS does not have counts as "not_set", which no parameter can be. */
export function valueFromMessage(message: PlainMessage): ParameterValue {
  const value = message as unknown as ParameterValueMessage;
  const type = TYPE_NAMES[value.type] ?? "not_set";
  switch (type) {
    case "not_set":
      return { type };
    case "bool":
      return { type, value: value.bool_value };
    case "integer":
      return { type, value: BigInt(value.integer_value) };
    case "double":
      return { type, value: value.double_value };
    case "string":
      return { type, value: value.string_value };
    case "byte_array":
      return { type, value: Array.from(value.byte_array_value) };
    case "bool_array":
      return { type, value: Array.from(value.bool_array_value) };
    case "integer_array":
      return { type, value: Array.from(value.integer_array_value, BigInt) };
    case "double_array":
      return { type, value: Array.from(value.double_array_value) };
    case "string_array":
      return { type, value: Array.from(value.string_array_value) };
  }
}

/** rclnodejs takes 64-bit integers as bigint, alone and in arrays. */
export function valueToMessage(value: ParameterValue): PlainMessage {
  const type = PARAMETER_TYPES[value.type];
  switch (value.type) {
    case "not_set":
      return { type };
    case "integer":
      return { type, integer_value: BigInt(value.value) };
    case "integer_array":
      return { type, integer_array_value: value.value.map(BigInt) };
    default:
      return { type, [`${value.type}_value`]: value.value };
  }
}

export function parameterFromMessage(message: PlainMessage): Parameter {
  const { name, value } = message as { readonly name: string; readonly value: PlainMessage };
  return { name, value: valueFromMessage(value) };
}

export function parameterToMessage({ name, value }: Parameter): PlainMessage {
  return { name, value: valueToMessage(value) };
}

export function descriptorToMessage(descriptor: ParameterDescriptor): PlainMessage {
  const { integerRange, floatingPointRange } = descriptor;
  return {
    name: descriptor.name,
    type: PARAMETER_TYPES[descriptor.type],
    description: descriptor.description,
    additional_constraints: descriptor.additionalConstraints,
    read_only: descriptor.readOnly,
    dynamic_typing: descriptor.dynamicTyping,
    integer_range: integerRange === undefined ? [] : [rangeToMessage(integerRange)],
    floating_point_range: floatingPointRange === undefined ? [] : [rangeToMessage(floatingPointRange)],
  };
}

function rangeToMessage<T>({
  from,
  to,
  step,
}: {
  readonly from: T;
  readonly to: T;
  readonly step: T;
}): PlainMessage {
  return { from_value: from, to_value: to, step };
}

/** What rcl parsed of the command line and its parameter files; rclnodejs' binary gives integers as number. */
export function overridesFromNative(nodes: readonly NativeOverrides[] | undefined): ParameterOverride[] {
  return (nodes ?? []).flatMap(({ name: nodeName, parameters }) =>
    parameters.map(({ name, type, value }) => {
      const key = `${TYPE_NAMES[type] ?? "not_set"}_value`;
      return { nodeName, name, value: valueFromMessage({ type, [key]: value }) };
    }),
  );
}
